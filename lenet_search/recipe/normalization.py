"""The scale of the pixels that a network sees."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Normalization:
    """What takes a pixel x in [0, 1] to `x * scale + offset`, channel by channel."""

    meaning: str
    scale_and_offset: Callable[[Array, Array], tuple[Array, Array]]  # from the training images' mean and deviation


def _standardize(mean: Array, std: Array) -> tuple[Array, Array]:
    scale = 1.0 / np.maximum(std, 1e-3)  # a constant channel stays finite
    return scale, -mean * scale


def _fixed(scale: float, offset: float) -> Callable[[Array, Array], tuple[Array, Array]]:
    return lambda mean, _: (np.full_like(mean, scale), np.full_like(mean, offset))


NORMALIZATIONS = {
    "standardize": Normalization("Each channel minus its mean, over its standard deviation.", _standardize),
    "unit": Normalization("From 0 for black to 1 for white.", _fixed(1.0, 0.0)),
    "invert": Normalization("From 1 for black to 0 for white: dark on light becomes light on dark.", _fixed(-1.0, 1.0)),
    # There ink is black, in MNIST's files it is 255
    "lecun_1998": Normalization(
        "From -0.1 for black to 1.175 for white: about mean 0, variance 1 on MNIST (LeCun et al. 1998, section II.B).",
        _fixed(1.275, -0.1),
    ),
}


def normalization(kind: str, mean: Any, std: Any) -> tuple[Array, Array]:
    """Scale and offset, (channels,) each, of the normalization `kind` of images with this mean and deviation."""
    return NORMALIZATIONS[kind].scale_and_offset(np.asarray(mean, np.float64), np.asarray(std, np.float64))
