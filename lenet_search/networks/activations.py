"""Activations: what each computes, its derivatives, and how Keras writes it.

Their functions take `ops`, which is `keras.ops`: who only needs their names does not wait for Keras.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lenet_search.networks.call import Call

Tensor = Any


@dataclass(frozen=True)
class Function:
    """An activation, elementwise."""

    meaning: str
    value: Callable[[Any, Tensor], Tensor]
    slopes: Callable[[Any, Tensor], tuple[Tensor, Tensor]]  # first and second derivative, which sdlm needs
    keras: tuple[Call, ...]  # the layers of Keras that compute it, which load without code of their own
    rises: bool = True  # whether it never falls, so that the largest activation is the activation of the largest


def _tanh(ops: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    y = ops.tanh(x)
    slope = 1.0 - y * y
    return slope, -2.0 * y * slope


def _scaled_tanh(ops: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    slope, bend = _tanh(ops, x * (2.0 / 3.0))
    return 1.7159 * (2.0 / 3.0) * slope, 1.7159 * (4.0 / 9.0) * bend


def _relu(ops: Any, x: Tensor, below: float = 0.0) -> tuple[Tensor, Tensor]:
    return ops.where(x > 0, 1.0, below), ops.zeros_like(x)


def _elu(ops: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    below = ops.exp(ops.minimum(x, 0.0))
    return ops.where(x > 0, 1.0, below), ops.where(x > 0, 0.0, below)


def _gelu(ops: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    density = ops.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return 0.5 * (1.0 + ops.erf(x / math.sqrt(2.0))) + x * density, (2.0 - x * x) * density


def _silu(ops: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    s = ops.sigmoid(x)
    return s * (1.0 + x * (1.0 - s)), s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s))


def _named(name: str) -> tuple[Call, ...]:
    return (Call("Activation", (name,)),)


ACTIVATIONS = {
    "tanh": Function("The hyperbolic tangent.", lambda ops, x: ops.tanh(x), _tanh, _named("tanh")),
    "scaled_tanh": Function(
        "1.7159 tanh(2x/3), which is 1 at 1 (LeCun et al. 1998, appendix A).",
        lambda ops, x: 1.7159 * ops.tanh(x * (2.0 / 3.0)),
        _scaled_tanh,
        (Call("Rescaling", (2.0 / 3.0,), part="inner"), *_named("tanh"), Call("Rescaling", (1.7159,), part="outer")),
    ),
    "relu": Function("max(x, 0).", lambda ops, x: ops.relu(x), _relu, _named("relu")),
    "leaky_relu": Function(
        "max(x, 0.2 x), with Keras's slope.",
        lambda ops, x: ops.leaky_relu(x, negative_slope=0.2),
        lambda ops, x: _relu(ops, x, 0.2),
        _named("leaky_relu"),
    ),
    "elu": Function(
        "x above 0, exp(x) - 1 below (Clevert et al. 2016).", lambda ops, x: ops.elu(x), _elu, _named("elu")
    ),
    "gelu": Function(
        "x times the normal distribution function at x (Hendrycks & Gimpel 2016), not approximated.",
        lambda ops, x: ops.gelu(x, approximate=False),
        _gelu,
        _named("gelu"),
        rises=False,
    ),
    "silu": Function(
        "x times the logistic function at x, also called swish.",
        lambda ops, x: x * ops.sigmoid(x),  # tf.nn.silu brings a gradient that keeps every program it is used in
        _silu,
        _named("silu"),
        rises=False,
    ),
}
