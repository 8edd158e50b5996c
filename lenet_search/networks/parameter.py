"""The variables of a network."""

import math
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
