"""The images that paths name: files, folders of images, and folders with one subfolder per class."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lenet_search.data import foreign
from lenet_search.data.class_folders import SUFFIXES, class_folders, image_files


@dataclass
class Pictures:
    """Files to classify, folders of classes to measure, and a message about each path that gave neither."""

    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def pictures(paths: Sequence[Path]) -> Pictures:
    """Sort paths. Nothing is read yet but the names in folders, and nothing raises."""
    found = Pictures()
    for path in paths:
        try:
            if not path.is_dir():
                if missing := _missing(path):
                    found.problems.append(f"{shown(path)}: {missing}")
                else:
                    found.files.append(path)
                continue
            if classes_in(path):
                found.folders.append(path)
            else:
                files = image_files(path)
                found.files += files
                if not files:
                    found.problems.append(f"{shown(path)}: there are no images in this folder{_instead(path)}")
            found.problems += _unread(path)
        except OSError as error:
            found.problems.append(f"{shown(path)}: cannot be read: {(error.strerror or str(error)).lower()}")
    return found


def images_of(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """All images that paths name, also those in folders of classes; and the messages of `pictures`."""
    found = pictures(paths)
    inside = [path for folder in found.folders for each in classes_in(folder) for path in image_files(each)]
    return found.files + inside, found.problems


def classes_in(folder: Path) -> list[Path]:
    """The subfolders that contain images, one per class, in natural order; hidden and system folders are none.

    Raises:
        OSError: the folder cannot be read.
    """
    return [path for path in class_folders(folder) if _has_images(path)]


def shown(path: Path | str) -> str:
    """A path as a line of text: U+FFFD for what is not UTF-8, escapes for controls, of lines and of text direction."""
    text = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _has_images(folder: Path) -> bool:
    try:
        return bool(image_files(folder))
    except OSError:
        return False


def _missing(path: Path) -> str:
    """Why there is no file, and what to do; "" if there is one."""
    if path.is_file():
        return ""
    if path.is_symlink():
        return f"a link to {shown(os.readlink(path))}, which does not exist or is no file"
    if path.exists():
        return "expected a file or a folder; received a pipe or a device"
    if set(path.name) & set("*?["):
        return "no file matches this pattern"
    if str(path) == "-":
        return "standard input is not read; name a file, or write ./- for a file of this name"
    return "there is no such file"


def _unread(folder: Path) -> list[str]:
    """A message if a folder contains images of formats that are not read."""
    names = [each.name for each in folder.iterdir() if each.suffix.lower() in foreign.SUFFIXES and each.is_file()]
    if not names:
        return []
    kinds = ", ".join(sorted({Path(name).suffix.lower() for name in names}))
    return [f"{shown(folder)}: {len(names):,} files ({kinds}) are not read: save or export them as PNG or JPEG"]


def _instead(folder: Path) -> str:
    """Where images are, if they are deeper, or what is expected."""
    for each in class_folders(folder):
        try:
            if classes_in(each):
                return f" or its subfolders; name a folder inside it, such as {shown(each)}"
        except OSError:
            continue
    return f" or its subfolders; names of images end in {', '.join(SUFFIXES)}"
