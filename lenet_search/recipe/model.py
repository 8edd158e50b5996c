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


# Keras's names for variance scaling: what the variance is made of, and over which fan it is spread.
SCALES = {"lecun": (1.0, "in"), "glorot": (1.0, "average"), "he": (2.0, "in")}
TRUNCATED = 0.87962566103423978  # standard deviation of a standard normal that is cut off at 2


def initial_kernel(initializer: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A fresh float32 kernel, as `keras.initializers` by this name, or LeCun et al. 1998 (uniform within 2.4 / fan-in).

    Keras would draw it with its backend's random numbers; these are NumPy's, so that a run starts alike on all of
    them.

    Args:
        initializer: one of `INITIALIZERS`
        shape: (in, out), or (k, k, in, out)
        seed: from 0; the same seed and shape give the same kernel
    """
    rng = np.random.default_rng(seed)
    fan_in = math.prod(shape[:-1])
    if initializer == "orthogonal":
        return _orthogonal(rng, fan_in, shape[-1]).reshape(shape).astype(np.float32)
    if initializer == "lecun_1998":
        return rng.uniform(-2.4 / fan_in, 2.4 / fan_in, shape).astype(np.float32)
    author, distribution = initializer.split("_")
    scale, over = SCALES[author]
    fan = fan_in if over == "in" else (fan_in + math.prod(shape[:-2]) * shape[-1]) / 2
    if distribution == "uniform":
        limit = math.sqrt(3.0 * scale / fan)
        return rng.uniform(-limit, limit, shape).astype(np.float32)
    kernel = rng.standard_normal(shape)
    while (far := np.abs(kernel) > 2).any():
        kernel[far] = rng.standard_normal(int(far.sum()))
    return (kernel * (math.sqrt(scale / fan) / TRUNCATED)).astype(np.float32)


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Orthonormal columns, or rows where there are fewer of those, uniform among such matrices (Saxe et al. 2013)."""
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return q if rows >= columns else q.T
