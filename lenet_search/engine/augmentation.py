"""Random changes to training images, as tensors: what `recipe.augment` declares.

All slots of a stack share the random draws of an image and scale them by their own strengths. Flip, zoom,
rotation and shift are one warp with one interpolation; what comes from outside the image is black. A warp is a lookup
in a table of pixels: most of its work is the arithmetic of indices, which `fuse` does in one pass.

The letters of `order` say what the axes of an array are: images (b), rows (h), columns (w), slots (k), channels (c).
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
    order: str = "bhwk",
) -> Tensor:
    """Flip, zoom, rotate and shift each image once per slot; without zoom and rotation, cut out in the same pass.

    Args:
        images: (B, H, W, C)
        draws: uniform numbers in [0, 1), (B,) each, by the names in `recipe.augment.all_draws()`
        strength: (K,) each; only what is named is done
        black: (C,) what comes from outside of the image
        rows_of: (table, indices) to the rows of a table, as `numpy.take(table, indices, axis=0)`
        fuse: `functools.partial`, or what gives an elementwise function back as one that passes over memory once
        order: of the result's axes but the last, which holds the channels

    Returns:
        (B, H, W, K, C), or as `order` says. Without zoom and rotation the result is made of untouched pixels; with
        them it is interpolated bilinearly.
    """
    size = tuple(images.shape[1:3])
    if "rotate" in strength or "zoom" in strength:
        index, down, right = fuse(_smooth_sources, size, order)(draws, strength)
        return fuse(between)(rows_of(neighbours(images, black), index), down, right)
    axes = fuse(_axes, size, order)(draws, strength)  # apart, or it would be done anew for every pixel
    return rows_of(_pixels(images, black), fuse(_sources, size, order)(axes))


def placed(values: Tensor, axes: str, order: str) -> Tensor:
    """Values along some `axes` of an array whose axes are `order`, so that they broadcast over it."""
    sizes = dict(zip(axes, values.shape, strict=True))
    return ops.reshape(values, [sizes.get(axis, 1) for axis in order])


def repeated(images: Tensor, slots: int, order: str) -> Tensor:
    """Images (B, H, W, C), unchanged, for each slot: with the axes `order` and the channels."""
    sizes = dict(zip("bhwk", (*images.shape[:3], slots), strict=True))
    shape = (*(sizes[axis] for axis in order), images.shape[-1])
    return ops.broadcast_to(ops.expand_dims(images, order.index("k")), shape)


def _axes(
    size: tuple[int, int], order: str, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Where rows and columns of each image in each slot come from, as parts of an index, and which are cut out."""
    height, width = size
    outside = height * width
    y, x = _positions(size, order, draws, strength)
    x = _flipped(x, width, order, draws, strength)
    axes = {
        "row": ops.cast(ops.where((y >= 0) & (y < height), y * width, outside), "int32"),
        "column": ops.cast(ops.where((x >= 0) & (x < width), x, outside), "int32"),
    }
    if "cutout" in strength:
        axes["cut_row"], axes["cut_column"] = _covered(size, order, draws, strength["cutout"])
    return axes


def _sources(size: tuple[int, int], order: str, axes: Mapping[str, Tensor]) -> Tensor:
    """Which row of `_pixels` each pixel of the result is, int32."""
    outside = size[0] * size[1]
    index = ops.minimum(axes["row"] + axes["column"], outside)
    if "cut_row" in axes:
        index = ops.where(axes["cut_row"] & axes["cut_column"], outside + 1, index)
    images = order.index("b")
    return index + starts(index.shape[images], outside + 2, images)


