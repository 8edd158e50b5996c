"""Initial kernels, drawn by NumPy: Keras's initializers draw with their backend, so runs would start differently."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Kernel = Callable[[np.random.Generator, tuple[int, ...]], Array]
TRUNCATED = 0.87962566103423978  # standard deviation of a standard normal that is cut off at 2


@dataclass(frozen=True)
class Initializer:
    """How kernels start."""

    meaning: str
    kernel: Kernel  # draws one of a shape, (in, out) or (k, k, in, out)
    keras: str  # how `train.py` writes it: a Python expression, in which `fan_in` may stand


def _uniform(scale: float, average: bool = False) -> Kernel:
    def kernel(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        limit = math.sqrt(3.0 * scale / _fan(shape, average))
        return rng.uniform(-limit, limit, shape)

    return kernel


def _normal(scale: float, average: bool = False) -> Kernel:
    def kernel(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        drawn = rng.standard_normal(shape)
        while (far := np.abs(drawn) > 2).any():
            drawn[far] = rng.standard_normal(int(far.sum()))
        return drawn * (math.sqrt(scale / _fan(shape, average)) / TRUNCATED)

    return kernel


def _fan(shape: tuple[int, ...], average: bool) -> float:
    """The fan-in, or the mean of fan-in and fan-out."""
    fan_in = math.prod(shape[:-1])
    return (fan_in + math.prod(shape[:-2]) * shape[-1]) / 2 if average else fan_in


def _orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return (q if rows >= columns else q.T).reshape(shape)


def _lecun_1998(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    limit = 2.4 / math.prod(shape[:-1])
    return rng.uniform(-limit, limit, shape)


INITIALIZERS = {
    "lecun_normal": Initializer("Truncated normal, variance 1 / fan-in.", _normal(1.0), '"lecun_normal"'),
    "lecun_uniform": Initializer("Uniform, variance 1 / fan-in.", _uniform(1.0), '"lecun_uniform"'),
    "glorot_normal": Initializer(
        "Truncated normal, variance 2 / (fan-in + fan-out).", _normal(1.0, average=True), '"glorot_normal"'
    ),
    "glorot_uniform": Initializer(
        "Uniform, variance 2 / (fan-in + fan-out) (Glorot & Bengio 2010, equation 16).",
        _uniform(1.0, average=True),
        '"glorot_uniform"',
    ),
    "he_normal": Initializer(
        "Truncated normal, variance 2 / fan-in (He et al. 2015, equation 10).", _normal(2.0), '"he_normal"'
    ),
    "he_uniform": Initializer("Uniform, variance 2 / fan-in.", _uniform(2.0), '"he_uniform"'),
    "orthogonal": Initializer(
        "Orthonormal columns, or rows where there are fewer (Saxe et al. 2013).", _orthogonal, '"orthogonal"'
    ),
    "lecun_1998": Initializer(
        "Uniform within 2.4 / fan-in (LeCun et al. 1998, section III).",
        _lecun_1998,
        "keras.initializers.RandomUniform(-2.4 / fan_in, 2.4 / fan_in)",
    ),
}


def initial_kernel(initializer: str, shape: tuple[int, ...], seed: int) -> Array:
    """A fresh float32 kernel.

    Args:
        initializer: one of `INITIALIZERS`
        shape: (in, out), or (k, k, in, out)
        seed: from 0; the same seed and shape give the same kernel
    """
    kernel: Array = INITIALIZERS[initializer].kernel(np.random.default_rng(seed), shape).astype(np.float32)
    return kernel
