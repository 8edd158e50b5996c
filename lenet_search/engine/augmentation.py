"""Random changes to training images, as tensors: what `recipe.augment` declares.

All slots of a stack share the random draws of an image and scale them by their own strengths. Flip, zoom,
rotation and shift are one warp with one interpolation; what comes from outside the image is black. A warp is a lookup
in a table of pixels: most of its work is the arithmetic of indices, which `fuse` does in one pass.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from keras import ops

from lenet_search.networks.interpolation import between, cells, neighbours, starts
from lenet_search.recipe.augment import COLOR, at

Tensor = Any


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
        draws: uniform numbers in [0, 1), (B,) each, by the names in `recipe.augment.all_draws()`
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
        return fuse(between)(rows_of(neighbours(images, black), index), down, right)
    axes = fuse(_axes, size)(draws, strength)  # apart, or it would be done anew for every pixel
    return rows_of(_pixels(images, black), fuse(_sources, size)(axes))


def _axes(size: tuple[int, int], draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Where rows (B, H, 1, K) and columns (B, 1, W, K) come from, as parts of an index, and which are cut out."""
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
    outside = size[0] * size[1]
    index = ops.minimum(axes["row"] + axes["column"], outside)
    if "cut_row" in axes:
        index = ops.where(axes["cut_row"] & axes["cut_column"], outside + 1, index)
    return index + starts(index.shape[0], outside + 2)


def _smooth_sources(
    size: tuple[int, int], draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Which row of `neighbours` each pixel lies in, and how far down and right of its first, (B, H, W, K) each."""
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
    return cells(y, x, size)


def _positions(
    size: tuple[int, int], draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Rows and columns before the shift, as floats."""
    y = ops.reshape(ops.arange(size[0], dtype="float32"), (1, -1, 1, 1))
    x = ops.reshape(ops.arange(size[1], dtype="float32"), (1, 1, -1, 1))
    if "shift" in strength:  # each whole number from -shift to shift is as likely as any other
        shift = _per_slot(strength, "shift")
        y = y - (ops.floor(_per_image(draws, "shift_y") * (2.0 * shift + 1.0)) - shift)
        x = x - (ops.floor(_per_image(draws, "shift_x") * (2.0 * shift + 1.0)) - shift)
    return y, x


def _flipped(x: Tensor, width: int, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> Tensor:
    if "flip" not in strength:
        return x
    return ops.where(_per_image(draws, "flip") < _per_slot(strength, "flip"), width - 1.0 - x, x)


def _per_image(draws: Mapping[str, Tensor], name: str) -> Tensor:
    return ops.reshape(draws[name], (-1, 1, 1, 1))


def _per_slot(strength: Mapping[str, Tensor], name: str) -> Tensor:
    return ops.reshape(strength[name], (1, 1, 1, -1))


def _pixels(images: Tensor, black: Tensor) -> Tensor:
    """A table of all images' pixels (B * (H * W + 2), C): behind each image's last one stand black and 0."""
    batch, height, width, channels = images.shape
    pixels = ops.reshape(images, (batch, height * width, channels))
    ends = ops.stack([black, ops.zeros_like(black)])
    table = ops.concatenate([pixels, ops.broadcast_to(ends, (batch, 2, channels))], axis=1)
    return ops.reshape(table, (-1, channels))


def recolor(images: Tensor, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> Tensor:
    """Images (B, H, W, K, C) with other colors, kept within [0, 1] after each change."""
    for name in at(strength, COLOR):
        draw = 2.0 * ops.reshape(draws[name], (-1, 1, 1, 1, 1)) - 1.0
        change = draw * ops.reshape(strength[name], (1, 1, 1, -1, 1))
        images = ops.clip(COLORS[name](images, change), 0.0, 1.0)
    return images


def _contrast(images: Tensor, change: Tensor) -> Tensor:
    mean = ops.mean(images, axis=(1, 2), keepdims=True)
    return (images - mean) * (1.0 + change) + mean


# What a change (B, 1, 1, K, 1), each way up to a slot's strength, makes of images (B, H, W, K, C)
COLORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "brightness": lambda images, change: images + change,
    "contrast": _contrast,
}


def cut_out(images: Tensor, draws: Mapping[str, Tensor], side: Tensor) -> Tensor:
    """Set a square of `side` (F,) pixels to 0 in each feature map of `images` (B, H, W, F).

    The square's centre is uniform over the image, so it may reach over the border (DeVries & Taylor 2017).
    """
    rows, columns = _covered(images.shape[1:3], draws, side)
    return ops.where(rows & columns, 0.0, images)


def _covered(size: tuple[int, int], draws: Mapping[str, Tensor], side: Tensor) -> tuple[Tensor, Tensor]:
    """Which rows (B, H, 1, F) and columns (B, 1, W, F) the square of `side` pixels covers."""

    def within(length: int, draw: Tensor, shape: tuple[int, ...]) -> Tensor:
        position = ops.reshape(ops.arange(length, dtype="float32"), shape)
        centre = ops.floor(ops.reshape(draw, (-1, 1, 1, 1)) * length)
        first = centre - ops.floor(side / 2.0)
        return (position >= first) & (position < first + side)

    height, width = size
    return within(height, draws["cutout_y"], (1, -1, 1, 1)), within(width, draws["cutout_x"], (1, 1, -1, 1))
