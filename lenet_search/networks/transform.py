"""The grid generator and the sampler of a spatial transformer (Jaderberg et al. 2015, sections 3.2 and 3.3)."""

from collections.abc import Callable
from typing import Any

from keras import ops

from lenet_search.networks.interpolation import between_pixels

Tensor = Any


def transformed(images: Tensor, transformations: Tensor, rows_of: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Each of B images under each of its K affine transformations.

    Args:
        images: (B, H, W, C)
        transformations: (K, B, 6): where each pixel of the result comes from is x' = a x + b y + c and
            y' = d x + e y + f, with x and y from -1 to 1 over the image (equation 1)
        rows_of: (table, indices) to the rows of a table

    Returns:
        (B, H, W, K, C), interpolated bilinearly (equation 5); what comes from outside of the image is 0.
    """
    _, height, width, _ = images.shape
    x = ops.reshape(ops.linspace(-1.0, 1.0, width, dtype="float32"), (1, 1, width, 1))
    y = ops.reshape(ops.linspace(-1.0, 1.0, height, dtype="float32"), (1, height, 1, 1))
    a, b, c, d, e, f = (ops.transpose(transformations[:, :, i])[:, None, None] for i in range(6))
    from_x, from_y = a * x + b * y + c, d * x + e * y + f
    # A wild transformation leads out of the whole numbers; beyond one frame everything is 0 anyway.
    column = (ops.clip(from_x, -3.0, 3.0) + 1.0) * ((width - 1) / 2)
    row = (ops.clip(from_y, -3.0, 3.0) + 1.0) * ((height - 1) / 2)
    return between_pixels(images, row, column, ops.zeros((images.shape[-1],)), rows_of)
