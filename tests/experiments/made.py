"""Results as training leaves them behind, made up rather than trained."""

import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.study import Claim

IMAGES: dict[str, Any] = {
    "name": "digits", "digest": "0" * 16, "image_shape": [32, 32, 1], "pad": 0, "classes": 10,
    "class_names": list("0123456789"), "mean": [0.3], "std": [0.4], "train": 1000, "validation": 200,
}  # fmt: skip
RECIPE = Recipe.from_values({"data.name": "digits", "train.epochs": 2})


def run(seed: int, val: float, right: int | None = None, *, diverged: bool = False) -> Run:
    """A run of two epochs that ends at `val`, and gets `right` of 1,000 test images."""
    return Run(
        RECIPE, seed, IMAGES, [(0, 2)], Curve.constant([val / 2, val]), diverged, "CPU (1 thread)", {"keras": "3"},
        12.5, right, None if right is None else 1000,
    )  # fmt: skip


def task(name: str = "mine", claim: Claim | None = None, seeds: tuple[int, ...] = (1, 2, 3)) -> Task:
    """A task on made-up images."""
    return Task(name, f"What {name} is.", RECIPE, claim, seeds)


def result(name: str, rights: tuple[int, ...], claim: Claim | None = None) -> Result:
    """A result with one run for each number of test images that are right; validation says the same."""
    runs = tuple(run(seed, right / 1000, right) for seed, right in enumerate(rights, 1))
    return Result(task(name, claim, tuple(range(1, len(rights) + 1))), runs, IMAGES, 61706)


def unvalidated(name: str) -> Result:
    """A result of two runs that had no validation images."""
    made = result(name, (900, 920))
    nothing = [math.nan] * 2
    runs = tuple(
        replace(each, curve=replace(each.curve, val_loss=nothing, val_accuracy=nothing, val_balanced_accuracy=nothing))
        for each in made.runs
    )
    return replace(made, runs=runs, images=IMAGES | {"validation": 0, "train": 1200})


def folder_of(path: Path) -> list[str]:
    """The names of all files below a folder."""
    return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())


def a_zip() -> bytes:
    """Stands for a model: a .keras file is a zip file."""
    made = io.BytesIO()
    with ZipFile(made, "w") as archive:
        archive.writestr("config.json", "{}")
    return made.getvalue()
