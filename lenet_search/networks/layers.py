"""The layers that networks are made of: their shapes and parameters, nothing that computes.

A network is a plain list of these. `engine.forward` runs such a list for a whole stack, `networks.plain` makes an
ordinary `keras.Model` of it by the layers' calls, and `results.script` writes these down. All name and order the
parameters as `parameters` does.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lenet_search.networks.activations import ACTIVATIONS
from lenet_search.networks.call import Call
from lenet_search.networks.parameter import Parameter, Shape

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)  # the affine transformation x' = x, y' = y


@dataclass(frozen=True)
class Layer:
    """A layer; if it says nothing else, one without parameters that keeps its input's shape."""

    name: str

    def output(self, shape: Shape) -> Shape:
        """The shape of what it gives for one input of `shape`."""
        return shape

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Its variables, in Keras's order, where it sees `shape`."""
        return []

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """The layers of Keras, or of `networks.keras_layers`, that compute it; `rates` are the recipe's dropouts."""
        raise NotImplementedError


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution with bias over (H, W, C)."""

    filters: int
    kernel_size: int
    stride: int = 1
    padding: str = "valid"  # or "same"
    connections: tuple[tuple[int, ...], ...] = ()  # for each filter the maps that it sees; none given: all

    def output(self, shape: Shape) -> Shape:
        """Without padding, each side loses kernel_size - 1 pixels; stride divides it, rounded up."""
        return *_sides(shape, self.kernel_size, self.stride, self.padding), self.filters

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Kernel (k, k, in, out), with a table (k, k, connections), and bias (out,)."""
        k = self.kernel_size
        kernel = Parameter(f"{self.name}.kernel", (k, k, shape[-1], self.filters), "kernel")
        if self.connections:
            fans = tuple((k, k, len(seen), self.filters) for seen in self.connections)
            kernel = Parameter(kernel.name, (k, k, sum(map(len, self.connections))), "connections", fans)
        return [kernel, Parameter(f"{self.name}.bias", (self.filters,), "bias")]

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's convolution, or ours with a table."""
        if self.connections:
            return [Call("TableConv2D", (self.kernel_size, self.connections), kernel=True, own=True)]
        options: dict[str, Any] = {"strides": self.stride} if self.stride > 1 else {}
        options |= {"padding": self.padding} if self.padding != "valid" else {}
        return [Call("Conv2D", (self.filters, self.kernel_size), options, kernel=True)]

    @property
    def plain(self) -> bool:
        """Stride 1, no padding, every filter sees every map."""
        return self.stride == 1 and self.padding == "valid" and not self.connections

    def covers(self, shape: Shape) -> bool:
        """Whether the kernel is as large as the image, so that there is one output, and nothing is shared."""
        return self.padding == "valid" and tuple(shape[:2]) == (self.kernel_size, self.kernel_size)


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer with bias."""

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

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's."""
        return [Call("Dense", (self.units,), kernel=True)]


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalization over the last axis (Ioffe & Szegedy 2015), with Keras's momentum and epsilon."""

    momentum: float = 0.99
    epsilon: float = 1e-3

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Scale, offset and moving statistics, (channels,) each."""
        roles = ("gamma", "beta", "moving_mean", "moving_variance")
        return [Parameter(f"{self.name}.{role}", (shape[-1],), role) for role in roles]

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's."""
        return [Call("BatchNormalization", options={"momentum": self.momentum, "epsilon": self.epsilon})]


@dataclass(frozen=True)
class Activation(Layer):
    """An elementwise activation, by its name in `ACTIVATIONS`."""

    kind: str

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """What the activation says."""
        return list(ACTIVATIONS[self.kind].keras)


@dataclass(frozen=True)
class Dropout(Layer):
    """Dropout of single numbers; `rate` names the field of `[regularize]` that says how many."""

    rate: str = "dropout"

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's."""
        return [Call("Dropout", (rates[self.rate],))]


@dataclass(frozen=True)
class SpatialDropout(Dropout):
    """Dropout of whole feature maps (Tompson et al. 2015)."""

    rate: str = "spatial_dropout"

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's."""
        return [Call("SpatialDropout2D", (rates[self.rate],))]


