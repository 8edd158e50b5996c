"""Cross-entropy, plain and with smoothed labels."""

from dataclasses import dataclass
from typing import Any

from lenet_search.recipe.field import number


@dataclass(frozen=True)
class Loss:
    """`[loss]`: categorical cross-entropy on smoothed labels."""

    label_smoothing: float = number(0.0, "share of the label that is spread over all classes", low=0, below=1)


def cross_entropy(logits: Any, labels: Any, label_smoothing: Any) -> tuple[Any, Any]:
    """Cross-entropy of each image, (smoothed, plain).

    Args:
        logits: (..., classes)
        labels: (...,) whole numbers
        label_smoothing: broadcasts to (...,)

    The smoothed target is (1 - s) * one_hot + s / classes (Szegedy et al. 2016, section 7; Keras's formula).
    The smoothed loss is what training follows, the plain one what is reported: with l1, l2 or smoothing in the
    reported loss, a search for the lowest loss would switch them off.
    """
    from keras import ops

    log_p = ops.log_softmax(logits, axis=-1)
    classes = logits.shape[-1]
    plain = -ops.sum(log_p * ops.one_hot(labels, classes, dtype=log_p.dtype), axis=-1)
    uniform = -ops.mean(log_p, axis=-1)
    return (1.0 - label_smoothing) * plain + label_smoothing * uniform, plain
