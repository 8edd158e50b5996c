"""Stratified draws: every class contributes its share."""

import numpy as np

from lenet_search.errors import DataError


def stratified(labels: np.ndarray, classes: int, count: int, seed: int, what: str) -> np.ndarray:
    """The ascending indices of `count` images, drawn so that every class contributes its share.

    Shares are rounded by the largest remainder, so the total is exact. Every class contributes at least one image and
    keeps at least one.

    Args:
        labels: whole numbers (n,) from 0 to `classes` - 1
        classes: number of classes
        count: number of images to draw
        seed: seed of the draw
        what: start of error messages, naming the split

    Raises:
        DataError: no such draw is possible.
    """
    sizes = np.bincount(labels, minlength=classes)
    if sizes.min() < 2:
        raise DataError(
            f"{what}: expected at least two images of each class; received {sizes.min()} of class {sizes.argmin()} in "
            f"{len(labels)} images; raise data.limit if it is set, or shuffle the file if it is sorted by class"
        )
    if not classes <= count <= len(labels) - classes:
        raise DataError(
            f"{what}: expected from {classes} to {len(labels) - classes} of {len(labels)} images, so that both parts "
            f"have an image of each of the {classes} classes; received {count}; change data.validation or data.limit"
        )
    return held_out(labels, count, seed)


def held_out(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Indices of `count` images, ascending, each class in proportion. An exported train.py holds this function too."""
    sizes = np.bincount(labels)
    quotas = sizes * (count / len(labels))
    taken = np.clip(np.floor(quotas).astype(int), 1, sizes - 1)
    while taken.sum() < count:
        taken[np.where(taken < sizes - 1, quotas - taken, -np.inf).argmax()] += 1
    while taken.sum() > count:
        taken[np.where(taken > 1, quotas - taken, np.inf).argmin()] -= 1

    shuffled = np.random.default_rng(seed).permutation(len(labels))
    drawn = [shuffled[labels[shuffled] == label][: taken[label]] for label in range(len(sizes))]
    return np.sort(np.concatenate(drawn))
