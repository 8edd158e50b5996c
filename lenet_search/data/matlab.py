"""The files of the SVHN data set, in MATLAB's format 5, as a data set; SciPy reads them.

X is (height, width, channels, n), and the label 10 means the digit 0 (http://ufldl.stanford.edu/housenumbers/).
"""

from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.data.class_folders import printable
from lenet_search.data.dataset import Found, Part
from lenet_search.errors import DataError

TRAIN, TEST, EXTRA = "train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"


def read_mat(folder: Path, part: Part) -> Found:
    """The training or test set in a folder; the file of the other is not opened.

    Raises:
        DataError: files are missing, damaged or of another format, or SciPy is missing.
    """
    train = _read(folder / TRAIN, ("y",) if part == "test" else ("X", "y"))
    arrays = {"y_train": _labels(train["y"], folder / TRAIN)}
    if part == "train":
        arrays["x_train"] = _images(train["X"])
    elif not (folder / TEST).is_file():
        raise DataError(f"{printable(folder)}: the data set has no test set: expected {TEST}; add it")
    else:
        test = _read(folder / TEST, ("X", "y"))
        arrays |= {"x_test": _images(test["X"]), "y_test": _labels(test["y"], folder / TEST)}
    notes = (f"{printable(folder / EXTRA)}: not used",) if (folder / EXTRA).exists() else ()
    return Found(printable(folder / TRAIN), arrays, notes, "mat", (TRAIN,))


def _images(x: np.ndarray) -> np.ndarray:
    return x.transpose(3, 0, 1, 2) if x.ndim == 4 else x


def _labels(y: np.ndarray, path: Path) -> np.ndarray:
    digits = y.reshape(-1)
    if digits.dtype.kind not in "iuf" or not ((digits >= 1) & (digits <= 10) & (digits % 1 == 0)).all():
        raise DataError(f"{printable(path)}: y: expected labels from 1 to 10, where 10 means the digit 0")
    return digits.astype(int) % 10


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    where = printable(path)
    try:
        with path.open("rb") as file:
            start = file.read(520)
    except OSError as error:
        raise DataError(f"{where}: cannot be read: {error}") from error
    if b"MATLAB 7.3" in start[:128] or b"\x89HDF\r\n\x1a\n" in start:
        raise DataError(
            f"{where}: expected MATLAB's format 5; received format 7.3; save it with "
            f"save('{path.name}', 'X', 'y', '-v7'), or write an .npz file with numpy.savez"
        )
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DataError(f"{where}: SciPy reads files of MATLAB; install it with: pip install scipy") from error
    try:
        found = loadmat(path, variable_names=names)
    except MemoryError as error:
        raise DataError(f"{where}: does not fit in memory ({error}); use fewer or smaller images") from error
    except Exception as error:  # a damaged file makes SciPy raise anything
        raise DataError(f"{where}: the file is damaged ({error}); download it again") from error
    if any(not isinstance(found.get(name), np.ndarray) or found[name].dtype.kind not in "biuf" for name in names):
        received = ", ".join(name for name in found if not name.startswith("__")) or "none"
        raise DataError(f"{where}: expected the arrays {' and '.join(names)} of numbers; received {received}")
    return {name: found[name] for name in names}
