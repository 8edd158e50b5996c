"""Classify arbitrary images: read them, convert them to the format of the training images, and predict."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from lenet_search.data import class_names
from lenet_search.data.class_folders import class_folders, image_files
from lenet_search.data.decode import ImageError, decode
from lenet_search.errors import ResultError
from lenet_search.model.evaluate import Evaluation, load_model, outputs

# Mean pixel of the training images, from 0 to 1. Below DARK they are light on a dark background (MNIST 0.13,
# Fashion-MNIST 0.29), above LIGHT dark on a light one. Photographs (CIFAR-10 0.47) have no uniform background and are
# never inverted.
DARK, LIGHT = 0.4, 0.6


@dataclass(frozen=True)
class Guess:
    """The most probable classes of one image, most probable first, and the changes made to the image."""

    path: Path
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    changes: tuple[str, ...]


@dataclass
class Predictor:
    """A model, and what is known about its training images.

    `background` is "dark", "light", or "" if it is unknown or not uniform.
    """

    model: Any
    names: tuple[str, ...]
    background: str
    remarks: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the model's input."""
        height, width, channels = self.model.input_shape[1:]
        return int(height), int(width), int(channels)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (n, classes) of images (n, H, W, C)."""
        found: np.ndarray = outputs(self.model, images).astype(np.float64)
        if np.all(found >= 0) and np.allclose(found.sum(axis=1), 1.0, atol=1e-3):
            return found
        # logits, from a model trained elsewhere
        raised: np.ndarray = np.exp(found - found.max(axis=1, keepdims=True))
        shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
        return shares


def open_model(path: Path, on: str | None = None) -> Predictor:
    """Load a model. The recipe.json next to it provides the class names and the appearance of the training images.

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
    classes, remarks = int(model.output_shape[1]), []
    images = _images_beside(path)
    if on is not None:
        names = class_names(on, classes)
        background = "dark" if model.input_shape[3] == 1 else ""
    elif images is not None and len(images["class_names"]) == classes:
        names = tuple(map(str, images["class_names"]))
        background = _background(images["mean"])
    else:
        names = tuple(map(str, range(classes)))
        background = "dark" if model.input_shape[3] == 1 else ""
        remarks.append(
            f"There is no recipe.json next to {path}: classes are numbered"
            + ("; it expects light on dark images (if not, pass --no-invert)" if background else "")
        )
    return Predictor(model, names, background, remarks)


