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
    """One variable of a network. `role` says how it starts and whether it is trained and penalized.

    kernel                        by the recipe's initializer
    connections                   the same, from the full kernels `fans`, map by map (a convolution with a table)
    coefficient                   the same, as one of the four equal weights of a unit (subsampling)
    bias, beta, moving_mean       0
    gamma, moving_variance        1
    affine_kernel, affine_bias    0 and the identity (a spatial transformer)
    """

    name: str
    shape: Shape
    role: str
    fans: tuple[Shape, ...] = ()

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def penalized(self) -> bool:
        """Whether l1 and l2 hold it small."""
        return self.role in ("kernel", "connections", "coefficient", "affine_kernel")

    @property
    def trainable(self) -> bool:
        """Whether the optimizer moves it; moving statistics follow the data instead."""
        return not self.role.startswith("moving")


@dataclass(frozen=True)
class Conv:
    """A convolution with bias over (H, W, C)."""

    name: str
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

    @property
    def plain(self) -> bool:
        """Stride 1, no padding, every filter sees every map."""
        return self.stride == 1 and self.padding == "valid" and not self.connections

    def covers(self, shape: Shape) -> bool:
        """Whether the kernel is as large as the image, so that there is one output, and nothing is shared."""
        return self.padding == "valid" and tuple(shape[:2]) == (self.kernel_size, self.kernel_size)


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
    """Dropout of single numbers; `rate` names the field of `[regularize]` that says how many."""

    rate: str = "dropout"


@dataclass(frozen=True)
class SpatialDropout(Plain):
    """Dropout of whole feature maps (Tompson et al. 2015)."""


@dataclass(frozen=True)
class Pool(Plain):
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


@dataclass(frozen=True)
class GlobalPool(Plain):
    """The mean of each feature map: (H, W, C) to (C,)."""

    def output(self, shape: Shape) -> Shape:
        """(C,)."""
        return (shape[2],)


@dataclass(frozen=True)
class Subsampling:
    """The sum of 2x2 pixels times a coefficient plus a bias, one of each for a map (LeCun et al. 1998, S2 and S4)."""

    name: str

    def output(self, shape: Shape) -> Shape:
        """Half of each side."""
        return shape[0] // 2, shape[1] // 2, shape[2]

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Coefficient and bias, (C,) each."""
        return [
            Parameter(f"{self.name}.coefficient", (shape[-1],), "coefficient"),
            Parameter(f"{self.name}.bias", (shape[-1],), "bias"),
        ]


@dataclass(frozen=True)
class RadialBasis(Plain):
    """Minus the squared distance from (84,) to each class's bitmap (LeCun et al. 1998, equation 7)."""

    classes: int

    def output(self, shape: Shape) -> Shape:
        """(classes,)."""
        return (self.classes,)


@dataclass(frozen=True)
class Affine:
    """A dense layer that gives the six numbers of an affine transformation, the identity to begin with."""

    name: str

    def output(self, shape: Shape) -> Shape:
        """(6,)."""
        return (6,)

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Kernel (in, 6) and bias (6,)."""
        return [
            Parameter(f"{self.name}.kernel", (shape[0], 6), "affine_kernel"),
            Parameter(f"{self.name}.bias", (6,), "affine_bias"),
        ]


@dataclass(frozen=True)
class SpatialTransformer(Plain):
    """Each image under the affine transformation that the layers `localization` see in it (Jaderberg et al. 2015)."""

    localization: "tuple[Layer, ...]"

    def parameters(self, shape: Shape) -> list[Parameter]:
        """Those of the localization network."""
        return parameters(self.localization, shape)


@dataclass(frozen=True)
class Flatten(Plain):
    """(H, W, C) to (H * W * C,)."""

    def output(self, shape: Shape) -> Shape:
        """One axis."""
        return (math.prod(shape),)


def _sides(shape: Shape, size: int, stride: int, padding: str) -> tuple[int, int]:
    """Height and width after a window of `size` moved by `stride`, as Keras counts."""
    lost = size - 1 if padding == "valid" else 0
    height, width = (math.ceil((side - lost) / stride) for side in shape[:2])
    return height, width


Layer = (
    Conv
    | Dense
    | BatchNorm
    | Activation
    | Dropout
    | SpatialDropout
    | Pool
    | GlobalPool
    | Subsampling
    | RadialBasis
    | Affine
    | SpatialTransformer
    | Flatten
)


def walk(layers: Sequence[Layer], image_shape: Shape) -> Iterator[tuple[Layer, Shape]]:
    """Each layer with the shape of its input, from the image on."""
    shape = image_shape
    for layer in layers:
        yield layer, shape
        shape = layer.output(shape)


def parameters(layers: Sequence[Layer], image_shape: Shape) -> list[Parameter]:
    """All parameters of a network, in the order of its layers."""
    return [parameter for layer, shape in walk(layers, image_shape) for parameter in layer.parameters(shape)]
