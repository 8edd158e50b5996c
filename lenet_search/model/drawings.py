"""A drawing anywhere on a page, brought to the frame of the training images.

As MNIST was made (LeCun et al. 1998, section III-A): the drawing is scaled with its aspect ratio kept until its box
fits, which makes its edges gray by anti-aliasing, and moved by whole pixels until its center of mass lies at the center
of the image. What a photograph needs before, finding the drawing, is `paper.contrast` and a threshold.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from lenet_search.data.frame import Frame, box, mass
from lenet_search.model import paper
from lenet_search.model.connected import connected

WORKING = 400  # pixels of the longer side on which a drawing is searched for
# What stands out: gray levels of 255; standard deviations of the noise (the largest of 160,000 values of normal noise
# is 4.6 deviations from its mean); share of the highest contrast on the page, which leaves out the lines of ruled
# paper.
LEAST_LEVELS, LEAST_DEVIATIONS, LEAST_SHARE = 12.0, 7.0, 0.35
SHARPEST = 0.3  # share of the contrast that is lost across the edge: light and shadow fall off slowly
MOST_PARTS = 12  # of one drawing; more are a texture
SMALLEST = 6.0  # pixels of the longer side: what is smaller cannot be recognized
SPECK = 0.05  # share of the heaviest part's mass: what is lighter is dust

Region = tuple[float, float, float, float]  # left, top, right, bottom, in pixels of the page


@dataclass(frozen=True)
class Drawing:
    """What is drawn on a page.

    ink     float32 (h, w) of its box, from 0, the paper, to 1
    place   its box on the page
    dark    whether it is darker than the page
    """

    ink: np.ndarray
    place: Region
    dark: bool


def find_drawing(page: Image.Image, dark: bool | None = None) -> Drawing | None:
    """The drawing on a gray page (mode L), or None if nothing stands out.

    Args:
        page: of any size; at most one object is expected on it
        dark: whether the drawing is darker than the page; None: whichever it is
    """
    region = (0.0, 0.0, float(page.width), float(page.height))
    drawing = _look(page, region, dark)
    for _ in range(3):  # what is small on its page is looked at again from close up
        if drawing is None or 4 * _side(drawing.place) > _side(region):
            break
        region = _around(drawing.place, page)
        drawing = _look(page, region, drawing.dark)
    return drawing if drawing is not None and _side(drawing.place) >= SMALLEST else None


def framed(drawing: Drawing, frame: Frame, height: int, width: int) -> np.ndarray:
    """A drawing as a training image, light on dark: float32 (height, width) from 0 to 255."""
    left, top, right, bottom = drawing.place
    ratio = min(frame.side, height, width) / _side(drawing.place)
    rows, columns = max(1, round(ratio * (bottom - top))), max(1, round(ratio * (right - left)))
    ink = np.asarray(Image.fromarray(drawing.ink).resize((columns, rows), Image.Resampling.BOX))
    row, column = mass(ink) if frame.by == "mass" else (rows / 2, columns / 2)
    first_row = min(max(round(height / 2 - row), 0), height - rows)
    first_column = min(max(round(width / 2 - column), 0), width - columns)
    image = np.zeros((height, width), np.float32)
    image[first_row : first_row + rows, first_column : first_column + columns] = ink * (255.0 / ink.max())
    return image


def _look(page: Image.Image, region: Region, dark: bool | None) -> Drawing | None:
    """The drawing in a region of the page, at a working size."""
    scale = min(1.0, WORKING / _side(region))
    left, top, right, bottom = region
    size = max(1, round(scale * (right - left))), max(1, round(scale * (bottom - top)))
    part = page.resize(size, Image.Resampling.BOX, box=region)
    pixels = np.asarray(part, np.float64)
    plain = paper.uniform(pixels)
    if plain is not None:
        dark = bool(pixels.mean() < plain) if dark is None else dark
        contrast = plain - pixels if dark else pixels - plain
    else:
        dark = paper.ink_is_dark(part) if dark is None else dark
        contrast = paper.contrast(pixels if dark else 255.0 - pixels)
    smooth = paper.smoothed(contrast)
    mean, deviation = paper.noise(smooth)
    smooth, contrast = smooth - mean, contrast - mean
    least = max(LEAST_LEVELS, LEAST_DEVIATIONS * deviation, LEAST_SHARE * float(smooth.max()))
    mask = _drawn(smooth, smooth > least, clean=plain is not None)
    if mask is None:
        return None
    level = float(np.quantile(contrast[mask], 0.9))
    if level < least or (plain is None and _sharpness(contrast, mask) < SHARPEST * level):
        return None
    ink = np.where(mask, np.clip(contrast / level, 0, 1), 0).astype(np.float32)
    rows, columns = box(ink > 0.5)[::2], box(ink > 0.5)[1::2]
    wide, high = (right - left) / size[0], (bottom - top) / size[1]
    place = left + wide * columns[0], top + high * rows[0], left + wide * columns[1], top + high * rows[1]
    return Drawing(ink[slice(*rows), slice(*columns)], place, dark)


def _drawn(contrast: np.ndarray, mask: np.ndarray, *, clean: bool) -> np.ndarray | None:
    """The parts of a mask that are drawn: neither dust nor lines across the page nor its rim; None if there are none.

    On a clean page, of one brightness, a part from side to side is a drawing if it is the only one.
    """
    labels, count = connected(mask)
    masses = np.bincount(labels.ravel(), contrast.ravel(), minlength=count + 1)
    masses[0] = 0
    top, bottom, left, right = (np.unique(edge) for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]))
    across = np.union1d(np.intersect1d(top, bottom), np.intersect1d(left, right))
    masses[_rims(labels, contrast, masses) if clean else across] = 0
    inside = masses.copy()
    inside[np.concatenate([top, bottom, left, right])] = 0
    if inside.max() > SPECK * masses.max():  # what runs off the page counts only if there is nothing else
        masses = inside
    kept = np.flatnonzero(masses > SPECK * masses.max())
    return np.isin(labels, kept) if 0 < len(kept) <= MOST_PARTS else None


def _rims(labels: np.ndarray, contrast: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """The parts that frame the page: from corner to corner, and with hardly anything inside."""
    width = max(1, min(labels.shape) // 6)
    inner = slice(width, -width)
    inward = np.bincount(labels[inner, inner].ravel(), contrast[inner, inner].ravel(), minlength=len(masses))
    corners = np.bincount(labels[[0, 0, -1, -1], [0, -1, 0, -1]], minlength=len(masses))
    return np.flatnonzero((corners >= 2) & (inward < 0.1 * masses))


def _sharpness(contrast: np.ndarray, mask: np.ndarray) -> float:
    """How far contrast falls across the edge of a mask, on average, within a hundredth of the page on each side."""
    width = max(1, round(0.01 * max(mask.shape)))
    number = mask.astype(np.float64)
    outer = paper.highest(number, width) - number
    inner = number + paper.highest(-number, width)
    if not outer.any() or not inner.any():
        return 0.0
    return float(np.average(contrast, weights=inner) - np.average(contrast, weights=outer))


def _around(place: Region, page: Image.Image) -> Region:
    """A region around a box, with margins as wide as its longer side."""
    left, top, right, bottom = place
    margin = _side(place)
    across = max(0.0, left - margin), min(float(page.width), right + margin)
    down = max(0.0, top - margin), min(float(page.height), bottom + margin)
    return across[0], down[0], across[1], down[1]


def _side(region: Region) -> float:
    """The longer side."""
    return max(region[2] - region[0], region[3] - region[1])