def _images_beside(path: Path) -> dict[str, Any] | None:
    try:
        images = json.loads(path.with_name("recipe.json").read_text(encoding="utf-8"))["images"]
        return {"class_names": list(images["class_names"]), "mean": [float(value) for value in images["mean"]]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _background(mean: Sequence[float]) -> str:
    if len(mean) != 1:
        return ""
    return "dark" if mean[0] < DARK else "light" if mean[0] > LIGHT else ""


def prepare(path: Path, predictor: Predictor, invert: bool | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """An image in the model's format, (H, W, C) from 0 to 255, and a description of each change.

    Color becomes gray if the model has one channel. A drawing of another shape is padded with its own background, a
    photograph is cropped. If the background is light and that of the training images dark, or the reverse, the image is
    inverted and its background made uniform. `invert` overrides this for all images: always, or never.

    Raises:
        ImageError: the file is not a readable image.
    """
    height, width, channels = predictor.shape
    image, changes = decode(path), []
    if channels == 1:
        if image.getbands() != ("L",):
            colors = np.asarray(image, np.int16)
            if np.any(colors.max(axis=2) - colors.min(axis=2) > 8):
                changes.append("converted to gray")
            image = image.convert("L")
        background = _border(np.asarray(image))
        light = background > 127.5
        other = (predictor.background == "dark" and light) or (predictor.background == "light" and not light)
        if other if invert is None else invert:
            image = _inverted(image)
            changes.append(
                "inverted, " + ("dark on light to light on dark" if light else "light on dark to dark on light")
            )
    else:
        image = image.convert("RGB")
    if image.size != (width, height):
        changes.append(f"{image.width}x{image.height} to {width}x{height}")
        if channels == 1 and predictor.background:
            fill = round(_border(np.asarray(image)))
            image = ImageOps.pad(image, (width, height), Image.Resampling.LANCZOS, color=fill)
        else:
            image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(image, np.float32).reshape(height, width, channels), tuple(changes)


def _border(pixels: np.ndarray) -> float:
    """The median of the outermost pixels (H, W): the background of a drawing."""
    return float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _inverted(image: Image.Image) -> Image.Image:
    """The inverted image, with its contrast stretched until the background is black or white."""
    pixels = 255.0 - np.asarray(image, np.float64)
    background = _border(pixels)
    if background <= 127.5:
        pixels = (pixels - background) * 255.0 / max(pixels.max() - background, 1.0)
    else:
        pixels = 255.0 - (background - pixels) * 255.0 / max(background - pixels.min(), 1.0)
    return Image.fromarray(np.uint8(np.clip(np.rint(pixels), 0, 255)))


def predict(
    paths: Sequence[Path], predictor: Predictor, invert: bool | None = None, top: int = 3
) -> tuple[list[Guess], list[str]]:
    """Classify images. Returns the guesses for the readable images, and one message for each of the others."""
    found, problems = _prepared(paths, predictor, invert)
    if not found:
        return [], problems
    every = predictor.classify(np.stack([pixels for _, pixels, _ in found]))
    guesses = []
    for (path, _, changes), probabilities in zip(found, every, strict=True):
        best = np.argsort(-probabilities, kind="stable")[:top]
        names = tuple(predictor.names[place] for place in best)
        guesses.append(Guess(path, names, tuple(float(probabilities[place]) for place in best), changes))
    return guesses, problems


def _prepared(
    paths: Sequence[Path], predictor: Predictor, invert: bool | None
) -> tuple[list[tuple[Path, np.ndarray, tuple[str, ...]]], list[str]]:
    found, problems = [], []
    for path in paths:
        try:
            found.append((path, *prepare(path, predictor, invert)))
        except ImageError as error:
            problems.append(str(error))
    return found, problems


def classes_in(folder: Path) -> list[Path]:
    """The subfolders that contain images, one per class, in natural order; hidden and system folders are none."""
    return [path for path in class_folders(folder) if image_files(path)]


@dataclass(frozen=True)
class Measured:
    """The result on a folder of classes, the number of inverted images, and messages about unreadable files."""

    evaluation: Evaluation
    inverted: int
    problems: tuple[str, ...]


def measure(folder: Path, predictor: Predictor, invert: bool | None = None) -> Measured:
    """Accuracy on a folder with one subfolder per class, named after the class or its number.

    Raises:
        ResultError: a subfolder is not named after a class, or no image is readable.
    """
    labels = {path: _label(path, predictor.names) for path in classes_in(folder)}
    confusion = np.zeros((len(predictor.names), len(predictor.names)), np.int64)
    inverted, problems = 0, []
    for path, label in labels.items():
        found, unread = _prepared(image_files(path), predictor, invert)
        problems += unread
        inverted += sum(any(change.startswith("inverted") for change in changes) for _, _, changes in found)
        if found:
            guesses = predictor.classify(np.stack([pixels for _, pixels, _ in found])).argmax(axis=1)
            np.add.at(confusion, (label, guesses), 1)
    if not confusion.any():
        raise ResultError("\n".join([*problems, f"{folder}: contains no readable image"]))
    return Measured(Evaluation.of(confusion, predictor.names), inverted, tuple(problems))


def _label(path: Path, names: tuple[str, ...]) -> int:
    lowered = [name.lower() for name in names]
    if path.name.lower() in lowered:
        return lowered.index(path.name.lower())
    if path.name.isdecimal() and int(path.name) < len(names):
        return int(path.name)
    raise ResultError(
        f"{path}: expected a folder named after one of the model's classes, {', '.join(names)}, or a number from 0 to "
        f"{len(names) - 1}"
    )
