"""Training recipes: one, several to compare, or those that others have published."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_search import study as files
from lenet_search.api.inputs import Data, folder_and_name, shown
from lenet_search.crew import FREEZE_EVERY
from lenet_search.recipe import Recipe

if TYPE_CHECKING:
    from lenet_search.experiments.compare import Comparison
    from lenet_search.experiments.reproduce import Reproduction
    from lenet_search.experiments.task import Task
    from lenet_search.experiments.train import Training
    from lenet_search.look.progress import View


def train(
    recipe: str | Path | Recipe,
    seeds: int = 1,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    out: str | Path | None = None,
    data: Data = None,
    restart: bool = False,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "Training":
    """Train a recipe from several initial weights, side by side; only runs missing from the folder.

    Args:
        recipe: a name, the path of a file, or a `Recipe`
        seeds: number of runs; their seeds start after the one in the file
        overrides: values that override those of the file, as "KEY=VALUE"
        name: name of the recipe; else that of the file, or "recipe"
        out: folder; else trained/NAME
        data: folder searched for NAME.npz or NAME/ before downloading, or arrays
        restart: discard the runs in the folder, even another recipe's, and train all again
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        StudyFileError: the file is not a recipe.
        LenetSearchError: as `lenet_search.experiments.train.train`.
    """
    from lenet_search.experiments.task import task_of
    from lenet_search.experiments.train import train as train_task

    if not isinstance(seeds, int) or seeds < 1:
        raise ValueError(f"seeds: expected a whole number from 1; received {seeds!r}")
    folder, changes = folder_and_name(data)
    task, metric = task_of(recipe, seeds, overrides=(*overrides, *changes), name=name)
    words = [task.name, "1 seed" if seeds == 1 else f"{seeds} seeds", *overrides]
    where = Path(out).expanduser() if out is not None else Path("trained", task.name)
    return train_task(
        task, where, view=shown(view), title=", ".join(words),
        metric=metric, data_folder=folder, workers=workers, freeze_every=freeze_every, ray=ray, restart=restart,
    )  # fmt: skip


def compare(
    recipes: Sequence[str | Path],
    seeds: int | None = None,
    *,
    test: bool = False,
    out: str | Path | None = None,
    data: Data = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "tuple[Comparison, list[Path]]":
    """Train recipes on the same seeds, and test which of them differ; returns the comparison and the files written.

    Args:
        recipes: two or more, by name or file
        seeds: runs per recipe; else 5
        test: compare on the test set, read once per model
        out: folder; else results/
        data: folder searched for NAME.npz or NAME/ before downloading, or arrays
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        StudyFileError: a file is not a recipe.
        LenetSearchError: as `lenet_search.experiments.reproduce.compare_recipes`.
    """
    from lenet_search.experiments.reproduce import compare_recipes
    from lenet_search.experiments.task import SEEDS, read_tasks

    folder, changes = folder_and_name(data)
    tasks = read_tasks([str(each) for each in recipes], seeds or SEEDS, changes)
    return compare_recipes(
        tasks, results_folder(out), view=shown(view), test=test, data_folder=folder, workers=workers,
        freeze_every=freeze_every, ray=ray,
    )  # fmt: skip


def reproduce(
    recipes: Sequence[str | Path] = (),
    seeds: int | None = None,
    *,
    quick: bool = False,
    out: str | Path | None = None,
    data: str | Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "Reproduction":
    """Train published recipes and compare with the accuracy their authors report.

    Args:
        recipes: names or files; by default all in the package
        seeds: runs per recipe; else 5
        quick: train one epoch on a few images, as a check
        out: folder; else results/
        data: folder searched for NAME.npz or NAME/ before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        StudyFileError: a file is not a recipe.
        LenetSearchError: as `lenet_search.experiments.reproduce.reproduce`.
    """
    from lenet_search.experiments.reproduce import reproduce as reproduce_tasks

    tasks = published(recipes, seeds, quick=quick)
    return reproduce_tasks(
        tasks, results_folder(out, quick=quick), view=shown(view), quick=quick,
        data_folder=None if data is None else Path(data), workers=workers, freeze_every=freeze_every, ray=ray,
    )  # fmt: skip


def published(recipes: Sequence[str | Path] = (), seeds: int | None = None, *, quick: bool = False) -> "list[Task]":
    """The recipes that `reproduce` would train; by default all in the package.

    Raises:
        StudyFileError: a file is not a recipe.
    """
    from lenet_search.experiments.reproduce import read_published

    return read_published([str(each) for each in recipes] or sorted(files.shipped("recipes")), seeds, quick=quick)


def results_folder(out: str | Path | None = None, *, quick: bool = False) -> Path:
    """Where `reproduce` and `compare` keep their results."""
    return Path(out).expanduser() if out is not None else Path("results", "quick") if quick else Path("results")
