"""Finding a data set: by the path of a file or folder, by its name in the data folder, then in the registry."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lenet_search.data import folder as folders
from lenet_search.data import idx, matlab
from lenet_search.data.class_folders import printable
from lenet_search.data.dataset import Found, Part, Tell, silent
from lenet_search.data.delivered import Wanted, delivered
from lenet_search.data.files import read_npz
from lenet_search.data.registry import DATASETS
from lenet_search.errors import DataError


class Place(NamedTuple):
    """Where a data set may be, and the folder, as an absolute path, in which its name leads there from anywhere."""

    file: Path  # or a folder of files or images
    folder: Path


def find(
    name: str, part: Part, folder: Path | None, size: int = 0, tell: Tell = silent, *, download: bool = True
) -> Found:
    """A part of a data set. From files, only this part is read.

    Args:
        name: name or path; a relative path starts from the working folder or from `folder`
        part: what is read
        folder: folder of data sets; None: LENET_SEARCH_DATA
        size: pixels per side to which images in a folder of classes are brought; 0: as `decoded` chooses
        tell: hears of the progress if it takes long
        download: whether to download images that are not on this machine

    Raises:
        DataError: there is no data set `name`, it cannot be read, or it is not on this machine and must not be
            downloaded.
    """
    folder = _data_folder(folder)
    if folder is not None and (sent := delivered(folder, Wanted(name, part, size))):
        return sent
    if place := file_of(name, folder):
        return _read(place.file, part, size, tell)
    places = [place.file for place in _places(name, folder)]
    if name in DATASETS:
        try:
            if not download and not DATASETS[name].is_here():
                raise DataError(f"{name} is not on this machine; name its folder with --data")
            return Found(DATASETS[name].origin, DATASETS[name].read())
        except DataError as error:
            raise DataError("; ".join([str(error), *(f"there is no {place}" for place in places)])) from error
    looked = f"there is no {' and no '.join(map(str, places))}" if places else "no folder was given"
    here = f'; for the folder {name} in the working folder, write "./{name}"' if os.path.isdir(name) else ""
    raise DataError(
        f"data.name: there is no data set {name!r} ({looked}); expected {', '.join(DATASETS)}, the path of an "
        ".npz file or of a folder of images, or the name of one in the folder given by --data or LENET_SEARCH_DATA"
        + here
    )


def file_of(name: str, folder: Path | None) -> Place | None:
    """Where `find` would read a data set from files; None if there are none.

    Raises:
        DataError: `folder` is not a folder.
    """
    for place in _places(name, folder):
        file = place.file
        if os.path.exists(file) and (name not in DATASETS or file.suffix == ".npz" or _is_data_set(file)):
            return place
    return None


def is_known(name: str, folder: Path | None = None) -> bool:
    """Whether a data set is in the registry or, as far as paths tell, on this machine."""
    try:
        return name in DATASETS or file_of(name, _data_folder(folder)) is not None
    except DataError:  # there is no such folder
        return False


def folder_with(name: str, folder: Path | None, remembered: Path | None) -> Path | None:
    """The data folder to use: `remembered`, where the files were at another time, if they are there and nowhere else.

    Raises:
        DataError: `folder` is not a folder.
    """
    if file_of(name, folder) is None and remembered is not None and remembered.is_dir() and file_of(name, remembered):
        return remembered
    return folder


def _places(name: str, folder: Path | None) -> Iterator[Place]:
    """Where a data set may be, in this order. A name with a slash, or the name of a file, is a path."""
    folder = _data_folder(folder)
    if folder is not None and not os.path.isdir(folder):
        raise DataError(f"{folder}: expected a folder with {Path(name).stem}.npz (--data or LENET_SEARCH_DATA)")
    is_path = name.endswith(".npz") or "/" in name or os.sep in name
    if is_path:
        yield Place(Path(name).expanduser(), Path.cwd())
    if folder is not None:
        if not is_path:
            yield Place(folder / f"{name}.npz", folder.absolute())
        yield Place(folder / name, folder.absolute())


def _data_folder(given: Path | None) -> Path | None:
    """The folder of data sets: the given one, else LENET_SEARCH_DATA, if any."""
    if given is None and os.environ.get("LENET_SEARCH_DATA"):
        given = Path(os.environ["LENET_SEARCH_DATA"])
    return None if given is None else given.expanduser()


def _read(place: Path, part: Part, size: int, tell: Tell) -> Found:
    if place.suffix == ".npz":
        return read_npz(place, part)
    if place.is_dir():
        try:
            images = idx.training_files(place)
            if len(images) > 1:
                raise DataError(
                    f"{printable(place)}: several data sets: {', '.join(each.name for each in images)}; give the path "
                    "of the file that is meant as data.name"
                )
            if images:
                return idx.read_files(images[0], part)
            if (place / matlab.TRAIN).is_file():
                return matlab.read_svhn(place, part)
        except OSError as error:
            raise DataError(f"{printable(place)}: cannot be read: {error}") from error
        return folders.read_folder(place, part, size, tell)
    if place in idx.training_files(place.parent):
        return idx.read_files(place, part)
    if place.name == matlab.TRAIN:
        return matlab.read_svhn(place.parent, part)
    return read_npz(place, part)


def _is_data_set(place: Path) -> bool:
    """Whether a folder that has the name of a known data set holds one: another project may have made it."""
    try:
        return bool(idx.training_files(place)) or (place / matlab.TRAIN).is_file() or folders.holds_classes(place)
    except (OSError, DataError):
        return False
