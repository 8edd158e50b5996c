"""NumPy arrays as a data set, stored in the user's cache folder for workers to read."""

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.data.dataset import KNOWN, Arrays
from lenet_search.data.labels import other_labels, training_labels
from lenet_search.data.pixels import check_pairs, images
from lenet_search.errors import DataError
from lenet_search.machine import writable_cache
from lenet_search.whole import written_whole

NAMES = ("x_train", "y_train", "x_test", "y_test")
ORIGIN = "arrays"  # the start of error messages; for files, this is the path


def store(given: Mapping[str, Any] | Sequence[Any]) -> Path:
    """Check arrays and write them as an .npz file, whose path is a legal `data.name`.

    The file is arrays-DIGEST.npz in the folder "arrays" of the cache. Data sets with the same images and labels
    share a file, which is written once. It may be deleted when no study needs it any longer.

    Args:
        given: (x_train, y_train), (x_train, y_train, x_test, y_test), ((x_train, y_train), (x_test, y_test)) as
            returned by `keras.datasets`, or a mapping with these names, and perhaps x_val, y_val and class_names.
            Images are (n, H, W) or (n, H, W, 1 or 3), of uint8 or from 0 to 1 or 255; labels are whole numbers from
            0, (n,) or (n, 1), text, or one-hot rows. Without test arrays, `load_test` fails.

    Raises:
        DataError: the arrays are not a data set, or cannot be written.
    """
    arrays = _checked(_named(given))
    sha = hashlib.sha256()
    for key, array in arrays.items():
        sha.update(f"{key} {array.dtype.str} {array.shape}".encode())
        sha.update(array.view(np.uint8).data)
    try:
        folder = writable_cache() / "arrays"
        folder.mkdir(exist_ok=True)
        path = folder / f"arrays-{sha.hexdigest()[:16]}.npz"
        if not zipfile.is_zipfile(path):
            with written_whole(path) as scratch, scratch.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]  # mypy takes any of them for `allow_pickle`
    except OSError as error:
        raise DataError(
            f"{ORIGIN}: the arrays cannot be written to the cache: {error}; free some space, or set XDG_CACHE_HOME to "
            "another folder"
        ) from error
    return path


def _named(given: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """The given arrays by name, in the order of KNOWN; those for the test and for validation may be missing."""
    received = f"a {type(given).__name__}"
    if isinstance(given, Mapping):
        named = {key: given[key] for key in (*KNOWN, *given) if key in given}
        received = ", ".join(map(str, named)) or "none"
    elif isinstance(given, tuple | list):
        nested = len(given) == 2 and all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in given)
        flat = [array for pair in given for array in pair] if nested else given
        named = dict(zip(NAMES, flat, strict=False)) if len(flat) in (2, 4) else {}
        received += f" of {len(given)}"
    else:
        named = {}
    pairs = [key for key in named if key != "class_names"]
    halves = [key for key in pairs if f"{'y' if key[0] == 'x' else 'x'}{key[1:]}" not in pairs]
    if set(named) - set(KNOWN) or "x_train" not in named or halves:
        raise DataError(
            f"{ORIGIN}: expected (x_train, y_train), (x_train, y_train, x_test, y_test) or a mapping with these names, "
            f"and perhaps x_val, y_val and class_names; received {received}"
        )
    return named


def _checked(named: dict[str, Any]) -> Arrays:
    """The arrays in a standard form: bytes as uint8 (n, H, W, C), numbers as int32 (n,). Others stay as they are."""
    arrays = dict(named)
    if isinstance(arrays.get("class_names"), tuple | list):
        arrays["class_names"] = np.asarray(arrays["class_names"])
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise DataError(
                f"{ORIGIN}: {key}: expected a NumPy array; received {type(array).__name__}; convert it with "
                "numpy.asarray"
            )
    labels, names, _ = training_labels(arrays, ORIGIN)
    for part in ("train", "val", "test"):
        if f"x_{part}" in arrays:
            x, _ = images(arrays, f"x_{part}", ORIGIN)
            y = labels
            if part != "train":
                y = other_labels(arrays, f"y_{part}", int(labels.max()) + 1, names, ORIGIN)
            check_pairs(x, y, part, ORIGIN)
            if arrays[f"x_{part}"].dtype == np.uint8:  # what `load` reads in another way, it says so each time
                arrays[f"x_{part}"] = x
            if arrays[f"y_{part}"].dtype.kind in "iu" and arrays[f"y_{part}"].size == len(y):
                arrays[f"y_{part}"] = y.astype("<i4")
    return {key: np.ascontiguousarray(array) for key, array in arrays.items()}
