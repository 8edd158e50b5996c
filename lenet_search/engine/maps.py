"""Feature maps of all slots of a stack: how they lie in memory, and what depends on that.

Vectors (behind `Flatten`) are (K, B, D) everywhere. Maps are what a `Maps` makes of them; nobody else looks inside.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from keras import ops

Tensor = Any


class Maps(ABC):
    """Maps of K slots, or of one where all slots see the same; its methods take and give such maps unless they say so.

    ORDER  the axes of augmented images but the last, which holds the channels, by the letters of `engine.augmentation`
    AXES   the axes of maps, by the same letters
    """

    ORDER: ClassVar[str]
    AXES: ClassVar[str]

    @abstractmethod
    def of_all(self, images: Tensor) -> Tensor:
        """Maps of images (B, H, W, C) that all slots see."""

    @abstractmethod
    def of_each(self, images: Tensor) -> Tensor:
        """Maps of images of each slot's own, with the axes `ORDER` and the channels."""

    @abstractmethod
    def spread(self, values: Tensor, x: Tensor) -> Tensor:
        """Values (K, C) for the channels of each slot, so that they broadcast over maps like `x`."""

    @abstractmethod
    def per_map(self, values: Tensor, channels: int) -> Tensor:
        """Values (K,) of the slots, for the axis of `AXES` that holds them."""

    @abstractmethod
    def convolution(
        self, x: Tensor, kernels: Tensor, stride: int, padding: str, *, finite: bool, halved: bool
    ) -> Tensor:
        """Convolve each slot's maps with its kernels.

        Args:
            x: maps of C channels
            kernels: (K, k, k, C, F)
            stride: of both axes
            padding: "valid" or "same", as Keras means them
            finite: whether `x` holds finite numbers whatever a slot has learned
            halved: whether `halved` comes next, with nothing but elementwise steps between: what it leaves out may be
                missing, and what is between sees maps in an order of their own

        Returns:
            Maps of F channels.
        """

    @abstractmethod
    def pooled_convolution(self, x: Tensor, kernels: Tensor, *, finite: bool) -> Tensor:
        """`convolution` with stride 1 and without padding, then 2x2 max pooling."""

    @abstractmethod
    def halved(self, x: Tensor, kind: str) -> Tensor:
        """2x2 pooling, "max" or "average"; an odd last row or column is left out."""

    @abstractmethod
    def pooled(self, x: Tensor, kind: str, size: int, stride: int, padding: str) -> Tensor:
        """Any other pooling, as Keras computes it."""

    @abstractmethod
    def dropped(self, x: Tensor, draw: Tensor, rate: Tensor) -> Tensor:
        """Dropout of maps: one draw (B, H, W, C), or (B, 1, 1, C), for all slots, each with its own rate (K,)."""

    @abstractmethod
    def moments(self, x: Tensor, slots: int) -> tuple[Tensor, Tensor]:
        """Mean and variance of each channel over all images and pixels, (K, C) each."""

    @abstractmethod
    def vectors(self, x: Tensor, slots: int, channels: int) -> Tensor:
        """Each image's numbers in a row, (K, B, H * W * C)."""

    @abstractmethod
    def of_vectors(self, x: Tensor) -> Tensor:
        """Maps of one pixel, of vectors (K, B, C)."""

    @abstractmethod
    def means(self, x: Tensor, slots: int) -> Tensor:
        """The mean of each map, (K, B, C)."""

    @abstractmethod
    def transformed(self, x: Tensor, transformations: Tensor, channels: int) -> Tensor:
        """Each slot's images under its own affine transformations (K, B, 6), see `networks.transform`."""


def dropout_mask(draw: Tensor, rate: Tensor) -> Tensor:
    """Inverted dropout: 0 where `draw` (uniform in [0, 1)) is below `rate`, else 1 / (1 - rate)."""
    return ops.cast(draw >= rate, "float32") / (1.0 - rate)


def pool_of(corners: Sequence[Tensor], kind: str) -> Tensor:
    """The four pixels of each 2x2 to one: their mean ("average"), or the largest ("max").

    Where several are the largest, the gradient goes to the first, as in Keras; what is not a number stays so. Unlike a
    pooling operation, this is elementwise in both directions.
    """
    if kind == "average":
        return (corners[0] + corners[1] + corners[2] + corners[3]) * 0.25

    def larger(first: Tensor, second: Tensor) -> Tensor:
        return ops.where((first >= second) | ops.isnan(first), first, second)

    return larger(larger(corners[0], corners[1]), larger(corners[2], corners[3]))
