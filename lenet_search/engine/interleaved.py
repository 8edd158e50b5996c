"""Maps with their slots in the last axis: (B, H, W, K * C), slot by slot, or (B, H, W, C) where all see the same.

So one convolution with K groups, or K convolutions, compute all slots. For TensorFlow on processors, where it has fast
convolutions (oneDNN).
"""

from typing import Any

from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.backend.tensorflow import convolution, pooled_convolution
from lenet_search.engine.maps import Maps, dropout_mask, pool_of
from lenet_search.networks.transform import transformed

Tensor = Any


class Interleaved(Maps):
    """See `Maps`.

    That a slot's course is the same to the bit whatever its neighbors do holds on processors, for which these lowerings
    are. On a GPU, where neither is chosen, it need not hold: cuDNN picks algorithms anew in each run. With an earlier
    version and JAX on an H100, the tests of isolation failed under "separate" in float32, and passed otherwise
    (November 2026).

    Args:
        lowering: how convolutions are computed: "grouped", "narrow" or "separate"
    """

    ORDER = AXES = "bhwk"

    def __init__(self, lowering: str) -> None:
        self._lowering = lowering

    def of_all(self, images: Tensor) -> Tensor:
        """As they are."""
        return images

    def of_each(self, images: Tensor) -> Tensor:
        """Slots and channels become one axis."""
        return ops.reshape(images, (*images.shape[:3], -1))

    def spread(self, values: Tensor, x: Tensor) -> Tensor:
        """(K * C,)."""
        return ops.reshape(values, (-1,))

    def per_map(self, values: Tensor, channels: int) -> Tensor:
        """Repeated for each channel."""
        return ops.repeat(values, channels)

    def convolution(
        self, x: Tensor, kernels: Tensor, stride: int, padding: str, *, finite: bool, halved: bool
    ) -> Tensor:
        """The backend's."""
        return convolution(x, kernels, self._lowering, stride, padding, finite=finite)

    def pooled_convolution(self, x: Tensor, kernels: Tensor, *, finite: bool) -> Tensor:
        """The backend's."""
        return pooled_convolution(x, kernels, self._lowering, finite=finite)

    def halved(self, x: Tensor, kind: str) -> Tensor:
        """By the four corners of each 2x2."""
        batch, height, width, channels = x.shape
        x = x[:, : height // 2 * 2, : width // 2 * 2]
        x = ops.reshape(x, (batch * (height // 2), 2, width // 2, 2, channels))
        pooled = pool_of([x[:, row, :, column] for row in (0, 1) for column in (0, 1)], kind)
        return ops.reshape(pooled, (batch, height // 2, width // 2, channels))

    def pooled(self, x: Tensor, kind: str, size: int, stride: int, padding: str) -> Tensor:
        """Keras's."""
        return (ops.max_pool if kind == "max" else ops.average_pool)(x, size, stride, padding)

    def dropped(self, x: Tensor, draw: Tensor, rate: Tensor) -> Tensor:
        """The draw is repeated for each slot."""
        batch, height, width, _ = x.shape
        channels = draw.shape[-1]
        x = ops.reshape(ops.cast(x, "float32"), (batch, height, width, -1, channels))
        x = x * dropout_mask(draw[:, :, :, None], rate[:, None])
        return ops.reshape(x, (batch, height, width, -1))

    def moments(self, x: Tensor, slots: int) -> tuple[Tensor, Tensor]:
        """Over all axes but the last."""
        mean, variance = ops.moments(x, axes=(0, 1, 2))
        return ops.reshape(mean, (slots, -1)), ops.reshape(variance, (slots, -1))

    def vectors(self, x: Tensor, slots: int, channels: int) -> Tensor:
        """Slots go to the front."""
        batch, height, width, depth = x.shape
        if depth == channels:  # all slots see the same
            return ops.broadcast_to(ops.reshape(x, (1, batch, -1)), (slots, batch, height * width * channels))
        x = ops.reshape(x, (batch, height * width, slots, channels))
        return ops.reshape(ops.transpose(x, (2, 0, 1, 3)), (slots, batch, -1))

    def of_vectors(self, x: Tensor) -> Tensor:
        """Slots go to the back."""
        return ops.reshape(ops.transpose(x, (1, 0, 2)), (x.shape[1], 1, 1, -1))

    def means(self, x: Tensor, slots: int) -> Tensor:
        """Slots go to the front."""
        x = ops.mean(x, axis=(1, 2))
        return ops.transpose(ops.reshape(x, (x.shape[0], slots, -1)), (1, 0, 2))

    def transformed(self, x: Tensor, transformations: Tensor, channels: int) -> Tensor:
        """As images of their own, and back."""
        slots, batch, _ = transformations.shape
        _, height, width, depth = x.shape
        if depth == channels:  # all slots see the same
            x = transformed(x, transformations, backend.gather)
        else:
            x = ops.transpose(ops.reshape(x, (batch, height, width, slots, channels)), (3, 0, 1, 2, 4))
            own = ops.reshape(x, (-1, height, width, channels))
            x = transformed(own, ops.reshape(transformations, (1, -1, 6)), backend.gather)
            x = ops.transpose(ops.reshape(x, (slots, batch, height, width, channels)), (1, 2, 3, 0, 4))
        return ops.reshape(x, (batch, height, width, slots * channels))
