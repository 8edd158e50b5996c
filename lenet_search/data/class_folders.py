"""A folder with one subfolder per class: which subfolders and files count, and in which order."""

import os
import re
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp")
# What systems, NAS boxes and archivers leave in any folder; what begins with a dot (.git, .DS_Store, ._a.png) is theirs
# as well
SYSTEM = (
    "__macosx",
    "__pycache__",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
)


def class_folders(folder: Path) -> list[Path]:
    """The subfolders of `folder`, in natural order: each is a class. Hidden and system folders are not.

    Raises:
        OSError: the folder cannot be read.
    """
    found = (path for path in folder.iterdir() if counts(path.name) and path.is_dir())
    return sorted(found, key=lambda path: natural(path.name))


def image_files(folder: Path) -> list[Path]:
    """The files directly in `folder` whose names end like those of images, in natural order, without hidden ones.

    A link that leads to itself is among them: whoever reads it names it.

    Raises:
        OSError: the folder cannot be read.
    """
    found = []
    with os.scandir(folder) as inside:
        for each in inside:
            if each.name.lower().endswith(SUFFIXES) and counts(each.name):
                try:
                    there = each.is_file()
                except OSError:
                    there = True
                found += [Path(each)] if there else []
    return sorted(found, key=lambda path: natural(path.name))


def counts(name: str) -> bool:
    """Whether a file or folder of this name was put there by a person: it is neither hidden nor the system's."""
    return not name.startswith(".") and name.lower() not in SYSTEM


def natural(name: str) -> tuple[list[str | int], str]:
    """The key of the natural order of names: 2 before 10, a before B."""
    parts = re.split(r"([0-9]+)", name.casefold())  # text and digits take turns, so keys can be compared
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


def printable(path: Path | str) -> str:
    r"""A path or name as text that can be printed and stored: bytes that are not UTF-8 become escapes such as \xe9."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
