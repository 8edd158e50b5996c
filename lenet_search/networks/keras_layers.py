"""The layers of `lenet5_1998` and `lenet5_stn` that Keras does not provide, for models that leave this package.

They are registered: a saved model loads again, in safe mode too, after `import lenet_search.networks.keras_layers`.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from lenet_search.networks.bitmaps import bitmaps
from lenet_search.networks.transform import transformed

Tensor = Any
PACKAGE = "lenet_search"


def full_kernel(kernel: Tensor, connections: Sequence[Sequence[int]], maps: int) -> Tensor:
    """The kernel of an ordinary convolution (..., maps, filters) from that of a table (..., connections).

    Where a filter does not see a map the weights are 0, and stay so: no gradient reaches them.
    """
    absent = sum(map(len, connections))
    places = [[absent] * len(connections) for _ in range(maps)]
    connection = 0
    for filter_, seen in enumerate(connections):
        for each in seen:
            places[each][filter_] = connection
            connection += 1
    with_zero = ops.concatenate([kernel, ops.zeros_like(kernel[..., :1])], axis=-1)
    return ops.take(with_zero, ops.convert_to_tensor(places, "int32"), axis=-1)


def distances(units: Tensor, classes: int) -> Tensor:
    """Squared distances (..., classes) from units (..., 84) to the bitmaps."""
    return ops.sum(ops.square(units[..., None, :] - bitmaps(classes)), axis=-1)


@keras.saving.register_keras_serializable(PACKAGE)
class TableConv2D(keras.layers.Layer):  # type: ignore[misc]  # Keras comes without types
    """A convolution, "valid", stride 1, in which each filter sees only some of the maps (LeCun et al. 1998, table I).

    (n, H, W, maps) to (n, H - k + 1, W - k + 1, filters). `kernel` (k, k, connections) holds the weights that exist,
    filter by filter, `bias` (filters,).
    """

    def __init__(
        self,
        kernel_size: int,
        connections: Sequence[Sequence[int]],
        kernel_regularizer: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.kernel_size = kernel_size
        self.connections = [list(seen) for seen in connections]
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Sequence[int]) -> None:
        """Make the variables."""
        shape = (self.kernel_size, self.kernel_size, sum(map(len, self.connections)))
        self.kernel = self.add_weight(name="kernel", shape=shape, regularizer=self.kernel_regularizer)
        self.bias = self.add_weight(name="bias", shape=(len(self.connections),), initializer="zeros")

    def call(self, inputs: Tensor) -> Tensor:
        """What the class says."""
        kernel = full_kernel(self.kernel, self.connections, inputs.shape[-1])
        return ops.conv(inputs, kernel, padding="valid") + self.bias

    def get_config(self) -> dict[str, Any]:
        """What makes an equal layer."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "connections": self.connections,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@keras.saving.register_keras_serializable(PACKAGE)
class Subsampling2D(keras.layers.Layer):  # type: ignore[misc]
    """The sum of each 2x2 pixels, times a coefficient, plus a bias, one of each for a map (LeCun et al. 1998, S2).

    (n, H, W, maps) to (n, H / 2, W / 2, maps). `coefficient` and `bias` (maps,).
    """

    def __init__(self, kernel_regularizer: Any = None, **more: Any) -> None:
        super().__init__(**more)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: Sequence[int]) -> None:
        """Make the variables."""
        maps = (input_shape[-1],)
        self.coefficient = self.add_weight(
            name="coefficient",
            shape=maps,
            initializer=keras.initializers.Constant(0.25),
            regularizer=self.kernel_regularizer,
        )
        self.bias = self.add_weight(name="bias", shape=maps, initializer="zeros")

    def call(self, inputs: Tensor) -> Tensor:
        """What the class says."""
        return ops.average_pool(inputs, 2, 2) * (4.0 * self.coefficient) + self.bias

    def get_config(self) -> dict[str, Any]:
        """What makes an equal layer."""
        own = {"kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer)}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(PACKAGE)
class RadialBasis(keras.layers.Layer):  # type: ignore[misc]
    """Minus the squared distance from (n, 84) to each class's bitmap, (n, classes) (LeCun et al. 1998, equation 7)."""

    def __init__(self, classes: int, **more: Any) -> None:
        super().__init__(**more)
        self.classes = classes

    def call(self, inputs: Tensor) -> Tensor:
        """What the class says."""
        return -distances(inputs, self.classes)

    def get_config(self) -> dict[str, Any]:
        """What makes an equal layer."""
        return {**super().get_config(), "classes": self.classes}


@keras.saving.register_keras_serializable(PACKAGE)
class AffineSampler(keras.layers.Layer):  # type: ignore[misc]
    """Images (n, H, W, C) under affine transformations (n, 6), sampled bilinearly (Jaderberg et al. 2015, eq. 1, 5)."""

    def call(self, images: Tensor, transformations: Tensor) -> Tensor:
        """What the class says."""

        def rows_of(table: Tensor, rows: Tensor) -> Tensor:
            return ops.take(table, rows, axis=0)

        return transformed(images, transformations[None], rows_of)[:, :, :, 0]

    def compute_output_shape(
        self, images_shape: Sequence[int], transformations_shape: Sequence[int]
    ) -> tuple[int, ...]:
        """That of the images."""
        return tuple(images_shape)
