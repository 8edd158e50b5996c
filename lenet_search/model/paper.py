"""What stands out from the paper of a gray page, whatever light falls on it."""

import numpy as np
from PIL import Image

WIDEST = 1 / 3  # of the shorter side: a broader area of one brightness is paper, not a stroke
ROUGH = 160  # pixels of the longer side on which is decided whether ink is dark or light


def contrast(pixels: np.ndarray) -> np.ndarray:
    """How much darker each pixel (H, W) is than the paper there.

    The paper is the grayscale closing of the page (Serra 1982, "Image analysis and mathematical morphology"): every
    pixel takes the brightness of the darkest square around it that no stroke covers. It follows gradients and the edges
    of shadows, which a fitted surface or a blurred page does not. The page is continued beyond its edges, so that a
    table around a sheet, or a finger in the corner, is as broad as paper.
    """
    reach = max(1, round(WIDEST * min(pixels.shape) / 2))
    wide = np.pad(pixels, 2 * reach, mode="edge")
    closed = -highest(-highest(wide, reach), reach)
    difference: np.ndarray = closed[2 * reach : -2 * reach, 2 * reach : -2 * reach] - pixels
    return difference


def uniform(pixels: np.ndarray) -> float | None:
    """The brightness that half of the pixels have exactly, as if drawn by a program; None on any photograph."""
    values, counts = np.unique(np.rint(pixels), return_counts=True)
    most = counts.argmax()
    return float(values[most]) if 2 * counts[most] >= pixels.size else None


def smoothed(pixels: np.ndarray) -> np.ndarray:
    """The mean over 3x3 pixels."""
    padded = np.pad(pixels, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    smooth: np.ndarray = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
    return smooth


def noise(contrast: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the paper's contrast; from the lower quarter of the pixels, where no ink is."""
    low, high = np.quantile(contrast, [0.05, 0.25])
    deviation = float(high - low) / 0.971  # the distance of these quantiles in a standard normal distribution
    return float(high) + 0.674 * deviation, deviation


def ink_is_dark(page: Image.Image) -> bool:
    """Whether the few pixels that differ most from the many are darker.

    A quadratic surface is fitted to the page, by least squares reweighted for outliers; the third moment of what is
    left of it has the sign of the rare, large differences.
    """
    few = page.copy()
    few.thumbnail((ROUGH, ROUGH), Image.Resampling.BOX)
    values = np.asarray(few, np.float64)
    y, x = (axis.ravel() for axis in np.meshgrid(*(np.linspace(-1, 1, side) for side in values.shape), indexing="ij"))
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=1)
    values, weights = values.ravel(), np.ones(values.size)
    for _ in range(4):
        weighted = terms * weights[:, None]
        rest = values - terms @ np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0]
        spread = 1.4826 * np.median(np.abs(rest)) + 1.0
        weights = 1.0 / (1.0 + (rest / (2 * spread)) ** 2)
    return bool(np.mean(rest**3) < 0)


def highest(pixels: np.ndarray, reach: int) -> np.ndarray:
    """The maximum over the square of 2 * reach + 1 pixels around each; outside the page there is nothing."""
    for _ in (0, 1):
        pixels = np.pad(pixels, ((reach, reach), (0, 0)), constant_values=-np.inf)
        covered = 1
        while covered < 2 * reach + 1:  # the maximum of two overlapping windows is that of both together
            step = min(covered, 2 * reach + 1 - covered)
            pixels = np.maximum(pixels[:-step], pixels[step:])
            covered += step
        pixels = pixels.T
    return pixels
