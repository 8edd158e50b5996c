"""What training makes small: cross-entropy, or one of the two criteria of LeCun et al. 1998, with smoothed labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lenet_search.recipe.field import choice, number

KINDS = ("cross_entropy", "map", "mse")
J = 0.1  # of equation (9): the energy of "none of the classes"


@dataclass(frozen=True)
class Loss:
    """`[loss]`: what training makes small, and the labels that it aims at."""

    kind: str = choice(
        "cross_entropy",
        KINDS,
        "cross_entropy; map and mse: equations 9 and 8 of LeCun et al. 1998, mse for radial-basis outputs only",
    )
    label_smoothing: float = number(0.0, "share of the label that is spread over all classes", low=0, below=1)


def losses(logits: Any, labels: Any, label_smoothing: Any, kind: str = "cross_entropy") -> tuple[Any, Any]:
    """What each image adds to the training loss, and its plain cross-entropy.

    Args:
        logits: (..., classes)
        labels: (...,) whole numbers
        label_smoothing: broadcasts to (...,)
        kind: one of `KINDS`

    With the energies y = -logits (of radial-basis outputs: squared distances) and the smoothed target
    t = (1 - s) * one_hot + s / classes (Szegedy et al. 2016, section 7; Keras's formula), the loss is

    cross_entropy  t . y + log(sum exp(-y))
    map            t . y + log(exp(-j) + sum exp(-y)), j = 0.1 (LeCun et al. 1998, equation 9)
    mse            t . y: for radial-basis outputs the squared distance to the class's pattern (equation 8)

    The first is what training follows, plain cross-entropy what is reported: with l1, l2, smoothing or another kind
    in the reported loss, a search for the lowest loss would switch them off, or compare what cannot be compared.
    """
    from keras import ops

    log_p = ops.log_softmax(logits, axis=-1)
    classes = logits.shape[-1]
    target = ops.one_hot(labels, classes, dtype=log_p.dtype)
    plain = -ops.sum(log_p * target, axis=-1)
    if kind == "cross_entropy":
        return (1.0 - label_smoothing) * plain - label_smoothing * ops.mean(log_p, axis=-1), plain
    aimed = (1.0 - label_smoothing) * -ops.sum(logits * target, axis=-1) - label_smoothing * ops.mean(logits, axis=-1)
    return (aimed + partition(logits) if kind == "map" else aimed), plain


def smoothed(labels: np.ndarray, classes: int, label_smoothing: float) -> np.ndarray:
    """The target t of each of `labels` (n,): float32 (n, classes)."""
    one_hot: np.ndarray = np.eye(classes, dtype=np.float32)[labels]
    return (1.0 - label_smoothing) * one_hot + np.float32(label_smoothing / classes)


def probabilities(logits: Any, kind: str) -> Any:
    """The derivative of the loss's second term by the logits: what each class gets of 1; 0 where there is no term."""
    from keras import ops

    if kind == "mse":
        return ops.zeros_like(logits)
    return ops.softmax(logits, axis=-1) if kind == "cross_entropy" else ops.exp(logits - partition(logits)[..., None])


def partition(logits: Any) -> Any:
    """log(exp(-j) + sum exp(logits)) over the last axis, the second term of equation (9)."""
    from keras import ops

    none = ops.full_like(logits[..., :1], -J)
    return ops.logsumexp(ops.concatenate([logits, none], axis=-1), axis=-1)
