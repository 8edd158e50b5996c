"""First and second derivatives of the activations, elementwise."""

import math
from collections.abc import Callable
from typing import Any

from keras import ops

Tensor = Any


def _tanh(x: Tensor) -> tuple[Tensor, Tensor]:
    y = ops.tanh(x)
    slope = 1.0 - y * y
    return slope, -2.0 * y * slope


def _scaled_tanh(x: Tensor) -> tuple[Tensor, Tensor]:
    slope, bend = _tanh(x * (2.0 / 3.0))
    return 1.7159 * (2.0 / 3.0) * slope, 1.7159 * (4.0 / 9.0) * bend


def _relu(x: Tensor, below: float = 0.0) -> tuple[Tensor, Tensor]:
    return ops.where(x > 0, 1.0, below), ops.zeros_like(x)


def _elu(x: Tensor) -> tuple[Tensor, Tensor]:
    below = ops.exp(ops.minimum(x, 0.0))
    return ops.where(x > 0, 1.0, below), ops.where(x > 0, 0.0, below)


def _gelu(x: Tensor) -> tuple[Tensor, Tensor]:
    density = ops.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return 0.5 * (1.0 + ops.erf(x / math.sqrt(2.0))) + x * density, (2.0 - x * x) * density


def _silu(x: Tensor) -> tuple[Tensor, Tensor]:
    s = ops.sigmoid(x)
    return s * (1.0 + x * (1.0 - s)), s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s))


SLOPES: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "tanh": _tanh,
    "scaled_tanh": _scaled_tanh,
    "relu": _relu,
    "leaky_relu": lambda x: _relu(x, 0.2),
    "elu": _elu,
    "gelu": _gelu,
    "silu": _silu,
}
