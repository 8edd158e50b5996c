"""The network and what it is made of."""

import math
from dataclasses import dataclass

import numpy as np

from lenet_search.recipe.field import choice, flag, number

NETWORKS = ("lenet5", "lenet5_28", "lenet5_1998", "lenet5_stn", "mlp", "all_cnn", "all_cnn_pool", "all_cnn_base")
UNPADDED = ("lenet5_28", "mlp")  # the others see 28x28 digits in a 32x32 field
RADIAL_BASIS = ("lenet5_1998",)  # networks whose outputs are distances to fixed patterns
EXACT_CURVATURE = ("lenet5", "lenet5_28", "lenet5_1998", "mlp")  # where it takes seconds, for `sdlm`
CURVATURE = (*EXACT_CURVATURE, "all_cnn", "all_cnn_pool", "all_cnn_base")  # where it can be approximated
# What a network fixes by itself or does without.
WITHOUT_EFFECT = {
    "lenet5_1998": ("model.width", "model.activation", "model.pooling", "model.batch_norm"),
    "mlp": ("model.pooling", "regularize.spatial_dropout"),
    "all_cnn": ("model.pooling",),
    "all_cnn_pool": ("model.pooling",),
    "all_cnn_base": ("model.pooling",),
}
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

    network: str = choice("lenet5", NETWORKS, "the architecture; docs/networks.md has them all")
    width: float = number(1.0, "factor on all channel and unit counts, rounded, at least 1", above=0, high=64)
    activation: str = choice("tanh", ACTIVATIONS, "activation; scaled_tanh is 1.7159 tanh(2x/3)")
    pooling: str = choice("average", ("average", "max"), "2x2 pooling")
    initializer: str = choice("glorot_uniform", INITIALIZERS, "initial kernels; lecun_1998: uniform within 2.4/fan-in")
    batch_norm: bool = flag(False, "batch normalization between each hidden layer and its activation")

    @property
    def padded(self) -> bool:
        """Whether 28x28 images get a frame of two pixels, as in LeCun et al. 1998."""
        return self.network not in UNPADDED


def initial_kernel(initializer: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A fresh kernel, float32: `keras.initializers` by name, or LeCun et al. 1998 (uniform within 2.4 / fan-in).

    Args:
        initializer: one of `INITIALIZERS`
        shape: (in, out), or (k, k, in, out)
        seed: from 0; the same seed and shape give the same kernel
    """
    from keras import initializers

    if initializer == "lecun_1998":
        bound = 2.4 / math.prod(shape[:-1])
        return np.asarray(initializers.RandomUniform(-bound, bound, seed=seed)(shape))
    name = "".join(word.capitalize() for word in initializer.split("_"))
    return np.asarray(getattr(initializers, name)(seed=seed)(shape))
