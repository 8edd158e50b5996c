"""Random changes to training images. Strengths are in pixels, degrees and shares; 0 leaves an image alone.

All slots of a stack share the random draws of an image and scale them by their own strengths. Flip, zoom,
rotation and shift are one warp with one interpolation; what comes from outside the image is black. A warp is a lookup
in a table of pixels: most of its work is the arithmetic of indices, which `fuse` does in one pass.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
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
    fuse: Callable[..., Callable[..., Any]] = partial,
) -> Tensor:
    """Flip, zoom, rotate and shift each image once per slot; without zoom and rotation, cut out in the same pass.

    Args:
        images: (B, H, W, C)
        draws: uniform numbers in [0, 1), (B,) each, by the names in `DRAWS`
        strength: (K,) each; only what is named is done
        black: (C,) what comes from outside of the image
        rows_of: (table, indices) to the rows of a table, as `numpy.take(table, indices, axis=0)`
        fuse: `functools.partial`, or what gives an elementwise function back as one that passes over memory once

    Returns:
        (B, H, W, K, C). Without zoom and rotation the result is made of untouched pixels; with them it is
        interpolated bilinearly.
    """
    size = tuple(images.shape[1:3])
    if "rotate" in strength or "zoom" in strength:
        index, down, right = fuse(_smooth_sources, size)(draws, strength)
        return fuse(_between)(rows_of(_neighbours(images, black), index), down, right)
    axes = fuse(_axes, size)(draws, strength)  # apart, or it would be done anew for every pixel
    return rows_of(_pixels(images, black), fuse(_sources, size)(axes))


def _axes(size: tuple[int, int], draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Where rows (B, H, 1, K) and columns (B, 1, W, K) come from, as parts of an index, and which are cut out."""
    from keras import ops

    height, width = size
    outside = height * width
    y, x = _positions(size, draws, strength)
    x = _flipped(x, width, draws, strength)
    axes = {
        "row": ops.cast(ops.where((y >= 0) & (y < height), y * width, outside), "int32"),
        "column": ops.cast(ops.where((x >= 0) & (x < width), x, outside), "int32"),
    }
    if "cutout" in strength:
        side = ops.reshape(strength["cutout"], (1, 1, 1, -1))
        axes["cut_row"], axes["cut_column"] = _covered(size, draws, side)
    return axes


def _sources(size: tuple[int, int], axes: Mapping[str, Tensor]) -> Tensor:
    """Which row of `_pixels` each pixel of the result is, (B, H, W, K) int32."""
    from keras import ops

    outside = size[0] * size[1]
    index = ops.minimum(axes["row"] + axes["column"], outside)
    if "cut_row" in axes:
        index = ops.where(axes["cut_row"] & axes["cut_column"], outside + 1, index)
    return index + _starts(index.shape[0], outside + 2)


