"""One optimizer step for all slots: the rule that `recipe.optimizer` writes down, with a row for each slot."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keras import ops

from lenet_search.networks import Parameter
from lenet_search.recipe.optimizer import COLUMNS

Tensor = Any
TINY = 1e-30  # keeps the norm of an all-zero gradient from dividing by zero


class Moments(NamedTuple):
    """What an optimizer remembers, (K, P) each; an empty (K, 0) where a program does without."""

    first: Tensor
    second: Tensor
    third: Tensor


def step(weights: Tensor, gradients: Tensor, moments: Moments, row: Tensor) -> tuple[Tensor, Moments]:
    """Weights and moments after one step.

    Args:
        weights: (K, P)
        gradients: (K, P)
        moments: of the steps so far
        row: (K, columns), see `recipe.optimizer`
    """
    c = {name: row[:, i : i + 1] for i, name in enumerate(COLUMNS)}
    first, second, third = moments
    h, divisor = gradients, None
    if second.shape[1]:
        second = c["vv"] * second + c["vg"] * gradients * gradients
        inner = second
        if third.shape[1]:
            maximum, centered = c["maximum"] > 0, c["centered"] > 0
            mean = c["vv"] * third + c["vg"] * gradients
            third = ops.where(centered, mean, ops.maximum(third, second))
            inner = ops.where(maximum, third, ops.where(centered, second - third * third, second))
        divisor = 1.0 / (ops.sqrt(inner + c["eps_in"]) + c["eps_out"])
        h = gradients * ops.where(c["before"] > 0, divisor, 1.0)
    update = c["um"] * first + c["uh"] * h
    update = ops.where(c["sign"] > 0, c["sign"] * ops.sign(update), update)
    if divisor is not None:
        update = update * ops.where(c["before"] > 0, 1.0, divisor)
    return c["decay"] * weights - update, Moments(c["mm"] * first + c["mh"] * h, second, third)


def regularized_step(
    parameters: Sequence[Parameter],
    penalty: bool,
    clip: bool,
    weights: Tensor,
    gradients: Tensor,
    moments: Moments,
    row: Tensor,
    hyper: Mapping[str, Tensor],
) -> tuple[Tensor, Moments]:
    """`step`, with penalties and clipping before it.

    Args:
        parameters: those that make up a row of `weights`
        penalty: whether any slot may have a penalty
        clip: whether any slot may clip its gradients
        weights: (K, P)
        gradients: (K, P), of the loss alone
        moments: of the steps so far
        row: (K, columns), see `recipe.optimizer`
        hyper: `l1`, `l2` and `clip_norm`, (K,) each
    """
    if penalty:
        penalized = ops.concatenate([ops.full((p.size,), float(p.penalized)) for p in parameters])
        gradients = gradients + penalized * penalty_gradient(weights, hyper["l1"][:, None], hyper["l2"][:, None])
    if clip:
        gradients = _clipped(parameters, gradients, hyper["clip_norm"][:, None])
    return step(weights, gradients, moments, row)


def penalty_gradient(weights: Tensor, l1: Tensor, l2: Tensor) -> Tensor:
    """Gradient of `l1 * sum |w| + l2 * sum w^2`: any shapes that broadcast; 0 at w = 0, as in Keras."""
    return l1 * ops.sign(weights) + 2.0 * l2 * weights


def _clipped(parameters: Sequence[Parameter], gradients: Tensor, norm: Tensor) -> Tensor:
    """Each variable's gradient with at most `norm`, as Keras's `clipnorm` does; 0 leaves it."""
    pieces = []
    start = 0
    for parameter in parameters:
        piece = gradients[:, start : start + parameter.size]
        start += parameter.size
        length = ops.sqrt(ops.sum(piece * piece, axis=1, keepdims=True))
        pieces.append(piece * ops.where((norm > 0) & (length > norm), norm / ops.maximum(length, TINY), 1.0))
    return ops.concatenate(pieces, axis=1)
