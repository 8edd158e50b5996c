"""What stands in the registry: a data set that a study file can name, with every fact about it in one record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Arrays = Mapping[str, np.ndarray]  # x_train, y_train, x_test, y_test, or some of them


@dataclass(frozen=True)
class Dataset:
    """A data set with a name of its own.

    name         as `data.name` has it
    classes      names of the classes, in the order of the labels
    image_shape  (height, width, channels) before padding
    images       number of images for training, and for the test
    source       authors and licence
    fetched      how the images get here, in words
    origin       where `read` finds them, as error messages name it
    read         gives x_train, y_train, x_test, y_test; raises DataError
    script       lines of Python for an exported train.py, which put the training images and labels into `images` and
                 `labels`; `path` is the value of its --data, or None
    script_note  the line of that script's docstring that says what these lines need, and what to do without it
    """

    name: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    images: tuple[int, int]
    source: str
    fetched: str
    origin: str
    read: Callable[[], Arrays]
    script: str
    script_note: str
