"""One optimizer step for all slots: the rule that `recipe.optimizer` writes down, with a row for each slot."""

from typing import Any, NamedTuple

from keras import ops

from lenet_search.recipe.optimizer import COLUMNS

Tensor = Any


class Moments(NamedTuple):
    """What an optimizer remembers, (K, P) each; an empty (K, 0) where a program does without."""

    first: Tensor
    second: Tensor
    third: Tensor


def step(weights: Tensor, gradients: Tensor, moments: Moments, row: Tensor, switches: Tensor) -> tuple[Tensor, Moments]:
    """Weights and moments after one step.

    Args:
        weights: (K, P)
        gradients: (K, P)
        moments: of the steps so far
        row: (K, columns), see `recipe.optimizer`
        switches: (K, 2), whether amsgrad and centered are on, 1.0 or 0.0
    """
    c = {name: row[:, i : i + 1] for i, name in enumerate(COLUMNS)}
    first, second, third = moments
    h, divisor = gradients, None
    if second.shape[1]:
        second = c["vv"] * second + c["vg"] * gradients * gradients
        inner = second
        if third.shape[1]:
            amsgrad, centered = switches[:, 0:1] > 0, switches[:, 1:2] > 0
            mean = c["vv"] * third + c["vg"] * gradients
            third = ops.where(centered, mean, ops.maximum(third, second))
            inner = ops.where(amsgrad, third, ops.where(centered, second - third * third, second))
        divisor = 1.0 / (ops.sqrt(inner + c["eps_in"]) + c["eps_out"])
        h = gradients * ops.where(c["before"] > 0, divisor, 1.0)
    update = c["um"] * first + c["uh"] * h
    update = ops.where(c["sign"] > 0, c["sign"] * ops.sign(update), update)
    if divisor is not None:
        update = update * ops.where(c["before"] > 0, 1.0, divisor)
    return c["decay"] * weights - update, Moments(c["mm"] * first + c["mh"] * h, second, third)
