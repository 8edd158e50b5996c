"""The stacked convolution as matrix products, for devices that are built for those."""

from typing import Any

from keras import ops

Tensor = Any


def product_of_patches(
    images: Tensor, kernels: Tensor, stride: int = 1, padding: str = "valid", pooled: bool = False
) -> Tensor:
    """Kernels times the k * k neighbourhoods of all pixels, one product per slot.

    Neighbourhoods are gathered with the batch innermost, so that they are copied in runs as long as that.

    Args:
        images: (B, H, W, C) seen by all slots, or (B, H, W, K * C), slot by slot
        kernels: (K, k, k, C, F)
        stride: of rows and columns
        padding: "valid" or "same", as Keras means them
        pooled: whether 2x2 max pooling follows, an odd last row or column left out

    Returns:
        (B, H', W', K * F), slot by slot
    """
    slots, k, _, channels, filters = kernels.shape
    batch, *sides, depth = images.shape
    if padding == "same":  # what is odd goes behind
        lost = [max((-(-side // stride) - 1) * stride + k - side, 0) for side in sides]
        images = ops.pad(images, ((0, 0), *((each // 2, each - each // 2) for each in lost), (0, 0)))
    height, width = images.shape[1:3]
    rows, columns = (height - k) // stride + 1, (width - k) // stride + 1
    own = ops.transpose(ops.reshape(images, (batch, height, width, -1, channels)), (3, 4, 1, 2, 0))
    offsets = [
        own[:, :, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
        for i in range(k)
        for j in range(k)
    ]
    patches = ops.reshape(ops.stack(offsets, axis=1), (-1, k * k * channels, rows * columns * batch))
    weights = ops.transpose(ops.reshape(kernels, (slots, k * k * channels, filters)), (0, 2, 1))
    if depth == channels:  # seen by all slots: one product for all filters of all of them
        out = ops.matmul(ops.reshape(weights, (slots * filters, -1)), patches[0])
    else:
        out = ops.matmul(weights, patches)
    out = ops.reshape(out, (slots * filters, rows, columns, batch))
    if pooled:
        out = largest_of_four(out, axis=1)
    return ops.transpose(out, (3, 1, 2, 0))


def largest_of_four(x: Tensor, axis: int) -> Tensor:
    """2x2 max pooling over `axis` and the next; where several are equal, the gradient goes to the first, as in Keras.

    An odd last row or column is left out. Unlike a pooling operation, it is elementwise in both directions.
    """
    before, rows, columns, after = x.shape[:axis], x.shape[axis] // 2, x.shape[axis + 1] // 2, x.shape[axis + 2 :]
    all_before = (slice(None),) * axis
    x = x[(*all_before, slice(2 * rows), slice(2 * columns))]
    x = ops.reshape(x, (*before, rows, 2, columns, 2, *after))
    above, below = (
        _larger(x[(*all_before, slice(None), row, slice(None), 0)], x[(*all_before, slice(None), row, slice(None), 1)])
        for row in (0, 1)
    )
    return _larger(above, below)


def _larger(first: Tensor, second: Tensor) -> Tensor:
    """The first where both are equal, and what is not a number wherever there is one."""
    return ops.where((first >= second) | ops.isnan(first), first, second)
