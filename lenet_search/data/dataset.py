"""An entry of the registry: a data set that a study file can name, with all facts about it in one record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Arrays = Mapping[str, np.ndarray]  # x_train, y_train, x_test, y_test, or some of them


@dataclass(frozen=True)
class Dataset:
    """A data set with a name.

    name         the value of `data.name`
    classes      names of the classes, in the order of the labels
    image_shape  (height, width, channels) before padding
    images       number of training images, and of test images
    source       authors and license
    fetched      where the images come from, in words
    origin       where `read` gets them, for error messages
    is_here      whether `read` needs no download
    read         returns x_train, y_train, x_test, y_test; raises DataError
    script       lines of Python for an exported train.py, which assign the training images and labels to `images` and
                 `labels`; `path` is the value of its --data, or None
    script_note  a line of that script's docstring: what these lines need, and what to do without it
    """

    name: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    images: tuple[int, int]
    source: str
    fetched: str
    origin: str
    is_here: Callable[[], bool]
    read: Callable[[], Arrays]
    script: str
    script_note: str
