"""What an architecture is: its layers, and everything that is true of it alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lenet_search.errors import DataError
from lenet_search.networks.layers import Activation, BatchNorm, Conv, Dense, Layer
from lenet_search.networks.parameter import Shape


class Model(Protocol):
    """What a network takes from a recipe's `[model]`, which is `recipe.model.Model`."""

    @property
    def network(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> float: ...  # noqa: D102
    @property
    def activation(self) -> str: ...  # noqa: D102
    @property
    def pooling(self) -> str: ...  # noqa: D102
    @property
    def batch_norm(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Network:
    """An architecture, and its facts; its file names the source.

    `curvature` says what `optimizer.sdlm` can measure: "exact" second derivatives in seconds, only "approximate" ones,
    or "" for none.
    """

    meaning: str
    layers: Callable[[Model, int], list[Layer]]  # of a recipe's `[model]`, for so many classes
    counts: Mapping[Shape, int]  # parameters for ten classes, by the shape of the images
    smallest: int = 1  # side of the smallest images, in pixels
    side: int | None = None  # side of the images, if only one size is allowed
    most_classes: int | None = None
    padded: bool = True  # whether 28x28 images get a frame of two pixels, as in LeCun et al. 1998
    radial_basis: bool = False  # whether its outputs are distances to fixed patterns
    curvature: str = "approximate"
    without_effect: frozenset[str] = field(default_factory=frozenset)  # hyperparameters that it ignores

    def check(self, name: str, image_shape: Shape, classes: int) -> None:
        """Check that the network can be built for these images and classes.

        Raises:
            DataError: it cannot.
        """
        size = f"{image_shape[0]}x{image_shape[1]}"
        if self.side is not None and tuple(image_shape[:2]) != (self.side, self.side):
            raise DataError(
                f"{name} needs images of {self.side}x{self.side} pixels; received {size}: "
                f"set data.size = {self.side}, or choose another network"
            )
        if min(image_shape[:2]) < self.smallest:
            raise DataError(
                f"{name} needs images of at least {self.smallest}x{self.smallest} pixels; received {size}: "
                "enlarge them with data.size, for example data.size = 32"
            )
        if self.most_classes is not None and classes > self.most_classes:
            raise DataError(
                f"{name} distinguishes at most {self.most_classes} classes; received {classes}: choose another network"
            )


def scaled(count: int, model: Model) -> int:
    """`count` maps or units times the recipe's width, at least one."""
    return max(1, round(count * model.width))


def hidden(layer: Conv | Dense, model: Model) -> list[Layer]:
    """A hidden layer with its batch normalization, where the recipe asks for it, and its activation."""
    norm: list[Layer] = [BatchNorm(f"{layer.name}_norm")] if model.batch_norm else []
    return [layer, *norm, Activation(f"{layer.name}_activation", model.activation)]
