"""A .keras file as a classifier of images, with what is known about the images that it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.data import DATASETS, class_names
from lenet_search.data.frame import Frame
from lenet_search.errors import ResultError
from lenet_search.model.evaluate import load_model, outputs
from lenet_search.model.prepare import Form
from lenet_search.untrusted import read_json

# Mean pixel of the training images, from 0 to 1. Below DARK they are light on a dark background (MNIST 0.13,
# Fashion-MNIST 0.29), above LIGHT dark on a light one. Photographs (CIFAR-10 0.47) have no uniform background and are
# never inverted.
DARK, LIGHT = 0.4, 0.6
LARGEST = 2**22  # numbers of an image that a model takes: 1182x1182 in color


@dataclass
class Predictor:
    """A model, the names of its classes, the form of its training images, and remarks about what is not known."""

    model: Any
    names: tuple[str, ...]
    form: Form
    remarks: list[str] = field(default_factory=list)
    path: Path = Path("model.keras")  # of its file, for messages

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (n, classes) of images (n, H, W, C)."""
        found: np.ndarray = outputs(self.model, images, self.path).astype(np.float64)
        if np.all(found >= 0) and np.allclose(found.sum(axis=1), 1.0, atol=1e-3):
            return found
        # logits, from a model trained elsewhere
        raised: np.ndarray = np.exp(found - found.max(axis=1, keepdims=True))
        shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
        return shares


def open_model(path: Path, on: str | None = None) -> Predictor:
    """Load a model. The recipe.json next to it provides the class names and the form of the training images.

    `on` names the data set if there is no recipe.json.

    Raises:
        ResultError: the file is not a model that takes an image and returns a row of numbers.
    """
    path = Path(path)
    model = load_model(path)
    one = len(model.inputs) == 1 and len(model.outputs) == 1 and len(model.output_shape) == 2
    if not one or len(model.input_shape) != 4 or None in model.input_shape[1:] or model.input_shape[3] not in (1, 3):
        raise ResultError(
            f"{path}: expected a model that takes images (height, width, 1 or 3) and returns one row of numbers"
        )
    height, width, channels = (int(side) for side in model.input_shape[1:])
    classes = int(model.output_shape[1])
    if height * width * channels > LARGEST:
        raise ResultError(
            f"{path}: the model takes images of {height}x{width}x{channels}, more than {LARGEST:,} numbers"
        )
    images = _images_beside(path)
    if on is None and images is not None and len(images["class_names"]) == classes:
        names = tuple(map(str, images["class_names"]))
        form = Form(height, width, channels, _background(images["mean"]), images["frame"], images["whole"])
        return Predictor(model, names, form, path=path)
    form = Form(height, width, channels, "dark" if channels == 1 else "")
    if on is not None:
        return Predictor(model, class_names(on, classes), form._replace(frame=_frame(on)), path=path)
    remark = f"There is no recipe.json next to {path}: classes are numbered"
    if channels == 1:
        remark += "; it expects light on dark images (if not, pass --no-invert). If it was trained on MNIST, "
        remark += "pass --on mnist, and drawings are centered as MNIST's digits"
    return Predictor(model, tuple(map(str, range(classes))), form, [remark], path)


def _images_beside(path: Path) -> dict[str, Any] | None:
    try:
        images = read_json(path.with_name("recipe.json"))["images"]
        source = images.get("source") or {}
        return {
            "class_names": list(images["class_names"]),
            "mean": [float(value) for value in images["mean"]],
            "frame": Frame.from_json(images["frame"]) if "frame" in images else _frame(images.get("name")),
            "whole": source.get("format") == "folder" or bool(source.get("size")),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _frame(name: Any) -> Frame | None:
    """The frame of a data set by its name; for models of versions that did not measure it."""
    return DATASETS[name].frame if name in DATASETS else None


def _background(mean: Sequence[float]) -> str:
    if len(mean) != 1:
        return ""
    return "dark" if mean[0] < DARK else "light" if mean[0] > LIGHT else ""
