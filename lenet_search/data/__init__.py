"""Data sets: load, split, describe.

`finding.py` says where a data set is looked for, and `docs/data.md` which forms it can have: an .npz file, a folder of
images, IDX files, SVHN's files. `load` reads only the training and validation images; only `load_test` reads the test
images.
"""

from lenet_search.data.finding import file_of, folder_with, is_known
from lenet_search.data.registry import DATASETS, class_names
from lenet_search.data.split import Split, load
from lenet_search.data.test_set import load_test

__all__ = ["DATASETS", "Split", "class_names", "file_of", "folder_with", "is_known", "load", "load_test"]
