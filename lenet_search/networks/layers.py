"""The layers that networks are made of: their shapes and parameters, nothing that computes.

A network is a plain list of these. `engine.forward` runs such a list for a whole stack, `networks.plain` builds
an ordinary `keras.Model` from it; both name and order the parameters as `parameters` does.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Parameter:
    """One variable of a network. `role` says how it starts and whether it is trained and penalized."""

    name: str
    shape: Shape
    role: str  # "kernel" | "bias" | "gamma" | "beta" | "moving_mean" | "moving_variance"

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def trainable(self) -> bool:
        """Whether the optimizer moves it; moving statistics follow the data instead."""
        return not self.role.startswith("moving")


@dataclass(frozen=True)
class Conv:
    """A convolution with bias, stride 1, over (H, W, C)."""

    name: str
    filters: int
    kernel_size: int

    def output(self, shape: Shape) -> Shape:
        """Without padding, each side loses kernel_size - 1 pixels."""
        side = self.kernel_size - 1
        return shape[0] - side, shape[1] - side, self.filters

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Kernel (k, k, in, out) and bias (out,)."""
        k = self.kernel_size
        return [
            Parameter(f"{self.name}.kernel", (k, k, shape[-1], self.filters), "kernel"),
            Parameter(f"{self.name}.bias", (self.filters,), "bias"),
        ]


@dataclass(frozen=True)
class Dense:
    """A fully connected layer with bias."""

    name: str
    units: int

    def output(self, shape: Shape) -> Shape:
        """(units,)."""
        return (self.units,)

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Kernel (in, out) and bias (out,)."""
        return [
            Parameter(f"{self.name}.kernel", (shape[0], self.units), "kernel"),
            Parameter(f"{self.name}.bias", (self.units,), "bias"),
        ]


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalization over the last axis (Ioffe & Szegedy 2015), with Keras's momentum and epsilon."""

    name: str
    momentum: float = 0.99
    epsilon: float = 1e-3

    def output(self, shape: Shape) -> Shape:
        """Unchanged."""
        return shape

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Scale, offset and moving statistics, (channels,) each."""
        roles = ("gamma", "beta", "moving_mean", "moving_variance")
        return [Parameter(f"{self.name}.{role}", (shape[-1],), role) for role in roles]


@dataclass(frozen=True)
class Plain:
    """Base of the layers without parameters whose output has the shape of their input."""

    name: str

    def output(self, shape: Shape) -> Shape:
        """Unchanged."""
        return shape

    def parameters(self, shape: Shape) -> list[Parameter]:
        """None."""
        return []


@dataclass(frozen=True)
class Activation(Plain):
    """An elementwise activation, by its name in `recipe.model.ACTIVATIONS`."""

    kind: str


@dataclass(frozen=True)
class Dropout(Plain):
    """Dropout of single units."""


@dataclass(frozen=True)
class SpatialDropout(Plain):
    """Dropout of whole feature maps (Tompson et al. 2015)."""


@dataclass(frozen=True)
class Pool(Plain):
    """2x2 pooling, "average" or "max"."""

    kind: str

    def output(self, shape: Shape) -> Shape:
        """Half of each side, an odd last row or column left out."""
        return shape[0] // 2, shape[1] // 2, shape[2]


@dataclass(frozen=True)
class Flatten(Plain):
    """(H, W, C) to (H * W * C,)."""

    def output(self, shape: Shape) -> Shape:
        """One axis."""
        return (math.prod(shape),)


Layer = Conv | Dense | BatchNorm | Activation | Dropout | SpatialDropout | Pool | Flatten


def walk(layers: Sequence[Layer], image_shape: Shape) -> Iterator[tuple[Layer, Shape]]:
    """Each layer with the shape of its input, from the image on."""
    shape = image_shape
    for layer in layers:
        yield layer, shape
        shape = layer.output(shape)


def parameters(layers: Sequence[Layer], image_shape: Shape) -> list[Parameter]:
    """All parameters of a network, in the order of its layers."""
    return [parameter for layer, shape in walk(layers, image_shape) for parameter in layer.parameters(shape)]
