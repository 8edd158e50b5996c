"""The folder of a trained recipe, with a file and a model for each seed.

    DIR/NAME/recipe.toml    the recipe
    DIR/NAME/recipe.json    its values, and a description of its images; `evaluate` and `predict` read it
    DIR/NAME/seed-1.json    one run: its learning curve, device, seconds, result on the test set
    DIR/NAME/seed-1.keras   its model
    DIR/NAME/seed-2.frozen  a run that is running or was interrupted; removed when the run is over

Files are replaced as a whole. A run is complete once its .json file exists; a command that is run again trains the
others.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from lenet_search.errors import ResultError
from lenet_search.frozen import SlotState, read_frozen, write_frozen
from lenet_search.recipe import Recipe
from lenet_search.run import Run
from lenet_search.study import differences, write_recipe
from lenet_search.study.toml_text import value_text
from lenet_search.untrusted import read_json
from lenet_search.whole import folder_written_whole, replace_text, written_whole

NAMED = 4  # differing values that an error names


class Kept:
    """The folder of one recipe.

    Args:
        folder: DIR/NAME, created when something is written
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def model(self, seed: int) -> Path:
        """The path of a seed's model; a run that diverged has none."""
        return self.folder / f"seed-{seed}.keras"

    def run(self, seed: int) -> Run | None:
        """The run of a seed, or None if it has not been trained to the end.

        Raises:
            ResultError: the file does not describe a run of this folder's recipe, on its images.
        """
        run = self.read(seed)
        whole = run is not None and (run.diverged or is_zipfile(self.model(seed)))
        return run if whole else None  # no model, or one cut short: train again

    def read(self, seed: int) -> Run | None:
        """The run of a seed that has been trained to the end, whether its model is still there or not.

        Raises:
            ResultError: the file does not describe a run of this folder's recipe, on its images.
        """
        path = self.folder / f"seed-{seed}.json"
        if not path.exists():
            return None
        beside, recipe = self._described()
        try:
            raw = read_json(path)
            if "recipe" not in raw:  # of version 0.1.0, which had it in recipe.json alone; all began at clock 0
                raw |= {"recipe": beside["values"], "images": beside["images"], "clock": 0}
                raw["seconds"] /= len(raw["stack"])
            run = Run.from_json(raw)
            problem = _problem(run, seed, recipe, beside["images"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise ResultError(f"{path}: expected the file of a run; remove it to train the run again") from error
        if problem:
            raise ResultError(f"{path}: expected {problem}; remove it to train the run again")
        return run

    def _described(self) -> tuple[dict[str, Any], Recipe]:
        """The content of recipe.json, which has the digest of its images, and its recipe."""
        try:
            content = read_json(self._summary)
            recipe = Recipe.from_values(content["values"])
            content["images"]["digest"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultError(
                f"{self._summary}: expected the description of the recipe whose runs are here; remove {self.folder} "
                "to train them again"
            ) from error
        return content, recipe

    def keep_model(self, seed: int, model: bytes) -> None:
        """Write the model of a seed."""
        with written_whole(self.model(seed)) as scratch:
            scratch.write_bytes(model)

    def keep(self, run: Run) -> None:
        """Write a run's file, once its model is written, and remove its frozen state."""
        _write_json(self.folder / f"seed-{run.seed}.json", run.to_json())
        self.forget(run.seed)

    def forget(self, seed: int) -> None:
        """Remove what is frozen of a run that is over."""
        self._frozen(seed).unlink(missing_ok=True)

    def freeze(self, run: Run, state: SlotState | None) -> None:
        """Write the state of a run that is not over."""
        assert state is not None
        write_frozen(self._frozen(run.seed), run, state)

    def frozen(self, seed: int) -> tuple[Run, SlotState] | None:
        """A run that is not over and its last frozen state, or None if there is none.

        Raises:
            ResultError: the file is damaged.
        """
        return read_frozen(self._frozen(seed))

    @property
    def precision(self) -> str | None:
        """The precision that "auto" means for the runs of this folder; None if not settled yet."""
        precision = self._read_summary().get("precision")
        return None if precision is None else str(precision)

    def settle(self, precision: str) -> None:
        """Store the precision that "auto" means for the runs of this folder."""
        _write_json(self._summary, {**self._read_summary(), "precision": precision})

    def clear(self) -> None:
        """Remove all runs, and the recipe with them."""
        for path in (*self.folder.glob("seed-*"), self._summary):
            path.unlink(missing_ok=True)

    @property
    def data_folder(self) -> str | None:
        """The folder in which the file of the data set was when this folder was created."""
        folder = self._read_summary().get("data_folder")
        return None if folder is None else str(folder)

    def begin(self, recipe: Recipe, images: Mapping[str, Any], header: str, data_folder: Path | None = None) -> None:
        """Check that the folder belongs to this recipe and these images (`data.Split.describe()`), or create it.

        Args:
            recipe: the recipe, with `header` as the comment of its file
            images: the description of its images
            header: text of the leading comment
            data_folder: where the file of the images is

        Raises:
            ResultError: the folder contains another recipe or results on other images, or cannot be created.
        """
        path = self._summary
        try:
            before = read_json(path)
            stored, digest = before["values"], before["images"]["digest"]
            if not isinstance(stored, dict):
                raise TypeError("values: expected a table")
        except FileNotFoundError:
            self._make(recipe, images, header, data_folder)
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _no_recipe(path) from error
        changed = _changed(stored, recipe.values())
        what_to_do = "remove that folder, or write to another one"
        if changed:
            raise ResultError(
                f"{self.folder} contains results of another recipe of this name ({changed}); {what_to_do}"
            )
        if digest != images["digest"]:
            raise ResultError(
                f"{self.folder} contains results on other images of {images['name']} (digest {digest}, now "
                f"{images['digest']}), which cannot be compared with these; {what_to_do}"
            )

    def _make(self, recipe: Recipe, images: Mapping[str, Any], header: str, data_folder: Path | None) -> None:
        folder = {} if data_folder is None else {"data_folder": str(data_folder)}
        try:
            with folder_written_whole(self.folder) as scratch:
                (scratch / "recipe.toml").write_text(write_recipe(recipe, header), encoding="utf-8")
                _write_json(scratch / "recipe.json", {"values": recipe.values(), "images": dict(images), **folder})
        except OSError as error:
            raise ResultError(f"{self.folder}: cannot create the results folder: {error.strerror}") from error

    @property
    def _summary(self) -> Path:
        return self.folder / "recipe.json"

    def _read_summary(self) -> dict[str, Any]:
        try:
            return read_json(self._summary)
        except (OSError, ValueError) as error:
            raise _no_recipe(self._summary) from error

    def _frozen(self, seed: int) -> Path:
        return self.folder / f"seed-{seed}.frozen"


def _problem(run: Run, seed: int, recipe: Recipe, images: Mapping[str, Any]) -> str:
    """What was expected of the run of a seed, if it is none of this recipe and these images; "" if it is."""
    if run.seed != seed:
        return f"the run of seed {seed}; this is of seed {run.seed}"
    if not run.is_of(recipe, seed):
        now = recipe.settled(run.recipe.train.precision)
        return f"a run of this recipe; this is of another ({_changed(run.recipe.values(), now.values())})"
    if run.images.get("digest") != images["digest"]:
        return f"a run on the images of this folder; this is on others (digest {run.images.get('digest')})"
    if not run.over or not 1 <= run.epochs <= recipe.train.epochs:
        return f"a run of {recipe.train.epochs} epochs; this has {run.epochs}"
    return ""


def _no_recipe(path: Path) -> ResultError:
    return ResultError(f"{path}: expected a trained recipe; remove its folder, or write to another one")


def _changed(stored: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """In what the values of a recipe differ from those stored: the first few; "" if in nothing."""

    def texts(values: Mapping[str, Any]) -> dict[str, str]:
        return {path: value_text(value) for path, value in values.items()}

    found = differences(texts(stored), texts(now))
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return "; ".join(found[:NAMED]) + more


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    replace_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")
