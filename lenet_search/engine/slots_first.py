"""Maps with their slots in the first axis, for GPUs: (K, B, H, W, C), or (1, B, H, W, C) where all slots see the same.

So each layer is one matrix product per slot, for which a GPU has units of their own, and no slot is part of another's.

A convolution with few channels is a product of *windows*: windows of k + 1 rows, two apart, times a banded matrix that
holds the kernels at all places that the windows have room for, which gives two rows of outputs. The matrix is mostly
zeros, and the units are fast enough not to mind: neighbourhoods of single pixels would be many times the bytes, and
bytes are what bounds a GPU here. Before 2x2 pooling, the columns of the matrix are ordered so that the members of each
2x2 are four blocks, and pooling is elementwise.

Measured 2026-11 on an H100 with a prototype (LeNet-5, 64 slots, batch 128, augmentation, bfloat16): 7.3 million images
per second; 1.5 with a product of neighbourhoods.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.maps import Maps, dropout_mask, pool_of
from lenet_search.networks.transform import transformed

Tensor = Any
FEW = 32  # channels: with more, neighbourhoods take as few bytes, and no zeros. Not measured
WIDEST = 32  # columns of outputs in one window; wider images have several windows side by side
MAPS = 5  # axes of maps; blocks have more


class SlotsFirst(Maps):
    """See `Maps`.

    Args:
        widest: the most columns of outputs in one window
    """

    ORDER = "kbhw"
    AXES = "kbhwc"

    def __init__(self, widest: int = WIDEST) -> None:
        self._widest = widest

    def of_all(self, images: Tensor) -> Tensor:
        """As those of one slot."""
        return images[None]

    def of_each(self, images: Tensor) -> Tensor:
        """As they are."""
        return images

    def spread(self, values: Tensor, x: Tensor) -> Tensor:
        """(K, 1, ..., 1, C)."""
        return ops.reshape(values, (values.shape[0], *[1] * (len(x.shape) - 2), values.shape[1]))

    def per_map(self, values: Tensor, channels: int) -> Tensor:
        """As they are."""
        return values

    def convolution(
        self, x: Tensor, kernels: Tensor, stride: int, padding: str, *, finite: bool, halved: bool
    ) -> Tensor:
        """A product of windows, or of neighbourhoods."""
        if stride > 1 or padding == "same" or (kernels.shape[3] > FEW and not halved):
            return product_of_neighbourhoods(x, kernels, stride, padding)
        return product_of_windows(x, kernels, self._widest, halved=halved)

    def pooled_convolution(self, x: Tensor, kernels: Tensor, *, finite: bool) -> Tensor:
        """A product of windows, and the largest of its four blocks."""
        return self.halved(product_of_windows(x, kernels, self._widest, halved=True), "max")

    def halved(self, x: Tensor, kind: str) -> Tensor:
        """By the four corners of each 2x2, which stand in blocks behind a convolution."""
        if len(x.shape) > MAPS:
            return _joined(pool_of(_corners(x), kind))
        slots, batch, height, width, channels = x.shape
        x = x[:, :, : height // 2 * 2, : width // 2 * 2]
        x = ops.reshape(x, (slots, batch, height // 2, 2, width // 2, 2, channels))
        return pool_of([x[:, :, :, row, :, column] for row in (0, 1) for column in (0, 1)], kind)

    def pooled(self, x: Tensor, kind: str, size: int, stride: int, padding: str) -> Tensor:
        """Keras's, where slots and images are one axis."""
        pool = ops.max_pool if kind == "max" else ops.average_pool
        found = pool(ops.reshape(x, (-1, *x.shape[2:])), size, stride, padding)
        return ops.reshape(found, (*x.shape[:2], *found.shape[1:]))

    def dropped(self, x: Tensor, draw: Tensor, rate: Tensor) -> Tensor:
        """The draw is the same for each slot."""
        return ops.cast(x, "float32") * dropout_mask(draw[None], ops.reshape(rate, (-1, 1, 1, 1, 1)))

    def moments(self, x: Tensor, slots: int) -> tuple[Tensor, Tensor]:
        """Over images, rows and columns."""
        mean, variance = ops.moments(x, axes=(1, 2, 3))
        return mean, variance

    def vectors(self, x: Tensor, slots: int, channels: int) -> Tensor:
        """The last axes become one."""
        x = ops.reshape(x, (*x.shape[:2], -1))
        return ops.broadcast_to(x, (slots, *x.shape[1:]))

    def of_vectors(self, x: Tensor) -> Tensor:
        """With rows and columns of one."""
        return x[:, :, None, None]

    def means(self, x: Tensor, slots: int) -> Tensor:
        """Over rows and columns."""
        return ops.mean(x, axis=(2, 3))

    def transformed(self, x: Tensor, transformations: Tensor, channels: int) -> Tensor:
        """As images of their own: slots and images are one axis."""
        slots = transformations.shape[0]
        shape = (slots, *x.shape[1:])
        own = ops.reshape(ops.broadcast_to(x, shape), (-1, *x.shape[2:]))
        return ops.reshape(transformed(own, ops.reshape(transformations, (1, -1, 6)), backend.gather), shape)


