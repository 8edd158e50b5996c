"""Bilinear interpolation between the pixels of images, as one lookup in a table of their 2x2 neighbourhoods."""

from collections.abc import Callable
from typing import Any

from keras import ops

Tensor = Any


def between_pixels(
    images: Tensor, y: Tensor, x: Tensor, black: Tensor, rows_of: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """What lies at rows `y` and columns `x`, (B, H', W', K) each, of images (B, H, W, C): bilinear interpolation.

    (B, H', W', K, C); outside of an image is `black` (C,). It can be differentiated by `y` and `x`.
    """
    index, down, right = cells(y, x, images.shape[1:3])
    return between(rows_of(neighbours(images, black), index), down, right)


def cells(y: Tensor, x: Tensor, size: tuple[int, int], axis: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Which row of `neighbours` each place lies in, and how far down and right of its first.

    Args:
        y: rows of the places, in four axes, one of them the images
        x: columns
        size: of an image
        axis: the one of the images
    """
    height, width = size
    top, left = ops.floor(y), ops.floor(x)
    inside = (top >= -1) & (top < height) & (left >= -1) & (left < width)
    outside = (height + 1) * (width + 1)
    index = ops.cast(ops.where(inside, (top + 1) * (width + 1) + left + 1, outside), "int32")
    return index + starts(ops.shape(index)[axis], outside + 1, axis), y - top, x - left


def neighbours(images: Tensor, black: Tensor) -> Tensor:
    """The same for 2x2 neighbourhoods (B * (n + 1), 4 * C), from one pixel before the image's first on.

    Each row holds a pixel, its neighbours to the right and below, and the one across, so that one lookup fetches
    all that bilinear interpolation needs. Behind each image's last one stands a black one.
    """
    batch, height, width, channels = ops.shape(images)
    framed = ops.pad(images - black, ((0, 0), (1, 1), (1, 1), (0, 0))) + black
    corners = [framed[:, i : i + height + 1, j : j + width + 1] for i in (0, 1) for j in (0, 1)]
    rows = ops.reshape(ops.concatenate(corners, -1), (batch, (height + 1) * (width + 1), 4 * channels))
    table = ops.concatenate([rows, ops.broadcast_to(ops.tile(black, 4), (batch, 1, 4 * channels))], axis=1)
    return ops.reshape(table, (-1, 4 * channels))


def between(found: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Bilinear interpolation within neighbourhoods (..., 4 * C), by how far down and right (...), 0 to 1."""
    channels = found.shape[-1] // 4
    shares = ((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right)
    parts = [found[..., i * channels : (i + 1) * channels] * share[..., None] for i, share in enumerate(shares)]
    return parts[0] + parts[1] + parts[2] + parts[3]


def starts(batch: int, length: int, axis: int = 0) -> Tensor:
    """Where each image's part of a table begins: four axes, with the images in `axis`."""
    return ops.reshape(ops.arange(batch, dtype="int32") * length, [-1 if each == axis else 1 for each in range(4)])
