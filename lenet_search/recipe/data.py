"""Which images a run sees, and on which scale."""

from dataclasses import dataclass
from typing import NamedTuple

from lenet_search.recipe.field import choice, count_or_share, number, text
from lenet_search.recipe.normalization import NORMALIZATIONS


@dataclass(frozen=True)
class Data:
    """`[data]`: the data set, what is held out of it, and the scale of its pixels."""

    name: str = text("digits", "cifar10, cifar100, mnist, fashion_mnist, digits, or the name or path of your own data")
    validation: float = count_or_share(
        0.1, "training images held out for validation, stratified by class; 0 trains a recipe on all images"
    )
    normalize: str = choice("standardize", NORMALIZATIONS, "scale of the pixels that the network sees")
    limit: int = number(0, "use only the first n training images, for a quick look; 0 uses all", low=0, unit="images")
    size: int = number(
        0,
        "height and width to bring images to; 0 keeps them, except files of different sizes, which become 32x32",
        low=0,
        high=512,
        unit="pixels",
    )


class Images(NamedTuple):
    """The images that a recipe asks for: which, how many, split how, with or without a frame."""

    name: str = "digits"
    validation: float = 0.1  # as `Data.validation`
    limit: int = 0  # as `Data.limit`
    padded: bool = True  # whether 28x28 images get a frame of two pixels, as its network says
    size: int = 0  # as `Data.size`
