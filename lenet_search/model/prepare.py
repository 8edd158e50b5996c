"""An arbitrary image in the form of the training images: what a model sees of it."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from lenet_search.data.decode import decode, fitted
from lenet_search.data.frame import Frame, box, mass
from lenet_search.model.drawings import find_drawing, framed

SEVERAL = ("GIF", "PNG", "WEBP", "TIFF")  # formats of several frames or pages; a JPEG's others are for the camera
LARGE = 1024  # pixels of the longer side: a larger image is first made as large as this, to bound the memory
FLAT = 8  # gray levels of 255: an image whose pixels differ less shows nothing
FAINT = 32  # gray levels: what JPEG leaves around a drawing is no part of it


class Form(NamedTuple):
    """The form of a model's training images.

    height, width, channels   of the model's input
    background                "dark", "light", or "" if it is unknown or not uniform
    frame                     where a drawing lies; None if the training images have no frame, or it is unknown
    whole                     images of another shape are fitted in whole, as those of the training set were
    """

    height: int
    width: int
    channels: int
    background: str
    frame: Frame | None = None
    whole: bool = False


class Seen(NamedTuple):
    """What a model sees of an image, float32 (H, W, C) from 0 to 255, None if it is blank; and what was changed."""

    pixels: np.ndarray | None
    changes: tuple[str, ...]


def prepare(path: Path, form: Form, invert: bool | None = None, center: bool | None = None) -> Seen:
    """Read an image and bring it to the form of the training images.

    Color becomes gray if the model has one channel. If the training images share a frame, what is drawn is found,
    separated from its background, scaled and centered. Otherwise, a drawing of another shape is padded with its own
    background, a photograph is cropped, and both are inverted if the training images have the other background.

    Args:
        path: the image
        form: that of the training images
        invert: invert always or never; None: if the image looks inverted
        center: find and center a drawing always or never; None: if the training images share a frame

    Raises:
        ImageError: the file is not a readable image.
    """
    image, changes = decode(path), first_of_several(path)
    if form.channels == 1 and image.mode != "L":
        few = image.resize([min(side, LARGE) for side in image.size], Image.Resampling.BOX)
        colors = np.asarray(few, np.int16)
        if np.any(colors.max(axis=2) - colors.min(axis=2) > 8):
            changes.append("converted to gray")
    image = image.convert("L" if form.channels == 1 else "RGB")
    frame = form.frame or (_mnist(form) if center else None)
    if frame is not None and center is not False and form.channels == 1:
        pixels, more = _drawn(image, form, frame, invert)
    elif np.ptp(np.atleast_2d(image.getextrema()), axis=1).max() < FLAT:
        pixels, more = None, []
    else:
        pixels, more = _whole(image, form, invert)
    if pixels is None:
        return Seen(None, tuple(changes))
    if image.size != (form.width, form.height):
        more.append(f"{image.width}x{image.height} to {form.width}x{form.height}")
    return Seen(pixels.astype(np.float32).reshape(form[:3]), (*changes, *more))


def first_of_several(path: Path) -> list[str]:
    """A remark if a file that can be read has several frames or pages, of which the first is used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata
        with Image.open(path) as file:
            if file.format not in SEVERAL or not getattr(file, "is_animated", False):
                return []
            return ["the first of several " + ("pages" if file.format == "TIFF" else "frames")]


def _mnist(form: Form) -> Frame:
    """MNIST's frame for images of this size; those of 32x32 are MNIST's with two pixels more on each side."""
    side = min(form.height, form.width)
    return Frame(20 if 28 <= side <= 32 else max(1, round(side * 20 / 28)), "mass")


def _drawn(image: Image.Image, form: Form, frame: Frame, invert: bool | None) -> tuple[np.ndarray | None, list[str]]:
    """The drawing on an image (L) in its frame, (H, W), or None; what is framed already stays as it is."""
    light = form.background == "light"
    if image.size == (form.width, form.height):
        pixels = np.asarray(image)
        dark_ink = border(pixels) > 127.5 if invert is None else invert != light
        ink = 255 - pixels if dark_ink else pixels
        if _is_framed(ink, frame):
            return 255 - ink if light else ink, ["inverted"] if dark_ink != light else []
    drawing = find_drawing(image, None if invert is None else invert != light)
    if drawing is None:
        return None, []
    found = framed(drawing, frame, form.height, form.width)
    return 255 - found if light else found, [*(["inverted"] if drawing.dark != light else []), "centered"]


def _is_framed(ink: np.ndarray, frame: Frame) -> bool:
    """Whether light ink on black, uint8 (H, W), already lies in a frame, within a pixel."""
    drawn = np.where(ink > FAINT, ink, 0)
    edges = drawn[[0, -1]].any() or drawn[:, [0, -1]].any()
    if edges or not drawn.any():
        return False
    top, left, bottom, right = box(drawn)
    at = mass(drawn) if frame.by == "mass" else ((top + bottom) / 2, (left + right) / 2)
    off = [abs(place - side / 2) for place, side in zip(at, ink.shape, strict=True)]
    return abs(max(bottom - top, right - left) - frame.side) <= 1 and max(off) <= 1


def _whole(image: Image.Image, form: Form, invert: bool | None) -> tuple[np.ndarray, list[str]]:
    """The whole image (H, W) or (H, W, 3), inverted if its background is not that of the training images."""
    changes = []
    if max(image.size) > LARGE:
        scale = LARGE / max(image.size)
        smaller = max(1, round(scale * image.width)), max(1, round(scale * image.height))
        image = image.resize(smaller, Image.Resampling.BOX)
    if form.channels == 1:
        light = border(np.asarray(image)) > 127.5
        other = (form.background == "dark" and light) or (form.background == "light" and not light)
        if other if invert is None else invert:
            image = _inverted(image)
            changes.append("inverted")
    size = form.width, form.height
    if image.size != size and (form.whole or (form.channels == 1 and form.background)):
        return fitted(np.asarray(image).reshape(image.height, image.width, form.channels), size[::-1]), changes
    return np.asarray(ImageOps.fit(image, size, Image.Resampling.LANCZOS)), changes


def border(pixels: np.ndarray) -> float:
    """The median of the outermost pixels (H, W): the background of a drawing."""
    return float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _inverted(image: Image.Image) -> Image.Image:
    """The inverted image, with its contrast stretched until the background is black or white."""
    pixels = 255.0 - np.asarray(image, np.float64)
    background = border(pixels)
    if background <= 127.5:
        pixels = (pixels - background) * 255.0 / max(pixels.max() - background, 1.0)
    else:
        pixels = 255.0 - (background - pixels) * 255.0 / max(background - pixels.min(), 1.0)
    return Image.fromarray(np.uint8(np.clip(np.rint(pixels), 0, 255)))
