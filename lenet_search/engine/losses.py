"""Losses as tensors, computed from what `recipe.loss` says of each."""

from typing import Any

import numpy as np
from keras import ops

from lenet_search.recipe.loss import LOSSES

Tensor = Any


def losses(
    logits: Tensor, labels: Tensor, label_smoothing: Tensor, kind: str = "cross_entropy"
) -> tuple[Tensor, Tensor]:
    """What each image adds to the training loss, and its plain cross-entropy.

    Args:
        logits: (..., classes)
        labels: (...,) whole numbers
        label_smoothing: broadcasts to (...,)
        kind: one of `recipe.loss.LOSSES`
    """
    loss = LOSSES[kind]
    log_p = ops.log_softmax(logits, axis=-1)
    target = ops.one_hot(labels, logits.shape[-1], dtype=log_p.dtype)
    plain = -ops.sum(log_p * target, axis=-1)
    if loss.softmax:
        return (1.0 - label_smoothing) * plain - label_smoothing * ops.mean(log_p, axis=-1), plain
    aimed = (1.0 - label_smoothing) * -ops.sum(logits * target, axis=-1) - label_smoothing * ops.mean(logits, axis=-1)
    return (aimed + _partition(logits, loss.none) if loss.competing else aimed), plain


def smoothed(labels: np.ndarray, classes: int, label_smoothing: float) -> np.ndarray:
    """The target t of each of `labels` (n,): float32 (n, classes)."""
    one_hot: np.ndarray = np.eye(classes, dtype=np.float32)[labels]
    return (1.0 - label_smoothing) * one_hot + np.float32(label_smoothing / classes)


def probabilities(logits: Tensor, kind: str) -> Tensor:
    """The derivative of the loss's second term by the logits: what each class gets of 1; 0 where there is no term."""
    loss = LOSSES[kind]
    if not loss.competing:
        return ops.zeros_like(logits)
    if loss.softmax:
        return ops.softmax(logits, axis=-1)
    return ops.exp(logits - _partition(logits, loss.none)[..., None])


def left_over(p: Tensor, kind: str) -> Tensor:
    """What `probabilities` leave for "none of the classes", (..., 1): exactly 0 of a softmax, without its rounding."""
    total = ops.sum(p, -1, keepdims=True)
    return ops.zeros_like(total) if LOSSES[kind].softmax else 1.0 - total


def _partition(logits: Tensor, none: float | None) -> Tensor:
    """log(exp(-none) + sum exp(logits)) over the last axis."""
    assert none is not None
    return ops.logsumexp(ops.concatenate([logits, ops.full_like(logits[..., :1], -none)], axis=-1), axis=-1)
