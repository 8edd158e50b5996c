"""Reading JSON and .npz files that anybody may have written, shortened or changed.

Nothing is unpickled, and nothing is allocated that the file does not hold: a small archive may promise an array of any
size, or unpack to a thousand times its own.
"""

import json
import math
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from lenet_search.errors import LenetSearchError

HEADERS: dict[tuple[int, int], Callable[..., Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
SMALL = 2**26  # bytes that any archive may unpack to
PACKED = 50  # times that an archive larger than that may be compressed; MNIST's images are compressed 5 times by gzip


class Damaged(Exception):
    """A file does not hold what it should; the message says why, without the file's name."""


def json_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ValueError: it is something else, nested too deeply, or contains NaN or Infinity, which JSON does not have.
    """
    try:
        found = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object; received {type(found).__name__}")
    return found


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: as `json_object`.
    """
    return json_object(path.read_text(encoding="utf-8"))


def check_unpacked(unpacked: int, size: int) -> None:
    """Raise `Damaged` if a file of so many bytes unpacks to much more."""
    if unpacked > (most := max(SMALL, PACKED * size)):
        raise Damaged(f"it has {size:,} bytes and unpacks to {unpacked:,}, more than {most:,}: save it uncompressed")


@contextmanager
def opened_npz(path: Path, *, packed: bool = False) -> Iterator["Npz"]:
    """An .npz file, whose arrays are read as they are asked for.

    Args:
        path: the file
        packed: whether its arrays may be compressed

    Raises:
        OSError: the file cannot be read.
        Damaged: whatever else NumPy, zipfile or the body raises, but errors of ours and `MemoryError`.
    """
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield Npz(archive, path.stat().st_size, packed=packed)
    except (LenetSearchError, OSError, MemoryError, Damaged):
        raise
    except Exception as error:  # a damaged file makes NumPy's and zipfile's readers raise anything
        raise Damaged(str(error) or type(error).__name__) from error


class Npz:
    """The arrays of an .npz file by name. `names` lists them in the order of the file."""

    def __init__(self, archive: zipfile.ZipFile, size: int, *, packed: bool) -> None:
        self._archive = archive
        self._size = size
        self._packed = packed
        self._unpacked = 0  # bytes read so far
        self.names = [name.removesuffix(".npy") for name in archive.namelist()]

    def unpacked(self, name: str) -> int:
        """Bytes of an array, as the directory of the file has it."""
        return self._member(name).file_size

    def __getitem__(self, name: str) -> np.ndarray:
        """An array.

        Raises:
            Damaged: it is missing, holds objects, promises more than it holds, or unpacks to too much.
        """
        member = self._member(name)
        self._unpacked += member.file_size
        if self._packed:
            check_unpacked(self._unpacked, self._size)
        elif self._unpacked > self._size:
            raise Damaged(f"it has {self._size:,} bytes, and promises {self._unpacked:,}")
        with self._archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            if version not in HEADERS:
                raise Damaged(f"{name} has an unknown format")
            shape, _, dtype = HEADERS[version](file)
            if math.prod(shape) * max(1, dtype.itemsize) > member.file_size or any(
                not 0 <= side <= member.file_size for side in shape
            ):
                raise Damaged(f"{name} promises shape {shape}, more than it holds")
        with self._archive.open(member) as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        if array.dtype.kind == "U" and array.size and _codes(array).max() > sys.maxunicode:
            raise Damaged(f"{name} is text with characters that do not exist")
        return array

    def _member(self, name: str) -> zipfile.ZipInfo:
        for each in (f"{name}.npy", name):
            if each in self._archive.NameToInfo:
                return self._archive.NameToInfo[each]
        raise Damaged(f"{name} is missing")


def _codes(text: np.ndarray) -> np.ndarray:
    """The numbers of the characters of an array of text, which NumPy does not check."""
    plain = np.ascontiguousarray(text).reshape(-1)
    return plain.view(np.dtype(np.uint32).newbyteorder(text.dtype.byteorder))


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"expected a number; received {word}")
