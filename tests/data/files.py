"""Small data sets in files, for the tests of what reads them."""

from pathlib import Path

import numpy as np
import pytest

from lenet_search.data import load
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


def images(n, shape=(8, 8)):
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def write(folder: Path, name: str = "own", **changes) -> Path:
    """A data set of 30 + 12 images and three classes, with `changes`; an array given as None is left out."""
    arrays = {
        "x_train": images(30),
        "y_train": np.arange(30) % 3,
        "x_test": images(12),
        "y_test": np.arange(12) % 3,
    }
    path = folder / f"{name}.npz"
    np.savez(path, **{key: array for key, array in (arrays | changes).items() if array is not None})
    return path


def error_of(path: Path, **values) -> str:
    with pytest.raises(DataError) as caught:
        load(Images(name=str(path), **values))
    return str(caught.value)


def damage(path: Path, key: str) -> None:
    """Changes one byte of one array, which the .npz's checksum of that array shows to whoever reads it."""
    with np.load(path) as file:
        pixels = file[key].tobytes()
    content = bytearray(path.read_bytes())
    content[content.rindex(pixels) + 5] ^= 1  # the last place: the test arrays begin like the training arrays
    path.write_bytes(content)
