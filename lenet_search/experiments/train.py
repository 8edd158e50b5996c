"""Training one recipe from several initial weights: how good is it, and how much of that is luck?"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from lenet_search.crew import FREEZE_EVERY
from lenet_search.errors import ResultError
from lenet_search.experiments.finish import finish
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.look.progress import View
from lenet_search.run import curves_csv
from lenet_search.storage.kept import Kept
from lenet_search.study import METRICS, write_recipe
from lenet_search.whole import folder_written_whole


@dataclass(frozen=True)
class Training:
    """The result of a recipe on its seeds. `seconds` is the time of this command; `files` are those it wrote."""

    result: Result
    seconds: float
    files: tuple[Path, ...] = ()

    @property
    def model_seed(self) -> int | None:
        """The seed of model.keras: the first that did not diverge. Choosing the best would flatter the recipe."""
        return next((run.seed for run in self.result.runs if not run.diverged), None)

    def summary(self) -> dict[str, Any]:
        """The training as JSON, without curves and models."""
        result = self.result
        seeds = [
            {"seed": run.seed, "clocks": run.clocks, "diverged": run.diverged}
            | {metric: result.values(metric).get(run.seed) for metric in METRICS}
            for run in result.runs
        ]
        return {
            "quick": result.quick.why or None,
            "values": result.task.recipe.values(),
            "metrics": {metric: result.mean(metric).to_json() for metric in METRICS},
            "seeds": seeds,
            "model_seed": self.model_seed,
            "images": dict(result.images),
            "device": next((run.device for run in result.runs), None),
            "seconds": round(self.seconds, 3),
        }


def train(
    task: Task,
    folder: Path,
    *,
    view: View,
    title: str = "",
    metric: str = "val_accuracy",
    data_folder: Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    restart: bool = False,
) -> Training:
    """Train a recipe from the initial weights of all its seeds, side by side; only runs missing from the folder.

    All runs see the same images in the same order with the same random draws. They differ only in their initial
    weights.

    Args:
        task: recipe and seeds
        folder: folder for recipe, runs, curves and models
        view: where progress is shown
        title: title of the plots; else the task's name
        metric: the metric to show during training
        data_folder: folder searched for NAME.npz or NAME/ before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        restart: discard the runs in the folder, even another recipe's, and train all again

    Raises:
        DataError: the images are missing or damaged.
        ResultError: the folder contains another recipe, or cannot be created.
        Interrupted: by a signal; call again to resume.
        RunError: workers keep dying, or a run cannot be trained here.
    """
    started = monotonic()
    kept = Kept(folder)
    if restart:
        kept.clear()
    (result,) = finish(
        [task], {task.name: kept}, name=task.name, test=False, view=view, metric=metric, data_folder=data_folder,
        workers=workers, freeze_every=freeze_every, ray=ray,
    )  # fmt: skip
    training = Training(result, monotonic() - started)
    return Training(result, training.seconds, tuple(_write(training, kept, title or task.name)))


def _write(training: Training, kept: Kept, title: str) -> list[Path]:
    """Write recipe.toml, recipe.json, curves.csv, curves.html and, unless all runs diverged, model.keras.

    recipe.json also contains the results, and tells `evaluate` which data set the model was trained on.
    """
    from lenet_search.experiments.pages import training_page  # plotly takes a second to import

    folder, result = kept.folder, training.result
    settled = {"precision": kept.precision, "data_folder": kept.data_folder}
    settled = {name: value for name, value in settled.items() if value is not None}
    texts = {
        "recipe.toml": write_recipe(result.task.recipe, header=title),
        "recipe.json": json.dumps(training.summary() | settled, indent=2, allow_nan=False) + "\n",
        "curves.csv": curves_csv("seed", ((run.seed, run.curve) for run in result.runs)),
        "curves.html": training_page(result, title),
    }
    names = list(texts)
    try:
        with folder_written_whole(folder) as scratch:
            for name, text in texts.items():
                (scratch / name).write_text(text, encoding="utf-8")
            if training.model_seed is not None:
                shutil.copyfile(kept.model(training.model_seed), scratch / "model.keras")
                names.append("model.keras")
    except OSError as error:
        raise ResultError(f"{folder}: cannot write the results: {error.strerror}") from error
    if training.model_seed is None:
        (folder / "model.keras").unlink(missing_ok=True)  # a model of an earlier training would pass for one of this
    return [folder / name for name in names]
