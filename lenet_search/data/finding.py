"""Finding a data set: as the path of a file, as NAME.npz in the data folder, then in the registry."""

import os
from pathlib import Path
from typing import NamedTuple

from lenet_search.data.dataset import Arrays
from lenet_search.data.files import read_npz
from lenet_search.data.registry import DATASETS
from lenet_search.errors import DataError


class Place(NamedTuple):
    """The file of a data set, and the folder, as an absolute path, in which its name leads there from anywhere."""

    file: Path
    folder: Path


def find(name: str, wanted: tuple[str, ...], folder: Path | None, *, download: bool = True) -> tuple[str, Arrays]:
    """The origin of a data set, in words, and its arrays; from a file, only the `wanted` ones are read.

    Raises:
        DataError: there is no data set `name`, it cannot be read, or it is not on this machine and must not be
            downloaded.
    """
    places = _places(name, folder)
    for place in places:
        if place.file.exists():
            return str(place.file), read_npz(place.file, wanted)
    if name in DATASETS:
        try:
            if not download and not DATASETS[name].is_here():
                raise DataError(f"{name} is not on this machine; name its folder with --data")
            return DATASETS[name].origin, DATASETS[name].read()
        except DataError as error:
            raise DataError("; ".join([str(error), *(f"there is no {place.file}" for place in places)])) from error
    looked = f"there is no {' and no '.join(str(place.file) for place in places)}" if places else "no folder was given"
    raise DataError(
        f"data.name: there is no data set {name!r} ({looked}); expected {', '.join(DATASETS)}, the path of an "
        ".npz file, or the name of one in the folder given by --data or LENET_SEARCH_DATA"
    )


def file_of(name: str, folder: Path | None) -> Place | None:
    """Where `find` would read a data set from a file; None if there is none.

    Raises:
        DataError: `folder` is not a folder.
    """
    return next((place for place in _places(name, folder) if place.file.exists()), None)


def folder_with(name: str, folder: Path | None, remembered: Path | None) -> Path | None:
    """The data folder to use: `remembered`, where the file was at another time, if it is there and nowhere else.

    Raises:
        DataError: `folder` is not a folder.
    """
    if file_of(name, folder) is None and remembered is not None and remembered.is_dir() and file_of(name, remembered):
        return remembered
    return folder


def _places(name: str, folder: Path | None) -> list[Place]:
    """Where the file of a data set may be, in this order."""
    if folder is None and os.environ.get("LENET_SEARCH_DATA"):
        folder = Path(os.environ["LENET_SEARCH_DATA"])
    if folder is not None and not folder.expanduser().is_dir():
        raise DataError(f"{folder}: expected a folder with {Path(name).stem}.npz (--data or LENET_SEARCH_DATA)")
    is_path = name.endswith(".npz") or len(Path(name).parts) > 1
    places = [Place(Path(name).expanduser(), Path.cwd())] if is_path else []
    if folder is not None:
        folder = folder.expanduser()
        places.append(Place(folder / (name if is_path else f"{name}.npz"), folder.absolute()))
    return places