@dataclass(frozen=True)
class Pool(Layer):
    """Pooling over size x size pixels, "average" or "max"; "valid" leaves out an odd last row or column."""

    kind: str
    size: int = 2
    stride: int = 2
    padding: str = "valid"  # or "same"

    @property
    def halves(self) -> bool:
        """2x2 pixels to one, an odd last row or column left out."""
        return self.size == self.stride == 2 and self.padding == "valid"

    def output(self, shape: Shape) -> Shape:
        """Each side divided by the stride."""
        return *_sides(shape, self.size, self.stride, self.padding), shape[2]

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's."""
        name = "MaxPooling2D" if self.kind == "max" else "AveragePooling2D"
        return [Call(name, (self.size,) if self.halves else (self.size, self.stride, self.padding))]


@dataclass(frozen=True)
class GlobalPool(Layer):
    """The mean of each feature map: (H, W, C) to (C,)."""

    def output(self, shape: Shape) -> Shape:
        """(C,)."""
        return (shape[2],)

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's."""
        return [Call("GlobalAveragePooling2D")]


@dataclass(frozen=True)
class Subsampling(Layer):
    """The sum of 2x2 pixels times a coefficient plus a bias, one of each for a map (LeCun et al. 1998, S2 and S4)."""

    def output(self, shape: Shape) -> Shape:
        """Half of each side."""
        return shape[0] // 2, shape[1] // 2, shape[2]

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Coefficient and bias, (C,) each."""
        return [
            Parameter(f"{self.name}.coefficient", (shape[-1],), "coefficient"),
            Parameter(f"{self.name}.bias", (shape[-1],), "bias"),
        ]

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Ours."""
        return [Call("Subsampling2D", kernel=True, own=True)]


@dataclass(frozen=True)
class RadialBasis(Layer):
    """Minus the squared distance from (84,) to each class's bitmap (LeCun et al. 1998, equation 7)."""

    classes: int

    def output(self, shape: Shape) -> Shape:
        """(classes,)."""
        return (self.classes,)

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Ours."""
        return [Call("RadialBasis", (self.classes,), own=True)]


@dataclass(frozen=True)
class Affine(Layer):
    """A dense layer that gives the six numbers of an affine transformation, the identity to begin with."""

    def output(self, shape: Shape) -> Shape:
        """(6,)."""
        return (6,)

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Kernel (in, 6) and bias (6,)."""
        return [
            Parameter(f"{self.name}.kernel", (shape[0], 6), "affine_kernel"),
            Parameter(f"{self.name}.bias", (6,), "affine_bias"),
        ]

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's dense layer."""
        identity = {"class_name": "Constant", "config": {"value": list(IDENTITY)}}
        return [Call("Dense", (6,), {"kernel_initializer": "zeros", "bias_initializer": identity}, kernel=True)]


@dataclass(frozen=True)
class SpatialTransformer(Layer):
    """Each image under the affine transformation that the layers `localization` see in it (Jaderberg et al. 2015)."""

    localization: tuple[Layer, ...]

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Those of the localization network."""
        return parameters(self.localization, shape)

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Ours, which takes the transformations as its second input."""
        return [Call("AffineSampler", own=True)]


@dataclass(frozen=True)
class Flatten(Layer):
    """(H, W, C) to (H * W * C,)."""

    def output(self, shape: Shape) -> Shape:
        """One axis."""
        return (math.prod(shape),)

    def calls(self, rates: Mapping[str, float]) -> list[Call]:
        """Keras's."""
        return [Call("Flatten")]


def _sides(shape: Shape, size: int, stride: int, padding: str) -> tuple[int, int]:
    """Height and width after a window of `size` moved by `stride`, as Keras counts."""
    lost = size - 1 if padding == "valid" else 0
    height, width = (math.ceil((side - lost) / stride) for side in shape[:2])
    return height, width


def walk(layers: Sequence[Layer], image_shape: Shape) -> Iterator[tuple[Layer, Shape]]:
    """Each layer with the shape of its input, from the image on."""
    shape = image_shape
    for layer in layers:
        yield layer, shape
        shape = layer.output(shape)


def parameters(layers: Sequence[Layer], image_shape: Shape) -> list[Parameter]:
    """All parameters of a network, in the order of its layers."""
    return [parameter for layer, shape in walk(layers, image_shape) for parameter in layer.parameters(shape)]
