"""The network and what it is made of."""

from dataclasses import dataclass

from lenet_search.networks import NETWORKS
from lenet_search.networks.activations import ACTIVATIONS
from lenet_search.networks.initializers import INITIALIZERS
from lenet_search.recipe.field import choice, flag, number


@dataclass(frozen=True)
class Model:
    """`[model]`: architecture, size, activation, pooling, initial weights."""

    network: str = choice("lenet5", NETWORKS, "the architecture; docs/networks.md describes each")
    width: float = number(1.0, "factor on all channel and unit counts (rounded, at least 1)", above=0, high=64)
    activation: str = choice("tanh", ACTIVATIONS, "activation of hidden layers")
    pooling: str = choice("average", ("average", "max"), "2x2 pooling")
    initializer: str = choice("glorot_uniform", INITIALIZERS, "initial kernels; biases start at 0")
    batch_norm: bool = flag(False, "batch normalization between each hidden layer and its activation")

    @property
    def padded(self) -> bool:
        """Whether 28x28 images get a frame of two pixels, as in LeCun et al. 1998."""
        return NETWORKS[self.network].padded
