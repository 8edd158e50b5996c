"""Drawings on pages for the tests of `predict`: a seven, as in the shared case, wherever and on whatever is asked."""

import numpy as np
from PIL import Image, ImageDraw

SEVEN = ((0.0, 0.0), (1.0, 0.0), (0.4, 1.4))


def seven(size=(280, 280), at=(84, 70), side=110, width=0.2, *, mode="L", ground=255, ink=0):
    """A seven whose bar begins `at` (x, y) and is `side` pixels long."""
    image = Image.new(mode, size, ground)
    points = [(at[0] + side * x, at[1] + side * y) for x, y in SEVEN]
    ImageDraw.Draw(image).line(points, fill=ink, width=max(1, round(width * side)), joint="curve")
    return image


def on(paper, at=(84, 70), side=110, ink=40.0, noise=0.0, seed=0):
    """A seven on paper (H, W), with noise."""
    cover = np.asarray(seven(paper.shape[::-1], at, side, ground=0, ink=255), float) / 255
    mixed = paper * (1 - cover) + ink * cover
    mixed = mixed + np.random.default_rng(seed).normal(0, noise, paper.shape)
    return Image.fromarray(np.uint8(np.clip(np.rint(mixed), 0, 255)))


def axes(shape):
    """y and x of each pixel, from -1 to 1."""
    return np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]


def papers(shape):
    """What light and table do to a page, by name."""
    y, x = axes(shape)
    squared = np.full(shape, 235.0)
    squared[20::48] = squared[:, 20::48] = 190
    return {
        "white": np.full(shape, 255.0),
        "gradient": 170 + 40 * x + 20 * y,
        "vignette": 230 - 60 * (x**2 + y**2) / 2,
        "shadow": np.where(x + 0.3 * y > 0.2, 210.0, 130.0),
        "finger": np.where((x - 1) ** 2 + (y - 1) ** 2 < 0.15, 120.0, 220.0),
        "table": np.where((abs(x) < 0.9) & (abs(y) < 0.9), 215.0, 60.0),
        "squared": squared,
    }
