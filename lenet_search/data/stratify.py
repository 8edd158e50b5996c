"""Drawing images so that every class gives its share."""

import numpy as np

from lenet_search.errors import DataError


def stratified(labels: np.ndarray, classes: int, count: int, seed: int, what: str) -> np.ndarray:
    """Indices, in ascending order, of `count` images drawn so that every class gives its share.

    Shares that are no whole number are rounded by the largest remainder, so that the total is exact. Every class
    gives at least one image and keeps at least one.

    Args:
        labels: whole numbers (n,) from 0 to `classes` - 1
        classes: how many there are
        count: how many images to draw
        seed: of the draw
        what: the beginning of an error message: whose split this is

    Raises:
        DataError: where no such draw is possible.
    """
    sizes = np.bincount(labels, minlength=classes)
    if sizes.min() < 2:
        raise DataError(
            f"{what}: expected at least two images of each class; received {sizes.min()} of class {sizes.argmin()} in "
            f"{len(labels)} images; raise data.limit where it is set, or shuffle a file that is sorted by class"
        )
    if not classes <= count <= len(labels) - classes:
        raise DataError(
            f"{what}: expected from {classes} to {len(labels) - classes} of {len(labels)} images, so that each part "
            f"has one of each of the {classes} classes; received {count}; give another data.validation or data.limit"
        )
    quotas = sizes * (count / len(labels))
    taken = np.clip(np.floor(quotas).astype(int), 1, sizes - 1)
    while taken.sum() < count:
        taken[np.where(taken < sizes - 1, quotas - taken, -np.inf).argmax()] += 1
    while taken.sum() > count:
        taken[np.where(taken > 1, quotas - taken, np.inf).argmin()] -= 1

    shuffled = np.random.default_rng(seed).permutation(len(labels))
    drawn = [shuffled[labels[shuffled] == label][: taken[label]] for label in range(classes)]
    return np.sort(np.concatenate(drawn))
