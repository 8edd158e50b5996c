"""Random changes to training images. Strengths are in pixels, degrees and shares; 0 leaves an image alone.

All slots of a stack share the random draws of an image and scale them by their own strengths. Flip, zoom,
rotation and shift are one warp with one interpolation; what comes from outside the image is black.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lenet_search.recipe.field import number

Tensor = Any
DRAWS = ("flip", "shift_y", "shift_x", "rotate", "zoom", "brightness", "contrast", "cutout_y", "cutout_x")


@dataclass(frozen=True)
class Augment:
    """`[augment]`: how strongly training images are changed; validation and test images never are."""

    flip: float = number(0.0, "probability of a horizontal flip", low=0, high=1)
    shift: int = number(0, "largest shift, each way, by whole pixels", low=0, high=64, unit="pixels")
    rotate: float = number(0.0, "largest rotation, each way", low=0, high=180, unit="degrees")
    zoom: float = number(0.0, "largest zoom, each way, as a share of the size", low=0, below=1)
    brightness: float = number(
        0.0, "largest change of brightness, each way; 1 is the span from black to white", low=0, high=1
    )
    contrast: float = number(0.0, "largest change of contrast, each way, as a share", low=0, high=1)
    cutout: int = number(0, "side of a square that is set to 0 after normalization", low=0, high=64, unit="pixels")


def warp(
    images: Tensor,
    draws: Mapping[str, Tensor],
    strength: Mapping[str, Tensor],
    black: Tensor,
    rows_of: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Flip, zoom, rotate and shift each image once per slot.

    Args:
        images: (B, H, W, C)
        draws: uniform numbers in [0, 1), (B,) each, by the names in `DRAWS`
        strength: (K,) each; only what is named is done
        black: (C,) what comes from outside of the image
        rows_of: (table, indices) to the rows of a table, as `numpy.take(table, indices, axis=0)`

    Returns:
        (B, H, W, K, C). Without zoom and rotation the result is made of untouched pixels; with them it is
        interpolated bilinearly.
    """
    from keras import ops

    batch, height, width, _ = images.shape
    y = ops.reshape(ops.arange(height, dtype="float32"), (1, height, 1, 1))
    x = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, width, 1))

    def per_image(name: str) -> Tensor:
        return ops.reshape(draws[name], (batch, 1, 1, 1))

    def per_slot(name: str) -> Tensor:
        return ops.reshape(strength[name], (1, 1, 1, -1))

    if "shift" in strength:  # each whole number from -shift to shift is as likely as any other
        span = 2.0 * per_slot("shift") + 1.0
        y = y - (ops.floor(per_image("shift_y") * span) - per_slot("shift"))
        x = x - (ops.floor(per_image("shift_x") * span) - per_slot("shift"))
    smooth = "rotate" in strength or "zoom" in strength
    if smooth:
        middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
        y, x = y - middle_y, x - middle_x
        scale: Tensor = 1.0
        if "zoom" in strength:
            scale = 1.0 / (1.0 + (2.0 * per_image("zoom") - 1.0) * per_slot("zoom"))
        cos, sin = scale, 0.0
        if "rotate" in strength:
            angle = (2.0 * per_image("rotate") - 1.0) * per_slot("rotate") * (math.pi / 180)
            cos, sin = scale * ops.cos(angle), scale * ops.sin(angle)
        y, x = cos * y + sin * x + middle_y, cos * x - sin * y + middle_x
    if "flip" in strength:
        x = ops.where(per_image("flip") < per_slot("flip"), width - 1.0 - x, x)
    if smooth:
        return between_pixels(images, y, x, black, rows_of)
    table, outside = _pixels(images, black)
    start = ops.reshape(ops.arange(batch, dtype="int32") * (outside + 1), (batch, 1, 1, 1))
    row = start + ops.cast(ops.where((y >= 0) & (y < height), y * width, outside), "int32")  # y is (B, H, 1, K) here,
    column = ops.cast(ops.where((x >= 0) & (x < width), x, outside), "int32")  # and x (B, 1, W, K)
    return rows_of(table, ops.minimum(row + column, start + outside))


