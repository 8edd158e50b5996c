"""Which images a run sees, and on which scale."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lenet_search.recipe.field import choice, count_or_share, number, text


@dataclass(frozen=True)
class Data:
    """`[data]`: the data set, what is held out of it, and the scale of its pixels."""

    name: str = text("digits", "cifar10, cifar100, mnist, fashion_mnist, digits, or the name or path of an .npz file")
    validation: float = count_or_share(0.1, "training images held out for validation, stratified by class")
    normalize: str = choice(
        "standardize",
        ("standardize", "unit", "invert", "lecun_1998"),
        "scale of the pixels that a network sees; lecun_1998: from -0.1 for black to 1.175 for white",
    )
    limit: int = number(0, "use only the first n training images, for a quick look; 0 uses all", low=0, unit="images")


class Images(NamedTuple):
    """The images that a recipe asks for: which, how many, split how, with or without a frame."""

    name: str = "digits"
    validation: float = 0.1  # as `Data.validation`
    limit: int = 0  # as `Data.limit`
    padded: bool = True  # whether 28x28 images get a frame of two pixels, as `recipe.model.Model.padded` says


def normalization(kind: str, mean: Any, std: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset (each of shape (channels,)) that take a pixel x in [0, 1] to `x * scale + offset`.

    standardize  (x - mean) / std of the training images, channel by channel
    unit         x
    invert       1 - x: dark on light becomes light on dark
    lecun_1998   1.275 x - 0.1: background at -0.1, ink at 1.175, about mean 0 and variance 1 on MNIST
                 (LeCun et al. 1998, section II.B; there ink is black, in MNIST's files it is 255)
    """
    mean, std = np.asarray(mean, np.float64), np.asarray(std, np.float64)
    if kind == "standardize":
        scale = 1.0 / np.maximum(std, 1e-3)  # a constant channel stays finite
        return scale, -mean * scale
    if kind == "unit":
        return np.ones_like(mean), np.zeros_like(mean)
    if kind == "lecun_1998":
        return np.full_like(mean, 1.275), np.full_like(mean, -0.1)
    return -np.ones_like(mean), np.ones_like(mean)
