"""IDX files, the format of MNIST's authors and of EMNIST, as a data set.

The format: http://yann.lecun.com/exdb/mnist/, "The IDX file format". EMNIST's images are stored with rows and columns
exchanged (https://www.tensorflow.org/datasets/catalog/emnist), and are turned upright here.
"""

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np

from lenet_search.data.class_folders import printable
from lenet_search.data.dataset import Found, Part
from lenet_search.data.pixels import check_memory
from lenet_search.errors import DataError
from lenet_search.untrusted import Damaged, check_unpacked

IMAGES = re.compile(r"(?P<set>.*?)(?P<part>train|t10k|test)(?P<rest>[-_.]images[-_.]idx[34][-_.]ubyte)(\.gz)?", re.I)


def training_files(folder: Path) -> list[Path]:
    """The files of training images in a folder; of a file and its compressed copy, the file."""
    found = [path for path in sorted(folder.iterdir()) if (name := IMAGES.fullmatch(path.name)) and path.is_file()
             and name["part"].lower() == "train"]  # fmt: skip
    return [path for path in found if not (path.suffix == ".gz" and path.with_suffix("") in found)]


def read_files(images: Path, part: Part) -> Found:
    """The training or test set to which a file of training images belongs; the other set is not opened.

    Raises:
        DataError: files are missing, damaged, or too large for the memory.
    """
    name = IMAGES.fullmatch(images.name)
    assert name is not None
    labels = _sibling(images, [re.sub("images", "labels", images.name, flags=re.I)])
    arrays = {"y_train": _read(labels)}
    if part == "train":
        arrays["x_train"] = _read(images)
    else:
        others = [f"{name['set']}{each}{name['rest']}" for each in ("t10k", "test", "T10k", "Test")]
        x_test = _sibling(images, others, "the data set has no test set: ")
        arrays["x_test"] = _read(x_test)
        arrays["y_test"] = _read(_sibling(x_test, [re.sub("images", "labels", x_test.name, flags=re.I)]))
    notes = []
    if is_turned(images.name):
        notes.append(f"{images}: EMNIST's images are stored on their side, and were turned upright")
        arrays |= {key: array.swapaxes(1, 2) for key, array in arrays.items() if key[0] == "x" and array.ndim > 2}
    if arrays["y_train"].size and arrays["y_train"].min() > 0:  # numbered from 1, as EMNIST's letters are: names
        notes.append(f"{labels}: no label is 0: the numbers are read as the names of the classes")
        arrays |= {key: array.astype(str) for key, array in arrays.items() if key[0] == "y"}
    return Found(printable(images), arrays, tuple(notes), "idx", (images.name, labels.name))


def is_turned(name: str) -> bool:
    """Whether the images of a file of this name are stored with rows and columns exchanged."""
    return name.lower().startswith("emnist")


def read_idx(path: Path) -> np.ndarray:
    """The array of an IDX file, which may be compressed. An exported train.py holds this function too."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        kind, dimensions = struct.unpack(">HBB", file.read(4))[1:]
        shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        dtype = np.dtype({8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}[kind])
        return np.frombuffer(file.read(math.prod(shape) * dtype.itemsize), dtype).reshape(shape)


def _read(path: Path) -> np.ndarray:
    where = printable(path)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            head = file.read(4)
            dimensions = head[3] if len(head) == 4 and head[:2] == b"\0\0" and head[3] <= 4 else 0
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        if dimensions:
            needed = math.prod(shape) * (8 if head[2] > 8 else 1)
            check_memory(needed, where)
            if path.suffix == ".gz":
                check_unpacked(needed, path.stat().st_size)
            return read_idx(path)
    except MemoryError as error:
        raise DataError(f"{where}: does not fit in memory; use fewer or smaller images") from error
    except Damaged as error:
        raise DataError(f"{where}: {error}") from error
    except (OSError, EOFError, KeyError, ValueError, struct.error, zlib.error) as error:
        raise DataError(f"{where}: the file is damaged ({error}); download it again") from error
    raise DataError(f"{where}: expected an IDX file; received something else, or an incomplete file; download it again")


def _sibling(path: Path, names: list[str], what: str = "") -> Path:
    """The file of one of these names beside `path`, compressed or not. Names of labels say idx1, whatever was asked."""
    plain = [re.sub(r"idx[34]", "idx1", each, flags=re.I) if "labels" in each else each for each in names]
    plain = [each.removesuffix(".gz") for each in plain]
    for each in plain:
        for name in (each, f"{each}.gz"):
            if (found := path.with_name(name)).is_file():
                return found
    raise DataError(f"{printable(path.parent)}: {what}expected {plain[0]} or {plain[0]}.gz; add it")
