"""What is kept of recipes that were trained: a folder for each, in it a file and a model for each seed.

    DIR/NAME/recipe.toml    the recipe
    DIR/NAME/recipe.json    its values and what its images are; `evaluate` and `predict` read it
    DIR/NAME/seed-1.json    the course of one run: curves, device, seconds, result on the test set
    DIR/NAME/seed-1.keras   its model

Each file is replaced whole, and a run is there when its .json is: a command that was stopped goes on from there.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lenet_search.errors import ResultError
from lenet_search.machine import replace_text
from lenet_search.recipe import Recipe
from lenet_search.study import differences, write_recipe
from lenet_search.study.toml_text import value_text


@dataclass(frozen=True)
class Run:
    """One training run, and what its model makes of the test set, where that was read.

    `seconds` is the time of its whole stack, in which the seeds of `stack` were trained side by side, loading and
    compiling included. `right` of `n` test images were recognized.
    """

    seed: int
    diverged: bool
    curve: dict[str, list[float]]
    stack: list[int]
    seconds: float
    device: str
    versions: dict[str, str]
    right: int | None = None
    n: int | None = None

    @property
    def test_accuracy(self) -> float | None:
        """Share of the test images; None where they were not read."""
        return None if self.right is None or not self.n else self.right / self.n


class Kept:
    """The folder of one recipe.

    Args:
        folder: DIR/NAME, made when something is written
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def model(self, seed: int) -> Path:
        """Where the model of a seed lies; a run that diverged has none."""
        return self.folder / f"seed-{seed}.keras"

    def run(self, seed: int) -> Run | None:
        """What is kept of a seed, None where it has not been trained to the end."""
        path = self._file(seed)
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            raw["curve"] = {
                name: [math.nan if v is None else v for v in values] for name, values in raw["curve"].items()
            }
            run = Run(**raw)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultError(f"{path}: not the file of a run that was kept; remove it to train anew") from error
        return run if run.diverged or self.model(seed).is_file() else None

    def keep(self, run: Run) -> None:
        """Write a run's file; its model lies there already."""
        curve = {
            name: [value if math.isfinite(value) else None for value in values] for name, values in run.curve.items()
        }
        _write_json(self._file(run.seed), asdict(run) | {"curve": curve})

    def begin(self, recipe: Recipe, images: Mapping[str, Any], header: str) -> None:
        """See that the folder is this recipe's, and on these images (`data.Split.describe()`); a new one is made so.

        Raises:
            ResultError: the folder holds another recipe, or was trained on other images, or cannot be made.
        """
        path = self.folder / "recipe.json"
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            stored, digest = dict(before["values"]), before["images"]["digest"]
        except FileNotFoundError:
            self._make(recipe, images, header)
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultError(f"{path}: not a recipe that was kept; name another folder with --out") from error
        changed = differences(_texts(stored), _texts(recipe.values()))
        what_to_do = "name another folder with --out, or remove this one"
        if changed:
            raise ResultError(
                f"{self.folder} holds results of another recipe of this name ({'; '.join(changed)}); {what_to_do}"
            )
        if digest != images["digest"]:
            raise ResultError(
                f"{self.folder} holds results on other images of {images['name']} (digest {digest}, now "
                f"{images['digest']}): figures of the two cannot stand together; {what_to_do}"
            )

    def _make(self, recipe: Recipe, images: Mapping[str, Any], header: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultError(f"{self.folder}: cannot be made a folder for the results: {error.strerror}") from error
        (self.folder / "recipe.toml").write_text(write_recipe(recipe, header), encoding="utf-8")
        _write_json(self.folder / "recipe.json", {"values": recipe.values(), "images": dict(images)})

    def _file(self, seed: int) -> Path:
        return self.folder / f"seed-{seed}.json"


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {path: value_text(value) for path, value in values.items()}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    replace_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")
