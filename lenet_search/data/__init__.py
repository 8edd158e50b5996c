"""Data sets: load, split, describe.

A data set is searched for as `NAME.npz` in the folder given by `--data` or LENET_SEARCH_DATA, then in the registry of
known data sets. `load` reads only the training arrays; only `load_test` reads the test arrays.

An .npz file contains x_train, y_train, x_test, y_test. Images are uint8 (n, H, W) or (n, H, W, 1 or 3); labels are
whole numbers from 0, (n,) or (n, 1).
"""

from lenet_search.data.finding import file_of, folder_with
from lenet_search.data.registry import DATASETS, class_names
from lenet_search.data.split import Split, load
from lenet_search.data.test_set import load_test

__all__ = ["DATASETS", "Split", "class_names", "file_of", "folder_with", "load", "load_test"]
