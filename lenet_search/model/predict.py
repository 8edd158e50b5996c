"""A model on pictures from anywhere: read, turned into what the model was trained on, and classified."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from lenet_search.data import class_names
from lenet_search.errors import LenetSearchError, ResultError
from lenet_search.look.intervals import wilson
from lenet_search.model.evaluate import Evaluation, load_model

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")  # what Pillow can also read is left to those who need it
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
# Mean pixel of training images, from 0 to 1: below DARK they are light on a dark ground (MNIST 0.13, Fashion-MNIST
# 0.29), above LIGHT dark on a light one; photographs (CIFAR-10 0.47) have no ground to speak of and are never turned.
DARK, LIGHT = 0.4, 0.6


class ImageError(LenetSearchError):
    """An image that cannot be used; the others still can."""


@dataclass(frozen=True)
class Guess:
    """The most probable classes of one image, the most probable first, and what was done to it."""

    path: Path
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    done: tuple[str, ...]


@dataclass
class Predictor:
    """A model, with what is known of the images that it was trained on.

    `ground` is "dark", "light", or "" where it is not known or there is none.
    """

    model: Any
    names: tuple[str, ...]
    ground: str
    remarks: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels that the model takes."""
        height, width, channels = self.model.input_shape[1:]
        return int(height), int(width), int(channels)

    def classify(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (n, classes) of images (n, H, W, C)."""
        found: np.ndarray = np.asarray(self.model.predict(images, batch_size=256, verbose=0), np.float64)
        if np.all(found >= 0) and np.allclose(found.sum(axis=1), 1.0, atol=1e-3):
            return found
        # logits, of a model from elsewhere
        raised: np.ndarray = np.exp(found - found.max(axis=1, keepdims=True))
        shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
        return shares


def open_model(path: Path, on: str | None = None) -> Predictor:
    """Load a model; the recipe.json beside it says what its classes are called and how its images look.

    `on` names the data set where there is no recipe.json.

    Raises:
        ResultError: the file is no model that takes an image and gives a row of numbers.
    """
    path = Path(path)
    model = load_model(path)
    one = len(model.inputs) == 1 and len(model.outputs) == 1 and len(model.output_shape) == 2
    if not one or len(model.input_shape) != 4 or None in model.input_shape[1:] or model.input_shape[3] not in (1, 3):
        raise ResultError(
            f"{path}: expected a model that takes images (height, width, 1 or 3) and gives one row of numbers for each"
        )
    classes, remarks = int(model.output_shape[1]), []
    images = _images_beside(path)
    if on is not None:
        names = class_names(on, classes)
        ground = "dark" if model.input_shape[3] == 1 else ""
    elif images is not None and len(images["class_names"]) == classes:
        names = tuple(map(str, images["class_names"]))
        ground = _ground(images["mean"])
    else:
        names = tuple(map(str, range(classes)))
        ground = "dark" if model.input_shape[3] == 1 else ""
        remarks.append(
            f"no recipe.json lies beside {path}: classes are numbered"
            + (", and its images taken for light on dark (else --no-turn)" if ground else "")
        )
    return Predictor(model, names, ground, remarks)


def _images_beside(path: Path) -> dict[str, Any] | None:
    try:
        images = json.loads(path.with_name("recipe.json").read_text(encoding="utf-8"))["images"]
        return {"class_names": list(images["class_names"]), "mean": [float(value) for value in images["mean"]]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ground(mean: Sequence[float]) -> str:
    if len(mean) != 1:
        return ""
    return "dark" if mean[0] < DARK else "light" if mean[0] > LIGHT else ""


def prepare(path: Path, predictor: Predictor, turn: bool | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """An image as the model takes it, (H, W, C) from 0 to 255, and what was done to it in words.

    Colour becomes grey where the model has one channel; a picture of another shape is fitted into the model's, with
    its own ground around it (a photograph is cut instead); and where the model knows drawings on a dark ground and this
    is one on a light ground (or the other way round), it is turned over and its ground made plain. `turn` says it for
    all images: always, or never.

    Raises:
        ImageError: the file is no image that can be read.
    """
    height, width, channels = predictor.shape
    image, done = _read(path), []
    if channels == 1:
        if image.getbands() != ("L",):
            colours = np.asarray(image, np.int16)
            if np.any(colours.max(axis=2) - colours.min(axis=2) > 8):
                done.append("made grey")
            image = image.convert("L")
        ground = _border(np.asarray(image))
        light = ground > 127.5
        other = (predictor.ground == "dark" and light) or (predictor.ground == "light" and not light)
        if other if turn is None else turn:
            image = _turned(image)
            done.append(
                "turned over, " + ("dark on light to light on dark" if light else "light on dark to dark on light")
            )
    else:
        image = image.convert("RGB")
    if image.size != (width, height):
        done.append(f"{image.width}x{image.height} to {width}x{height}")
        if channels == 1 and predictor.ground:
            fill = round(_border(np.asarray(image)))
            image = ImageOps.pad(image, (width, height), Image.Resampling.LANCZOS, color=fill)
        else:
            image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(image, np.float32).reshape(height, width, channels), tuple(done)


def _read(path: Path) -> Image.Image:
    """The picture upright, in grey (L) or colour (RGB); what is transparent becomes white paper."""
    if not path.is_file():
        raise ImageError(f"{path}: there is no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as file:
                image: Image.Image = ImageOps.exif_transpose(file)
                if image.mode.startswith("I") or image.mode == "F":  # 16 bits a pixel
                    values = np.asarray(image, np.float64)
                    return Image.fromarray(np.uint8(np.clip(values / 257.0, 0, 255)))
                if image.has_transparency_data:
                    image = image.convert("RGBA")
                    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
                return image.convert("L" if image.mode in ("1", "L") else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{path}: the image is too large: {error}") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(
            f"{path}: not an image that can be read ({error}); expected a whole PNG, JPEG, WebP, BMP or GIF"
        ) from error


def _border(pixels: np.ndarray) -> float:
    """The median of the outermost pixels (H, W): the ground of a drawing."""
    return float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _turned(image: Image.Image) -> Image.Image:
    """Inverted, and stretched so that the ground is black or white: paper in a photograph is neither."""
    pixels = 255.0 - np.asarray(image, np.float64)
    ground = _border(pixels)
    if ground <= 127.5:
        pixels = (pixels - ground) * 255.0 / max(pixels.max() - ground, 1.0)
    else:
        pixels = 255.0 - (ground - pixels) * 255.0 / max(ground - pixels.min(), 1.0)
    return Image.fromarray(np.uint8(np.clip(np.rint(pixels), 0, 255)))


def predict(
    paths: Sequence[Path], predictor: Predictor, turn: bool | None = None, top: int = 3
) -> tuple[list[Guess], list[str]]:
    """Classify images; the guesses of those that could be read, and a line about each that could not."""
    found, problems = _prepared(paths, predictor, turn)
    if not found:
        return [], problems
    every = predictor.classify(np.stack([pixels for _, pixels, _ in found]))
    guesses = []
    for (path, _, done), probabilities in zip(found, every, strict=True):
        best = np.argsort(-probabilities, kind="stable")[:top]
        names = tuple(predictor.names[place] for place in best)
        guesses.append(Guess(path, names, tuple(float(probabilities[place]) for place in best), done))
    return guesses, problems


def _prepared(
    paths: Sequence[Path], predictor: Predictor, turn: bool | None
) -> tuple[list[tuple[Path, np.ndarray, tuple[str, ...]]], list[str]]:
    found, problems = [], []
    for path in paths:
        try:
            found.append((path, *prepare(path, predictor, turn)))
        except ImageError as error:
            problems.append(str(error))
    return found, problems


def images_in(folder: Path) -> list[Path]:
    """The image files that lie in a folder itself, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def classes_in(folder: Path) -> list[Path]:
    """The subfolders of a folder that hold images, by name; each is taken for a class."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and images_in(path))


@dataclass(frozen=True)
class Measured:
    """A folder of classes: what the model makes of it, how many images were turned over, and what was unreadable."""

    evaluation: Evaluation
    turned: int
    problems: tuple[str, ...]


def measure(folder: Path, predictor: Predictor, turn: bool | None = None) -> Measured:
    """Accuracy on a folder with one subfolder per class, each named as a class or by its number.

    Raises:
        ResultError: a subfolder is named as no class, or no image can be read.
    """
    labels = {path: _label(path, predictor.names) for path in classes_in(folder)}
    confusion = np.zeros((len(predictor.names), len(predictor.names)), np.int64)
    turned, problems = 0, []
    for path, label in labels.items():
        found, unread = _prepared(images_in(path), predictor, turn)
        problems += unread
        turned += sum(any(word.startswith("turned") for word in done) for _, _, done in found)
        if found:
            guesses = predictor.classify(np.stack([pixels for _, pixels, _ in found])).argmax(axis=1)
            np.add.at(confusion, (label, guesses), 1)
    n = int(confusion.sum())
    if not n:
        raise ResultError("\n".join([*problems, f"{folder}: no image in it can be read"]))
    accuracy = float(np.trace(confusion) / n)
    evaluation = Evaluation(accuracy, *wilson(accuracy, n), n, confusion, predictor.names)
    return Measured(evaluation, turned, tuple(problems))


def _label(path: Path, names: tuple[str, ...]) -> int:
    lowered = [name.lower() for name in names]
    if path.name.lower() in lowered:
        return lowered.index(path.name.lower())
    if path.name.isdecimal() and int(path.name) < len(names):
        return int(path.name)
    raise ResultError(
        f"{path}: expected a folder that is named as one of the model's classes, {', '.join(names)}, or by a number "
        f"from 0 to {len(names) - 1}"
    )