def _smooth_sources(
    size: tuple[int, int], order: str, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Which row of `neighbours` each pixel lies in, and how far down and right of its first."""
    height, width = size
    y, x = _positions(size, order, draws, strength)
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    y, x = y - middle_y, x - middle_x
    scale: Tensor = 1.0
    if "zoom" in strength:
        scale = 1.0 / (1.0 + (2.0 * placed(draws["zoom"], "b", order) - 1.0) * placed(strength["zoom"], "k", order))
    cos, sin = scale, 0.0
    if "rotate" in strength:
        angle = (
            (2.0 * placed(draws["rotate"], "b", order) - 1.0) * placed(strength["rotate"], "k", order) * (math.pi / 180)
        )
        cos, sin = scale * ops.cos(angle), scale * ops.sin(angle)
    y, x = cos * y + sin * x + middle_y, cos * x - sin * y + middle_x
    x = _flipped(x, width, order, draws, strength)
    return cells(y, x, size, order.index("b"))


def _positions(
    size: tuple[int, int], order: str, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Rows and columns before the shift, as floats."""
    y, x = (placed(ops.arange(side, dtype="float32"), axis, order) for side, axis in zip(size, "hw", strict=True))
    if "shift" in strength:  # each whole number from -shift to shift is as likely as any other
        shift = placed(strength["shift"], "k", order)
        y = y - (ops.floor(placed(draws["shift_y"], "b", order) * (2.0 * shift + 1.0)) - shift)
        x = x - (ops.floor(placed(draws["shift_x"], "b", order) * (2.0 * shift + 1.0)) - shift)
    return y, x


def _flipped(x: Tensor, width: int, order: str, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> Tensor:
    if "flip" not in strength:
        return x
    return ops.where(placed(draws["flip"], "b", order) < placed(strength["flip"], "k", order), width - 1.0 - x, x)


def _pixels(images: Tensor, black: Tensor) -> Tensor:
    """A table of all images' pixels (B * (H * W + 2), C): behind each image's last one stand black and 0."""
    batch, height, width, channels = images.shape
    pixels = ops.reshape(images, (batch, height * width, channels))
    ends = ops.stack([black, ops.zeros_like(black)])
    table = ops.concatenate([pixels, ops.broadcast_to(ends, (batch, 2, channels))], axis=1)
    return ops.reshape(table, (-1, channels))


def recolor(order: str, images: Tensor, draws: Mapping[str, Tensor], strength: Mapping[str, Tensor]) -> Tensor:
    """Images with other colors, kept within [0, 1] after each change."""
    pixels = order.index("h"), order.index("w")
    for name in at(strength, COLOR):
        change = (2.0 * placed(draws[name], "b", order) - 1.0) * placed(strength[name], "k", order)
        images = ops.clip(COLORS[name](images, change, pixels), 0.0, 1.0)
    return images


def _contrast(images: Tensor, change: Tensor, pixels: tuple[int, int]) -> Tensor:
    mean = ops.mean(images, axis=pixels, keepdims=True)
    return (images - mean) * (1.0 + change) + mean


# What a change of each image in each slot, each way up to its strength, makes of images; and the axes of an image
COLORS: dict[str, Callable[[Tensor, Tensor, tuple[int, int]], Tensor]] = {
    "brightness": lambda images, change, pixels: images + change,
    "contrast": _contrast,
}


def cut_out(order: str, images: Tensor, draws: Mapping[str, Tensor], side: Tensor) -> Tensor:
    """Set a square of `side` pixels, (K,) for the slots in `order`, to 0 in each image.

    The square's centre is uniform over the image, so it may reach over the border (DeVries & Taylor 2017).
    """
    height, width = (images.shape[order.index(axis)] for axis in "hw")
    rows, columns = _covered((height, width), order, draws, side)
    return ops.where(rows & columns, 0.0, images)


def _covered(size: tuple[int, int], order: str, draws: Mapping[str, Tensor], side: Tensor) -> tuple[Tensor, Tensor]:
    """Which rows and which columns the square of `side` pixels covers in each image."""
    side = placed(side, "k", order)

    def within(length: int, axis: str, draw: Tensor) -> Tensor:
        position = placed(ops.arange(length, dtype="float32"), axis, order)
        centre = ops.floor(placed(draw, "b", order) * length)
        first = centre - ops.floor(side / 2.0)
        return (position >= first) & (position < first + side)

    return within(size[0], "h", draws["cutout_y"]), within(size[1], "w", draws["cutout_x"])
