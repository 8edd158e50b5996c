"""Published recipes, trained again and compared with the accuracy that their authors report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lenet_search.crew import FREEZE_EVERY
from lenet_search.errors import ResultError
from lenet_search.experiments.compare import Comparison, check_comparable, compare, shared_name
from lenet_search.experiments.finish import finish
from lenet_search.experiments.result import Result
from lenet_search.experiments.tables import row, write_tables
from lenet_search.experiments.task import SEEDS, Task, read_tasks
from lenet_search.look.progress import View
from lenet_search.storage.kept import Kept

FOLDER = Path("results")
# One epoch on a few images, and a few test images: checks that everything works; the figures mean nothing.
QUICK = ("train.epochs=1", "data.limit=2000", "data.validation=500")
QUICK_TEST = 500


@dataclass(frozen=True)
class Reproduction:
    """The results, recipe by recipe, and the files written."""

    results: tuple[Result, ...]
    folder: Path
    files: tuple[Path, ...]


def read_published(names: Sequence[str], seeds: int | None, *, quick: bool) -> list[Task]:
    """The recipes of these names or files; with `quick`, without their reported accuracy.

    Raises:
        StudyFileError: with every problem of every file.
    """
    tasks = read_tasks(names, seeds or (1 if quick else SEEDS), QUICK if quick else ())
    if not quick:
        return tasks
    return [replace(task, quick=True, claim=task.claim and replace(task.claim, test_accuracy=None)) for task in tasks]


def reproduce(
    tasks: Sequence[Task],
    folder: Path,
    *,
    view: View,
    quick: bool = False,
    data_folder: Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    on_result: Callable[[Result], None] = lambda result: None,
) -> Reproduction:
    """Train the missing runs, and read the test set once per model.

    Tables are written after each recipe, and a page of plots at the end, even after an error or a signal.

    Raises:
        LenetSearchError: as `finish`.
    """
    from lenet_search.experiments.pages import write_page  # plotly takes a second to import

    done: dict[str, Result] = {}
    written: list[Path] = []

    def in_order() -> list[Result]:
        return [done[task.name] for task in tasks if task.name in done]

    def keep(result: Result) -> None:
        done[result.name] = result
        cells = row(result)
        view.note(f"{cells[0]}: {cells[3]}" + (f"; reported {cells[2]}: {cells[5]}" if cells[5] else ""))
        written[:] = write_tables(in_order(), folder)
        on_result(result)

    kept = {task.name: Kept(folder / task.name) for task in tasks}
    name = f"{len(tasks)} recipe{'' if len(tasks) == 1 else 's'}"
    try:
        finish(
            tasks, kept, name=name, test=True, view=view, data_folder=data_folder, workers=workers,
            test_limit=QUICK_TEST if quick else None, freeze_every=freeze_every, ray=ray, on_result=keep,
        )  # fmt: skip
    finally:  # finished results are shown even after a signal or a worker's death
        page = [write_page(in_order(), folder)] if done else []
    return Reproduction(tuple(in_order()), folder, (*written, *page))


def compare_recipes(
    tasks: Sequence[Task],
    folder: Path,
    *,
    view: View,
    test: bool = False,
    data_folder: Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
) -> tuple[Comparison, list[Path]]:
    """Train recipes on the same seeds and compare them; returns the comparison and the files written.

    Raises:
        LenetSearchError: as `finish`; ResultError also for recipes that cannot be compared.
    """
    from lenet_search.experiments.pages import write_comparison

    check_comparable(tasks)
    if not test and not tasks[0].recipe.data.validation:  # comparable recipes have the same split
        raise ResultError(
            "data.validation: recipes are compared on validation images, and these have 0; compare them on the test "
            "set (--test)"
        )
    kept = {task.name: Kept(folder / task.name) for task in tasks}
    results = finish(
        tasks, kept, name=shared_name(tasks), test=test, view=view, data_folder=data_folder, workers=workers,
        freeze_every=freeze_every, ray=ray,
    )  # fmt: skip
    comparison = compare(shared_name(tasks), results, "test_accuracy" if test else "val_accuracy")
    return comparison, write_comparison(comparison, folder)
