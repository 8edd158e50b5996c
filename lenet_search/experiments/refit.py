"""Trains a chosen recipe once more, on training and validation images together."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lenet_search.crew import FREEZE_EVERY
from lenet_search.errors import ResultError
from lenet_search.experiments.confirm import FIRST_SEED, MOST_SEEDS
from lenet_search.experiments.finish import finish
from lenet_search.experiments.task import Task
from lenet_search.look.progress import View
from lenet_search.recipe import Recipe
from lenet_search.storage.kept import Kept

SEED = FIRST_SEED + 2 * MOST_SEEDS  # none that a race or an ablation uses


@dataclass(frozen=True)
class Refit:
    """A model trained on `images` training and validation images for `epochs`, from `seed`. No figure goes with it."""

    model: Path
    seed: int
    images: int
    epochs: int

    def to_json(self) -> dict[str, Any]:
        """All of it, under its fields' names."""
        return asdict(self) | {"model": str(self.model)}


def refit(
    recipe: Recipe,
    folder: Path,
    *,
    study: str,
    view: View,
    data_folder: Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
) -> Refit:
    """Train `recipe` on all images that the search saw, unless that is done already.

    Args:
        recipe: what to train; its settings for validation images are ignored
        folder: folder for the run and its model
        study: name of the study, for people
        view: where progress is shown; closed at the end
        data_folder: folder searched for NAME.npz or NAME/ before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of the run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains

    Raises:
        ResultError: it diverged, or the folder contains other results.
        Interrupted: by a signal; call again to resume.
        LenetSearchError: as `finish`.
    """
    whole = replace(recipe, data=replace(recipe.data, validation=0))
    task = Task("refit", f"{study}, on training and validation images together", whole, None, (SEED,))
    kept = Kept(folder)
    (result,) = finish(
        [task], {task.name: kept}, name=f"{study}, refit", test=False, view=view, metric="train_accuracy",
        data_folder=data_folder, workers=workers, freeze_every=freeze_every, ray=ray,
    )  # fmt: skip
    if result.diverged:
        raise ResultError(
            f"the recipe diverged on training and validation images together (seed {SEED}); export without --refit"
        )
    return Refit(kept.model(SEED), SEED, int(result.images["train"]), whole.train.epochs)
