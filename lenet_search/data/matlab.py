"""The files of the SVHN data set, in MATLAB's format 5, as a data set.

X is (height, width, channels, n), and the label 10 means the digit 0 (http://ufldl.stanford.edu/housenumbers/). The
format: MathWorks, MAT-File Format, "Level 5 MAT-File Format". SciPy reads it, too, but ends the program with a
segmentation fault on some damaged files.
"""

import math
import struct
import zlib
from pathlib import Path

import numpy as np

from lenet_search.data.class_folders import printable
from lenet_search.data.dataset import Found, Part
from lenet_search.errors import DataError
from lenet_search.machine import free_memory
from lenet_search.untrusted import PACKED, SMALL

TRAIN, TEST, EXTRA = "train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"


def read_svhn(folder: Path, part: Part) -> Found:
    """The training or test set in a folder; the file of the other is not opened.

    Raises:
        DataError: files are missing, damaged, of another format, or too large for the memory.
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


def read_mat(path: Path, names: tuple[str, ...], most: float = math.inf) -> dict[str, np.ndarray]:
    """Arrays of numbers of a file in MATLAB's format 5, each of up to `most` bytes. A train.py holds this function."""
    types = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}

    def parts(content: bytes) -> list[tuple[int, memoryview]]:
        """The type and the data of the first four elements: flags, shape, name, numbers."""
        found: list[tuple[int, memoryview]] = []
        place = 0
        while place + 8 <= len(content) and len(found) < 4:
            kind, size = struct.unpack_from(f"{order}II", content, place)
            start = place + 8
            if kind >> 16:  # a short one: both numbers in the first four bytes, and the data in the next four
                kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
            found.append((kind, memoryview(content)[start : start + size]))
            place = start + size + (-(start + size) % 8)
        return found

    arrays: dict[str, np.ndarray] = {}
    with open(path, "rb") as file:
        order = {b"IM": "<", b"MI": ">"}[file.read(128)[126:]]
        while len(arrays) < len(names) and len(tag := file.read(8)) == 8:
            kind, size = struct.unpack(f"{order}II", tag)
            if size > path.stat().st_size:
                raise ValueError("it promises more than it holds")
            content, rest = file.read(size), b""
            unpacking = zlib.decompressobj()
            if kind == 15:  # compressed: its beginning tells its size and its name
                content = unpacking.decompress(content, 1000)
                rest = unpacking.unconsumed_tail
                kind, size = struct.unpack(f"{order}II", content[:8])
                content = content[8:]
            flags, _, (_, name) = parts(content)[:3]
            numeric = 6 <= struct.unpack(f"{order}I", flags[1][:4])[0] & 0xFF <= 15
            if kind != 14 or not numeric or bytes(name).decode() not in names:
                continue
            if size > most:
                raise MemoryError(f"an array has {size:,} bytes")
            if rest:
                content += unpacking.decompress(rest, size - len(content) + 1)
            shape, (kind, numbers) = (parts(content)[place] for place in (1, 3))
            array = np.frombuffer(numbers, order + types[kind])
            arrays[bytes(name).decode()] = array.reshape(np.frombuffer(shape[1], f"{order}i4"), order="F")
    return arrays


def _images(x: np.ndarray) -> np.ndarray:
    return x.transpose(3, 0, 1, 2) if x.ndim == 4 else x


def _labels(y: np.ndarray, path: Path) -> np.ndarray:
    digits = y.reshape(-1)
    if not ((digits >= 1) & (digits <= 10) & (digits % 1 == 0)).all():
        raise DataError(f"{printable(path)}: y: expected labels from 1 to 10, where 10 means the digit 0")
    return digits.astype(int) % 10


def _read(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    where = printable(path)
    try:
        with path.open("rb") as file:
            start = file.read(520)
        if b"MATLAB 7.3" in start[:128] or b"\x89HDF\r\n\x1a\n" in start:
            raise DataError(
                f"{where}: expected MATLAB's format 5; received format 7.3; save it with "
                f"save('{path.name}', 'X', 'y', '-v7'), or write an .npz file with numpy.savez"
            )
        honest = max(SMALL, PACKED * path.stat().st_size)  # bytes of an array; a small file may promise any number
        found = read_mat(path, names, min(honest, free_memory() or math.inf))
    except MemoryError as error:
        raise DataError(
            f"{where}: does not fit in memory, or unpacks to more than {PACKED} times its size ({error}); use fewer or "
            "smaller images, or write an .npz file with numpy.savez"
        ) from error
    except (OSError, ValueError, KeyError, IndexError, struct.error, zlib.error) as error:
        raise DataError(f"{where}: not a complete file in MATLAB's format 5 ({error}); download it again") from error
    if missing := [name for name in names if name not in found]:
        raise DataError(
            f"{where}: expected the arrays {' and '.join(names)} of numbers; {' and '.join(missing)} is missing"
        )
    return found
