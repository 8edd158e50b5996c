"""The network and what it is made of."""

from dataclasses import dataclass

from lenet_search.recipe.field import choice, flag, number

NETWORKS = ("lenet5",)
ACTIVATIONS = ("tanh", "scaled_tanh", "relu", "leaky_relu", "elu", "gelu", "silu")
INITIALIZERS = (
    "lecun_normal",
    "lecun_uniform",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "orthogonal",
    "lecun_1998",
)


@dataclass(frozen=True)
class Model:
    """`[model]`: architecture, size, activation, pooling, initial weights."""

    network: str = choice("lenet5", NETWORKS, "the architecture")
    width: float = number(1.0, "factor on all channel and unit counts, rounded, at least 1", above=0, high=64)
    activation: str = choice("tanh", ACTIVATIONS, "activation; scaled_tanh is 1.7159 tanh(2x/3)")
    pooling: str = choice("average", ("average", "max"), "2x2 pooling")
    initializer: str = choice("glorot_uniform", INITIALIZERS, "initial kernels; lecun_1998 is uniform within 2.4/fan-in")
    batch_norm: bool = flag(False, "batch normalization between each hidden layer and its activation")