def _smooth_sources(
    size: tuple[int, int], draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Which row of `_neighbours` each pixel lies in, and how far down and right of its first, (B, H, W, K) each."""
    from keras import ops

    height, width = size
    y, x = _positions(size, draws, strength)
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    y, x = y - middle_y, x - middle_x
    scale: Tensor = 1.0
    if "zoom" in strength:
        scale = 1.0 / (1.0 + (2.0 * _per_image(draws, "zoom") - 1.0) * _per_slot(strength, "zoom"))
    cos, sin = scale, 0.0
    if "rotate" in strength:
        angle = (2.0 * _per_image(draws, "rotate") - 1.0) * _per_slot(strength, "rotate") * (math.pi / 180)
        cos, sin = scale * ops.cos(angle), scale * ops.sin(angle)
    y, x = cos * y + sin * x + middle_y, cos * x - sin * y + middle_x
    x = _flipped(x, width, draws, strength)
    return _cells(y, x, size)


def between_pixels(
    images: Tensor, y: Tensor, x: Tensor, black: Tensor, rows_of: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """What lies at rows `y` and columns `x`, (B, H', W', K) each, of images (B, H, W, C): bilinear interpolation.

    (B, H', W', K, C); outside of an image is `black` (C,). It can be differentiated by `y` and `x`.
    """
    index, down, right = _cells(y, x, images.shape[1:3])
    return _between(rows_of(_neighbours(images, black), index), down, right)


def _cells(y: Tensor, x: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Which row of `_neighbours` each place (B, H', W', K) lies in, and how far down and right of its first."""
    from keras import ops

    height, width = size
    top, left = ops.floor(y), ops.floor(x)
    inside = (top >= -1) & (top < height) & (left >= -1) & (left < width)
    outside = (height + 1) * (width + 1)
    index = ops.cast(ops.where(inside, (top + 1) * (width + 1) + left + 1, outside), "int32")
    return index + _starts(ops.shape(index)[0], outside + 1), y - top, x - left


def _positions(
    size: tuple[int, int], draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Rows and columns before the shift, as floats."""
    from keras import ops

    y = ops.reshape(ops.arange(size[0], dtype="float32"), (1, -1, 1, 1))
    x = ops.reshape(ops.arange(size[1], dtype="float32"), (1, 1, -1, 1))
    if "shift" in strength:  # each whole number from -shift to shift is as likely as any other
        shift = _per_slot(strength, "shift")
        y = y - (ops.floor(_per_image(draws, "shift_y") * (2.0 * shift + 1.0)) - shift)
        x = x - (ops.floor(_per_image(draws, "shift_x") * (2.0 * shift + 1.0)) - shift)
    return y, x


def _flipped(x: Tensor, width: int, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> Tensor:
    from keras import ops

    if "flip" not in strength:
        return x
    return ops.where(_per_image(draws, "flip") < _per_slot(strength, "flip"), width - 1.0 - x, x)


def _per_image(draws: Mapping[str, Tensor], name: str) -> Tensor:
    from keras import ops

    return ops.reshape(draws[name], (-1, 1, 1, 1))


def _per_slot(strength: Mapping[str, Tensor], name: str) -> Tensor:
    from keras import ops

    return ops.reshape(strength[name], (1, 1, 1, -1))


def _starts(batch: int, length: int) -> Tensor:
    """Where each image's part of a table begins, (B, 1, 1, 1)."""
    from keras import ops

    return ops.reshape(ops.arange(batch, dtype="int32") * length, (-1, 1, 1, 1))


def _pixels(images: Tensor, black: Tensor) -> Tensor:
    """A table of all images' pixels (B * (H * W + 2), C): behind each image's last one stand black and 0."""
    from keras import ops

    batch, height, width, channels = images.shape
    pixels = ops.reshape(images, (batch, height * width, channels))
    ends = ops.stack([black, ops.zeros_like(black)])
    table = ops.concatenate([pixels, ops.broadcast_to(ends, (batch, 2, channels))], axis=1)
    return ops.reshape(table, (-1, channels))


def _neighbours(images: Tensor, black: Tensor) -> Tensor:
    """The same for 2x2 neighbourhoods (B * (n + 1), 4 * C), from one pixel before the image's first on.

    Each row holds a pixel, its neighbours to the right and below, and the one across, so that one lookup fetches
    all that bilinear interpolation needs. Behind each image's last one stands a black one.
    """
    from keras import ops

    batch, height, width, channels = ops.shape(images)
    framed = ops.pad(images - black, ((0, 0), (1, 1), (1, 1), (0, 0))) + black
    corners = [framed[:, i : i + height + 1, j : j + width + 1] for i in (0, 1) for j in (0, 1)]
    rows = ops.reshape(ops.concatenate(corners, -1), (batch, (height + 1) * (width + 1), 4 * channels))
    table = ops.concatenate([rows, ops.broadcast_to(ops.tile(black, 4), (batch, 1, 4 * channels))], axis=1)
    return ops.reshape(table, (-1, 4 * channels))


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

    rows, columns = _covered(images.shape[1:3], draws, side)
    return ops.where(rows & columns, 0.0, images)


def _covered(size: tuple[int, int], draws: Mapping[str, Tensor], side: Tensor) -> tuple[Tensor, Tensor]:
    """Which rows (B, H, 1, F) and columns (B, 1, W, F) the square of `side` pixels covers."""
    from keras import ops

    def within(length: int, draw: Tensor, shape: tuple[int, ...]) -> Tensor:
        position = ops.reshape(ops.arange(length, dtype="float32"), shape)
        centre = ops.floor(ops.reshape(draw, (-1, 1, 1, 1)) * length)
        first = centre - ops.floor(side / 2.0)
        return (position >= first) & (position < first + side)

    height, width = size
    return within(height, draws["cutout_y"], (1, -1, 1, 1)), within(width, draws["cutout_x"], (1, 1, -1, 1))
