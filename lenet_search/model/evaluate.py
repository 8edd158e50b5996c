"""A model on the test set: accuracy with its interval, and the confusion matrix."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search import keras_settings
from lenet_search.data import load_test
from lenet_search.errors import ResultError
from lenet_search.look.intervals import Estimate, share_of


@dataclass(frozen=True)
class Evaluation:
    """The accuracy of a model on test images; `confusion[i, j]` counts those of class i predicted as class j."""

    accuracy: Estimate
    confusion: np.ndarray
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, confusion: np.ndarray, class_names: tuple[str, ...]) -> "Evaluation":
        """From the counts, of one image or more."""
        n = int(confusion.sum())
        return cls(share_of(float(np.trace(confusion) / n), n), confusion, class_names)


def evaluate(
    model_path: Path, name: str | None = None, data_folder: Path | None = None, limit: int | None = None
) -> Evaluation:
    """Measure a Keras model that takes raw pixels from 0 to 255 on the test set of data set `name`.

    Without `name`, the recipe.json next to the model names its data set. With `limit`, only the first images are used,
    for a quick check.

    Raises:
        ResultError: the file is not such a model, or does not fit the images.
        DataError: the data set is missing or damaged.
    """
    model_path = Path(model_path)
    _check_file(model_path)
    if name is None:
        name = _trained_on(model_path)
    model = load_model(model_path)
    images, labels, class_names = load_test(name, data_folder)
    images, labels = images[:limit], labels[:limit]
    _check_fit(model, model_path, name, images, len(class_names))
    predicted = outputs(model, images).argmax(axis=1)
    confusion = np.zeros((len(class_names), len(class_names)), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return Evaluation.of(confusion, class_names)


def load_model(path: Path) -> Any:
    """Load a `.keras` file in Keras's safe mode: a file that contains code is refused, not run.

    Raises:
        ResultError: there is no such file, or it is not a complete and plain Keras model.
    """
    _check_file(path)
    import keras

    import lenet_search.networks.keras_layers  # noqa: F401  # registers our custom layers

    try:
        with keras_settings.defaults():
            return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras passes on whatever its layers, h5py or zipfile raise
        reason = " ".join(str(error).split())
        if "lambda" in reason.lower() or "safe_mode" in reason:
            raise ResultError(
                f"{path}: the model contains Python code (such as a Lambda layer), which is not run for safety; "
                "build the model from Keras's built-in layers"
            ) from error
        raise ResultError(f"{path}: Keras cannot load this model: {reason[:300] or type(error).__name__}") from error


def outputs(model: Any, images: np.ndarray) -> np.ndarray:
    """A model's outputs for images (n, H, W, C), whatever Keras is set to: a row of numbers for each."""
    with keras_settings.defaults():
        return np.asarray(model.predict(images, batch_size=256, verbose=0))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ResultError(f"{path}: expected a .keras file; received a folder")
    if not path.is_file():
        raise ResultError(f"{path}: there is no such file; `lenet-search best --export` writes a model.keras")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ResultError(f"{path}: not a Keras model, or truncated; expected a complete .keras file")


def _trained_on(model_path: Path) -> str:
    beside = model_path.with_name("recipe.json")
    what_to_do = "name the data set with --on NAME, for example --on cifar10"
    try:
        return str(json.loads(beside.read_text(encoding="utf-8"))["values"]["data.name"])
    except FileNotFoundError:
        raise ResultError(f"{model_path}: no recipe.json next to it names its data set; {what_to_do}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{beside}: not a recipe.json written by an export; {what_to_do}") from error


def _check_fit(model: Any, path: Path, name: str, images: np.ndarray, classes: int) -> None:
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.output_shape) != 2:
        raise ResultError(f"{path}: expected a model that takes images and returns one row of numbers per image")
    takes, gives = tuple(model.input_shape[1:]), model.output_shape[1]
    fits = len(takes) == 3 and all(want in (None, have) for want, have in zip(takes, images.shape[1:], strict=True))
    if not fits:
        size = "x".join(str(side) for side in images.shape[1:])
        raise ResultError(
            f"{path}: the model takes images of {'x'.join(str(side) for side in takes)}, but {name} has {size}; "
            "evaluate it on the data set it was trained on"
        )
    if gives != classes:
        raise ResultError(f"{path}: the model has {gives} classes, but {name} has {classes}; expected the same number")
