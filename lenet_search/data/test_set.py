"""The test images, read only to measure finished models."""

from pathlib import Path

import numpy as np

from lenet_search.data.dataset import Tell, silent
from lenet_search.data.finding import find
from lenet_search.data.labels import other_labels, training_labels
from lenet_search.data.pixels import check_pairs, images, resized
from lenet_search.data.registry import class_names


def load_test(
    name: str, folder: Path | None = None, size: int = 0, tell: Tell = silent
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The test set of `name`: images uint8 (n, H, W, C) without padding, labels int32 (n,), names of the classes.

    Args:
        name: as `data.name`
        folder: folder searched for it first; None: LENET_SEARCH_DATA
        size: as `data.size`
        tell: hears of the progress if it takes long

    Raises:
        DataError: as `load`; also if the training set lacks a label.
    """
    found = find(name, "test", folder, size, tell)
    x, _ = images(found.arrays, "x_test", found.origin)
    train, names, _ = training_labels(found.arrays, found.origin)
    classes = int(train.max()) + 1
    y = other_labels(found.arrays, "y_test", classes, names, found.origin)
    check_pairs(x, y, "test", found.origin)
    return resized(x, size, found.origin), y, names or class_names(name, classes)
