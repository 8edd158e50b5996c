"""Random changes to training images. Strengths are in pixels, degrees and shares; 0 leaves an image alone."""

from dataclasses import dataclass

from lenet_search.recipe.field import number

DRAWS = ("flip", "shift_y", "shift_x", "rotate", "zoom", "brightness", "contrast", "cutout_y", "cutout_x")


@dataclass(frozen=True)
class Augment:
    """`[augment]`: how strongly training images are changed; validation and test images never are."""

    flip: float = number(0.0, "probability of a horizontal flip", low=0, high=1)
    shift: int = number(0, "largest shift, each way, by whole pixels", low=0, high=64, unit="pixels")
    rotate: float = number(0.0, "largest rotation, each way", low=0, high=180, unit="degrees")
    zoom: float = number(0.0, "largest zoom, each way, as a share of the size", low=0, below=1)
    brightness: float = number(
        0.0, "largest change of brightness, each way; 1 is the span from black to white", low=0, high=1
    )
    contrast: float = number(0.0, "largest change of contrast, each way, as a share", low=0, high=1)
    cutout: int = number(0, "side of a square that is set to 0 after normalization", low=0, high=64, unit="pixels")
