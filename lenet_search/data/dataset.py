"""What a data set is: an entry of the registry, with all facts about it in one record, and one as it was found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lenet_search.data.frame import Frame

Arrays = Mapping[str, np.ndarray]  # some of KNOWN
Part = Literal["train", "test"]  # what is read: the training set, with its validation images, or the test set
REQUIRED: Mapping[Part, tuple[str, ...]] = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test", "y_train")}
OPTIONAL: Mapping[Part, tuple[str, ...]] = {"train": ("x_val", "y_val", "class_names"), "test": ("class_names",)}
KNOWN = ("x_train", "y_train", "x_val", "y_val", "x_test", "y_test", "class_names")
Tell = Callable[[str], None]  # takes a line about something that takes long


def silent(_: str) -> None:
    """Tell nobody."""


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
    frame        how its images frame what is drawn, if they all do so in the same way
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
    frame: Frame | None = None


@dataclass(frozen=True)
class Found:
    """A part of a data set as it was found, not yet checked.

    origin  where it was found, for error messages
    arrays  the arrays that `REQUIRED` and `OPTIONAL` name
    notes   lines about what was not used, or not read as it is
    format  "npz", "folder", "idx" or "mat"; "" if the registry knows how it is read
    files   names of what was read inside a folder
    """

    origin: str
    arrays: Arrays
    notes: tuple[str, ...] = ()
    format: str = ""
    files: tuple[str, ...] = ()
