"""Random changes to training images: their strengths, and what else is true of each.

`engine.augment` computes them, since tensor code stands there. Strengths are in pixels, degrees and shares; 0 leaves
an image alone. Changes follow each other in the order of `AUGMENTATIONS`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lenet_search.recipe.field import number

MOVE, TURN, COLOR, CUT = "move", "turn", "color", "cut"


@dataclass(frozen=True)
class Augmentation:
    """What is true of one change.

    stage   where it happens, and so what it can be joined with: MOVE (whole pixels change places), TURN (places between
            pixels are interpolated), COLOR (pixels change, before they are normalized), CUT (pixels become 0, after)
    draws   its random numbers, uniform in [0, 1), one of each for an image
    script  its lines in `train.py`, from strength, height and width. They change `images` (n, height, width, channels)
            on the scale 0 to 1, and get their random numbers by `draw(low, high)`, in the order of `draws`
    places  whether the lines change `x` and `y` instead: where a pixel comes from, as factors of its column, its row
            and 1, measured from the middle of the image
    """

    stage: str
    draws: tuple[str, ...]
    script: Callable[[float, int, int], list[str]]
    places: bool = False


def _flip(probability: float, height: int, width: int) -> list[str]:
    return [f"images = tf.where(draw(0.0, 1.0) < {probability!r}, images[:, :, ::-1], images)"]


def _shift(most: float, height: int, width: int) -> list[str]:
    move = f"tf.floor(draw({-float(most)!r}, {most + 1.0!r}))"
    return [
        f"down, right = {move}, {move}  # whole pixels, each as likely",
        "x, y = x - right * [0.0, 0.0, 1.0], y - down * [0.0, 0.0, 1.0]",
    ]


def _rotate(degrees: float, height: int, width: int) -> list[str]:
    return [
        f"angle = draw({-degrees!r}, {degrees!r}) * (math.pi / 180)",
        "x, y = tf.cos(angle) * x - tf.sin(angle) * y, tf.cos(angle) * y + tf.sin(angle) * x",
    ]


def _zoom(share: float, height: int, width: int) -> list[str]:
    return [f"zoom = draw({1.0 - share!r}, {1.0 + share!r})  # above 1 enlarges", "x, y = x / zoom, y / zoom"]


def _brightness(change: float, height: int, width: int) -> list[str]:
    return [f"images = tf.clip_by_value(images + draw({-change!r}, {change!r}), 0.0, 1.0)"]


def _contrast(change: float, height: int, width: int) -> list[str]:
    return [
        "mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)",
        f"images = mean + (images - mean) * draw({1.0 - change!r}, {1.0 + change!r})",
        "images = tf.clip_by_value(images, 0.0, 1.0)",
    ]


def _cutout(side: float, height: int, width: int) -> list[str]:
    return [
        f"# A square of {side} pixels becomes what the network's normalization turns into 0",
        f"top = tf.floor(draw(0.0, {float(height)!r})) - {side // 2}",
        f"left = tf.floor(draw(0.0, {float(width)!r})) - {side // 2}",
        f"row = tf.reshape(tf.range({float(height)!r}), (1, -1, 1, 1))",
        f"column = tf.reshape(tf.range({float(width)!r}), (1, 1, -1, 1))",
        f"square = (row >= top) & (row < top + {side}) & (column >= left) & (column < left + {side})",
        "images = tf.where(square, [-o / s for s, o in zip(SCALE, OFFSET, strict=True)], images)",
    ]


@dataclass(frozen=True)
class Augment:
    """`[augment]`: how strongly training images are changed; validation and test images never are."""

    flip: float = number(0.0, "probability of a horizontal flip", low=0, high=1)
    shift: int = number(0, "largest shift in each direction, in whole pixels", low=0, high=64, unit="pixels")
    rotate: float = number(0.0, "largest rotation in either direction", low=0, high=180, unit="degrees")
    zoom: float = number(0.0, "largest zoom in or out, as a fraction of the size", low=0, below=1)
    brightness: float = number(0.0, "largest change in brightness, up or down; 1 spans black to white", low=0, high=1)
    contrast: float = number(0.0, "largest change in contrast, up or down, as a fraction", low=0, high=1)
    cutout: int = number(0, "side of a square that becomes 0 after normalization", low=0, high=64, unit="pixels")


AUGMENTATIONS = {
    "flip": Augmentation(MOVE, ("flip",), _flip),
    "shift": Augmentation(MOVE, ("shift_y", "shift_x"), _shift, places=True),
    "rotate": Augmentation(TURN, ("rotate",), _rotate, places=True),
    "zoom": Augmentation(TURN, ("zoom",), _zoom, places=True),
    "brightness": Augmentation(COLOR, ("brightness",), _brightness),
    "contrast": Augmentation(COLOR, ("contrast",), _contrast),
    "cutout": Augmentation(CUT, ("cutout_y", "cutout_x"), _cutout),
}


def all_draws() -> list[str]:
    """The random numbers of all augmentations, in the order in which they are drawn."""
    return [name for augmentation in AUGMENTATIONS.values() for name in augmentation.draws]


def at(names: Iterable[str], *stages: str) -> list[str]:
    """Those of the augmentations `names` that happen at one of `stages`."""
    return [name for name in names if AUGMENTATIONS[name].stage in stages]
