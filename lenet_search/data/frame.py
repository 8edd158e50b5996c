"""How training images frame what is drawn on an empty background: its size, and what lies at the center.

MNIST's digits were scaled to 20x20 pixels with their aspect ratio kept, and moved until their center of mass lay at the
center of 28x28 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition", section
III-A). A model trained on them expects that of any other digit.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

SAMPLE = 2000  # images
MOST = 0.95  # share of the images that must agree; of MNIST's, 0.988 have an empty border and 0.9998 a side of 20
TOLERANCE = 1.0  # pixels; MNIST was moved by whole pixels, so its centers of mass are up to 0.5 from the center


@dataclass(frozen=True)
class Frame:
    """The frame that nearly all training images share.

    side    the longer side of the box around what is drawn, in pixels
    by      what lies at the center of the image: its center of "mass", or the middle of its "box"
    """

    side: int
    by: Literal["mass", "box"]

    @classmethod
    def of(cls, images: np.ndarray) -> "Frame | None":
        """The frame of uint8 images (n, H, W, C), before padding, or None if they do not share one.

        They share one if they are gray and 95 % of them have a uniform border, the same longer side, and the same
        center, within a pixel. Photographs, clothes that fill the image and digits at random places do not.
        """
        if images.shape[3] != 1:
            return None
        ink = ink_of(images[:: max(1, len(images) // SAMPLE), :, :, 0])
        drawn = ink.any(axis=(1, 2))
        if drawn.mean() < MOST:
            return None
        ink = ink[drawn]
        empty_border = ~(ink[:, [0, -1]].any(axis=(1, 2)) | ink[:, :, [0, -1]].any(axis=(1, 2)))
        boxes = np.array([box(each) for each in ink])
        sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        side = int(np.median(sides))
        if empty_border.mean() < MOST or (np.abs(sides - side) <= TOLERANCE).mean() < MOST:
            return None
        middle = np.array(ink.shape[1:]) / 2
        if _agree(np.array([mass(each) for each in ink]) - middle):
            return cls(side, "mass")
        if _agree((boxes[:, :2] + boxes[:, 2:]) / 2 - middle):
            return cls(side, "box")
        return None

    def to_json(self) -> dict[str, Any]:
        """As `from_json` reads it."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Any) -> "Frame | None":
        """The frame that `to_json` wrote, or None for anything else."""
        try:
            side, by = int(raw["side"]), raw["by"]
        except (TypeError, ValueError, KeyError):
            return None
        return cls(side, by) if side > 0 and by in ("mass", "box") else None


def ink_of(images: np.ndarray) -> np.ndarray:
    """What differs from the background of uint8 images (n, H, W), from 0 to 255; the background is 0 or 255."""
    dark = np.median(images[:, [0, -1]]) < 128
    return images if dark else 255 - images


def box(ink: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of the pixels (H, W) above 0; bottom and right lie behind the last ones."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def mass(ink: np.ndarray) -> tuple[float, float]:
    """Row and column of the center of mass of (H, W). In MNIST it is 14 of 28 on average, counted from 0."""
    total = float(ink.sum(dtype=np.float64))
    rows, columns = ink.sum(axis=1, dtype=np.float64), ink.sum(axis=0, dtype=np.float64)
    return float(rows @ np.arange(len(rows))) / total, float(columns @ np.arange(len(columns))) / total


def _agree(offsets: np.ndarray) -> bool:
    return bool((np.abs(offsets) <= TOLERANCE).all(axis=1).mean() >= MOST)