def between_pixels(
    images: Tensor, y: Tensor, x: Tensor, black: Tensor, rows_of: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """What lies at rows `y` and columns `x`, (B, H', W', K) each, of images (B, H, W, C): bilinear interpolation.

    (B, H', W', K, C); outside of an image is `black` (C,). It can be differentiated by `y` and `x`.
    """
    from keras import ops

    batch, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
    table, outside = _neighbours(images, black)
    start = ops.reshape(ops.arange(batch, dtype="int32") * (outside + 1), (batch, 1, 1, 1))
    top, left = ops.floor(y), ops.floor(x)
    inside = (top >= -1) & (top < height) & (left >= -1) & (left < width)
    index = ops.cast(ops.where(inside, (top + 1) * (width + 1) + left + 1, outside), "int32")
    return _between(rows_of(table, index + start), y - top, x - left)


def _pixels(images: Tensor, black: Tensor) -> tuple[Tensor, int]:
    """A table of all images' pixels (B * (n + 1), C), black behind each image's last one, and n."""
    from keras import ops

    batch, height, width, channels = images.shape
    outside = height * width
    pixels = ops.reshape(images, (batch, outside, channels))
    table = ops.concatenate([pixels, ops.broadcast_to(black, (batch, 1, channels))], axis=1)
    return ops.reshape(table, (-1, channels)), outside


def _neighbours(images: Tensor, black: Tensor) -> tuple[Tensor, int]:
    """The same for 2x2 neighbourhoods (B * (n + 1), 4 * C), from one pixel before the image's first on.

    Each row holds a pixel, its neighbours to the right and below, and the one across, so that one lookup fetches
    all that bilinear interpolation needs.
    """
    from keras import ops

    batch, height, width, channels = ops.shape(images)
    framed = ops.pad(images - black, ((0, 0), (1, 1), (1, 1), (0, 0))) + black
    corners = [framed[:, i : i + height + 1, j : j + width + 1] for i in (0, 1) for j in (0, 1)]
    outside = (height + 1) * (width + 1)
    rows = ops.reshape(ops.concatenate(corners, -1), (batch, outside, 4 * channels))
    table = ops.concatenate([rows, ops.broadcast_to(ops.tile(black, 4), (batch, 1, 4 * channels))], axis=1)
    return ops.reshape(table, (-1, 4 * channels)), outside


def _between(found: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Bilinear interpolation within neighbourhoods (..., 4 * C), by how far down and right (...), 0 to 1."""
    channels = found.shape[-1] // 4
    shares = ((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right)
    parts = [found[..., i * channels : (i + 1) * channels] * share[..., None] for i, share in enumerate(shares)]
    return parts[0] + parts[1] + parts[2] + parts[3]


def recolor(images: Tensor, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> Tensor:
    """Brightness, then contrast around each image's mean, each kept within [0, 1]; (B, H, W, K, C) to the same."""
    from keras import ops

    def change(name: str) -> Tensor:
        draw = 2.0 * ops.reshape(draws[name], (-1, 1, 1, 1, 1)) - 1.0
        return draw * ops.reshape(strength[name], (1, 1, 1, -1, 1))

    if "brightness" in strength:
        images = ops.clip(images + change("brightness"), 0.0, 1.0)
    if "contrast" in strength:
        mean = ops.mean(images, axis=(1, 2), keepdims=True)
        images = ops.clip((images - mean) * (1.0 + change("contrast")) + mean, 0.0, 1.0)
    return images


def cut_out(images: Tensor, draws: Mapping[str, Tensor], side: Tensor) -> Tensor:
    """Set a square of `side` (F,) pixels to 0 in each feature map of `images` (B, H, W, F).

    The square's centre is uniform over the image, so it may reach over the border (DeVries & Taylor 2017).
    """
    from keras import ops

    def covered(length: int, draw: Tensor, shape: tuple[int, ...]) -> Tensor:
        position = ops.reshape(ops.arange(length, dtype="float32"), shape)
        centre = ops.floor(ops.reshape(draw, (-1, 1, 1, 1)) * length)
        first = centre - ops.floor(side / 2.0)
        return (position >= first) & (position < first + side)

    _, height, width, _ = images.shape
    rows = covered(height, draws["cutout_y"], (1, height, 1, 1))
    columns = covered(width, draws["cutout_x"], (1, 1, width, 1))
    return ops.where(rows & columns, 0.0, images)
