"""The stacked convolution as matrix products, for devices that are built for those."""

from typing import Any

from keras import ops

Tensor = Any


def product_of_patches(images: Tensor, kernels: Tensor) -> Tensor:
    """Kernels times the k * k neighbourhoods of all pixels, one product per slot; shapes as in `convolution`.

    Neighbourhoods are gathered with the batch innermost, so that they are copied in runs as long as that.
    """
    slots, k, _, channels, filters = kernels.shape
    batch, height, width, _ = images.shape
    rows, columns = height - k + 1, width - k + 1
    own = ops.transpose(ops.reshape(images, (batch, height, width, -1, channels)), (3, 4, 1, 2, 0))
    offsets = [own[:, :, i : i + rows, j : j + columns] for i in range(k) for j in range(k)]
    patches = ops.reshape(ops.stack(offsets, axis=1), (-1, k * k * channels, rows * columns * batch))
    weights = ops.transpose(ops.reshape(kernels, (slots, k * k * channels, filters)), (0, 2, 1))
    if images.shape[-1] == channels:  # seen by all slots: one product for all filters of all of them
        out = ops.matmul(ops.reshape(weights, (slots * filters, -1)), patches[0])
    else:
        out = ops.matmul(weights, patches)
    out = ops.transpose(ops.reshape(out, (slots, filters, rows, columns, batch)), (4, 2, 3, 0, 1))
    return ops.reshape(out, (batch, rows, columns, slots * filters))
