"""Data sets: load, split, describe.

A name is looked for as `NAME.npz` in the folder of `--data` or LENET_SEARCH_DATA, and after that in the registry of
known data sets. `load` reads the training arrays only, the test arrays are `load_test`'s alone.

An .npz holds x_train, y_train, x_test, y_test: images uint8 (n, H, W) or (n, H, W, 1 or 3), labels whole numbers from
0, (n,) or (n, 1).
"""

from lenet_search.data.registry import DATASETS, class_names
from lenet_search.data.split import Split, load
from lenet_search.data.test_set import load_test

__all__ = ["DATASETS", "Split", "class_names", "load", "load_test"]