def product_of_windows(x: Tensor, kernels: Tensor, widest: int, *, halved: bool) -> Tensor:
    """A convolution with stride 1 and without padding: windows of the maps times banded matrices.

    Args:
        x: (K, B, H, W, C), or (1, B, H, W, C) seen by all slots
        kernels: (K, k, k, C, F)
        widest: the most columns of outputs in one window
        halved: whether to give blocks, one for each corner of every 2x2, an odd last row or column left out

    Returns:
        (K, B, H', W', F), or with `halved` blocks: (K, B, H' // 2, n, 2, 2, W' // 2 // n, F), whose axes are those of
        2x2s (in n windows side by side), and row and column within one.
    """
    slots, k, _, channels, filters = kernels.shape
    _, batch, height, width, _ = x.shape
    rows, columns = height - k + 1, width - k + 1
    if halved:
        rows, columns = rows // 2 * 2, columns // 2 * 2
    across = _columns(columns, widest, 2 if halved else 1)
    down, beside = math.ceil(rows / 2), columns // across
    if 2 * down > rows:
        x = ops.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 0)))
    seen = across + k - 1
    parts = [x[:, :, :, i * across : i * across + seen] for i in range(beside)]
    strips = ops.reshape(ops.stack(parts, 3), (*x.shape[:3], beside, seen * channels))
    windows = ops.concatenate([strips[:, :, i : i + 2 * down - 1 : 2] for i in range(k + 1)], -1)
    windows = ops.reshape(backend.once(windows), (x.shape[0], batch * down * beside, -1))
    matrix = backend.once(_banded(kernels, across, halved=halved))
    found = ops.matmul(windows, matrix)
    if halved:
        return ops.reshape(found, (slots, batch, down, beside, 2, 2, across // 2, filters))
    found = ops.reshape(found, (slots, batch, down, beside, 2, across, filters))
    if beside > 1:
        found = ops.transpose(found, (0, 1, 2, 4, 3, 5, 6))
    return ops.reshape(found, (slots, batch, 2 * down, columns, filters))[:, :, :rows]


def _columns(columns: int, widest: int, multiple: int) -> int:
    """How many columns of outputs one window gives: the most that divide them all."""
    if columns <= widest:
        return columns
    return max(n for n in range(multiple, widest + 1, multiple) if columns % n == 0)


def _banded(kernels: Tensor, across: int, *, halved: bool) -> Tensor:
    """What turns a window into two rows of outputs of `across` columns: (K, (k + 1) * (across + k - 1) * C, ...).

    Kernels are repeated and shifted by one place each time: they are filled up with zeros to one place more than a
    window has, repeated in a row, and cut off, so that each begins one place later than the one before. In that way
    gradients are sums along an axis, where a lookup would have to collect them one by one.
    """
    slots, k, _, channels, filters = kernels.shape
    banded = kernels
    for axis, outputs in ((1, 2), (3, across)):  # rows; then columns, of which there is a new axis before
        seen, size = outputs + k - 1, banded.shape
        pads = [(0, 0)] * len(size)
        pads[axis] = (0, outputs)
        banded = ops.expand_dims(ops.pad(banded, pads), axis)
        banded = ops.broadcast_to(banded, (*size[:axis], outputs, seen + 1, *size[axis + 1 :]))
        banded = ops.reshape(banded, (*size[:axis], outputs * (seen + 1), *size[axis + 1 :]))
        banded = banded[(*[slice(None)] * axis, slice(outputs * seen))]
        banded = ops.reshape(banded, (*size[:axis], outputs, seen, *size[axis + 1 :]))
    # now (K, rows of outputs, rows, columns of outputs, columns, C, F)
    if halved:
        banded = ops.reshape(banded, (slots, 2, k + 1, across // 2, 2, across + k - 1, channels, filters))
        banded = ops.transpose(banded, (0, 2, 5, 6, 1, 4, 3, 7))
    else:
        banded = ops.transpose(banded, (0, 2, 4, 5, 1, 3, 6))
    return ops.reshape(banded, (slots, (k + 1) * (across + k - 1) * channels, -1))


def _corners(blocks: Tensor) -> Sequence[Tensor]:
    return [blocks[:, :, :, :, row, column] for row in (0, 1) for column in (0, 1)]


def _joined(found: Tensor) -> Tensor:
    """Maps of windows side by side."""
    slots, batch, height, beside, width, filters = found.shape
    return ops.reshape(found, (slots, batch, height, beside * width, filters))


def product_of_neighbourhoods(x: Tensor, kernels: Tensor, stride: int, padding: str) -> Tensor:
    """A convolution as the k * k neighbourhoods of all pixels times the kernels.

    Args:
        x: (K, B, H, W, C), or (1, B, H, W, C) seen by all slots
        kernels: (K, k, k, C, F)
        stride: of rows and columns
        padding: "valid" or "same", as Keras means them

    Returns:
        (K, B, H', W', F)
    """
    slots, k, *_, filters = kernels.shape
    if padding == "same":  # what is odd goes behind
        lost = [max((-(-side // stride) - 1) * stride + k - side, 0) for side in x.shape[2:4]]
        x = ops.pad(x, ((0, 0), (0, 0), *((each // 2, each - each // 2) for each in lost), (0, 0)))
    _, batch, *sides, _ = x.shape
    rows, columns = ((side - k) // stride + 1 for side in sides)
    last = (rows - 1) * stride + 1, (columns - 1) * stride + 1
    offsets = [x[:, :, i : i + last[0] : stride, j : j + last[1] : stride] for i in range(k) for j in range(k)]
    neighbourhoods = ops.reshape(ops.concatenate(offsets, -1), (x.shape[0], batch * rows * columns, -1))
    found = ops.matmul(neighbourhoods, ops.reshape(kernels, (slots, -1, filters)))
    return ops.reshape(found, (slots, batch, rows, columns, filters))
