"""A model on the test set: accuracy with its interval, and the confusion matrix."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search import keras_settings
from lenet_search.data import load_test
from lenet_search.errors import ResultError
from lenet_search.look.intervals import Estimate, share_of
from lenet_search.model.promises import check_promises
from lenet_search.model.trained_on import TrainedOn, trained_on
from lenet_search.untrusted import Damaged


@dataclass(frozen=True)
class Evaluation:
    """The accuracy of a model on test images; `confusion[i, j]` counts those of class i predicted as class j.

    measured_on  name of the data set
    trained_on   name of the data set that the model was trained on, if it is known
    same_images  whether the model was trained on the training images of the data set that it was measured on; None if
                 that is not known
    unclassified  number of images of each class that got no class, being blank; empty: none did
    """

    accuracy: Estimate
    confusion: np.ndarray
    class_names: tuple[str, ...]
    measured_on: str | None = None
    trained_on: str | None = None
    same_images: bool | None = None
    unclassified: tuple[int, ...] = ()

    @classmethod
    def of(cls, confusion: np.ndarray, class_names: tuple[str, ...]) -> "Evaluation":
        """From the counts, of one image or more."""
        n = int(confusion.sum())
        return cls(share_of(float(np.trace(confusion) / n), n), confusion, class_names)

    @property
    def remark(self) -> str:
        """A word for people if the model was not, or perhaps not, trained on these images; else empty."""
        if self.measured_on is None or self.same_images:
            return ""
        if self.same_images is None:
            return f"No recipe.json says which images the model was trained on; measured on {self.measured_on}."
        if self.measured_on == self.trained_on:
            return f"The model was trained on other images of {self.trained_on} than these."
        return f"The model was trained on {self.trained_on}, and measured on {self.measured_on}."


def evaluate(
    model_path: Path,
    name: str | None = None,
    data_folder: Path | None = None,
    limit: int | None = None,
    size: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Measure a Keras model that takes raw pixels from 0 to 255 on the test set of data set `name`.

    Without `name`, the recipe.json next to the model names its data set, whose training images must be those that the
    model was trained on. With `limit`, only the first images are used, for a quick check. `size` is the `data.size`
    that it was trained with, by default that of the recipe.json. `tell` hears of the progress if reading the images
    takes long.

    Raises:
        ResultError: the file is not such a model, does not fit the images, or was trained on others.
        DataError: the data set is missing or damaged.
    """
    model_path = Path(model_path)
    _check_file(model_path)
    beside = _trained_on(model_path, needed=name is None)
    wanted = name
    if name is None:
        assert beside is not None
        name = beside.images.name
    if beside is not None:
        data_folder = beside.data_folder(name, data_folder)
    model = load_model(model_path)
    if size is None:
        size = 0 if beside is None else beside.images.size
    images, labels, class_names = load_test(name, data_folder, size, tell)
    differs = None if beside is None else beside.differs(name, data_folder)
    if differs and wanted is None:
        raise ResultError(
            f"{model_path} was not trained on the training images of {name} found here ({differs}); find the others "
            f"with --data, or add --on {name} to measure it on these anyway"
        )
    images, labels = images[:limit], labels[:limit]
    _check_fit(model, model_path, name, images, len(class_names))
    predicted = outputs(model, images, model_path).argmax(axis=1)
    confusion = np.zeros((len(class_names), len(class_names)), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return replace(
        Evaluation.of(confusion, class_names),
        measured_on=name,
        trained_on=None if beside is None else beside.images.name,
        same_images=None if differs is None else not differs,
    )


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
            check_promises(path)
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Damaged as error:
        raise ResultError(f"{path}: not a model that can be loaded: {error}") from error
    except Exception as error:  # Keras passes on whatever its layers, h5py or zipfile raise
        reason = _reason(error)
        if "lambda" in reason.lower() or "safe_mode" in reason:
            raise ResultError(
                f"{path}: the model contains Python code (such as a Lambda layer), which is not run for safety; "
                "build the model from Keras's built-in layers"
            ) from error
        raise ResultError(f"{path}: Keras cannot load this model: {reason}") from error
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):  # Keras raises where it is not built
        raise ResultError(
            f"{path}: the model does not say what it takes: expected one with an input layer; received a "
            f"{type(model).__name__} that was never built; call it on an image before saving it"
        )
    broken = [each.path for each in model.weights if not np.isfinite(keras.ops.convert_to_numpy(each)).all()]
    if broken:
        raise ResultError(f"{path}: weights of this model are not finite: {', '.join(broken)}; train it again")
    return model


def _reason(error: Exception) -> str:
    """What Keras says, on one line and without its colors."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())[:300] or type(error).__name__


def outputs(model: Any, images: np.ndarray, path: Path) -> np.ndarray:
    """A model's outputs for images (n, H, W, C), whatever Keras is set to: a row of numbers for each.

    Raises:
        ResultError: the model, from the file `path`, can be loaded but not computed.
    """
    with keras_settings.defaults():
        try:
            return np.asarray(model.predict(images, batch_size=256, verbose=0))
        except Exception as error:  # of Keras and its backend, for names and shapes that only fail here
            raise ResultError(f"{path}: Keras cannot compute this model: {_reason(error)}") from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ResultError(f"{path}: expected a .keras file; received a folder")
    if not path.is_file():
        raise ResultError(f"{path}: there is no such file; `lenet-search best --export` writes a model.keras")
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise ResultError(f"{path}: not a Keras model, or truncated; expected a complete .keras file")


def _trained_on(model_path: Path, *, needed: bool) -> TrainedOn | None:
    """What is known of the images of a model; unless that is `needed`, it may be anything."""
    what_to_do = "name the data set with --on NAME, for example --on cifar10"
    try:
        beside = trained_on(model_path)
    except ResultError as error:
        if needed:
            raise ResultError(f"{error}; {what_to_do}") from error
        return None
    if beside is None and needed:
        raise ResultError(f"{model_path}: no recipe.json next to it names its data set; {what_to_do}")
    return beside


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
