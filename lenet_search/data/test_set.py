"""The test images, read only to measure finished models."""

from pathlib import Path

import numpy as np

from lenet_search.data import checks
from lenet_search.data.finding import find
from lenet_search.data.registry import class_names


def load_test(name: str, folder: Path | None = None) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The test set of `name`: images uint8 (n, H, W, C) without padding, labels int32 (n,), names of the classes.

    Raises:
        DataError: as `load`; also if the training set lacks a label.
    """
    origin, arrays = find(name, ("x_test", "y_test", "y_train"), folder)
    images, labels = checks.pairs(arrays, "test", origin)
    classes = checks.count_classes(checks.labels(arrays, "y_train", origin), origin)
    checks.check_test_labels(labels, classes, origin)
    return images, labels.astype(np.int32), class_names(name, classes)
