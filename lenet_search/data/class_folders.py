"""A folder with one subfolder per class: which subfolders and files count, and in which order."""

import re
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp")
# What systems, NAS boxes and archivers leave in any folder; what begins with a dot (.git, .DS_Store, ._a.png) is theirs
# as well
_SYSTEM = (
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
    return sorted((path for path in folder.iterdir() if counts(path.name) and path.is_dir()), key=natural)


def image_files(folder: Path) -> list[Path]:
    """The files directly in `folder` whose names end like those of images, in natural order, without hidden ones.

    Raises:
        OSError: the folder cannot be read.
    """
    return sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and counts(path.name) and path.is_file()),
        key=natural,
    )


def counts(name: str) -> bool:
    """Whether a file or folder of this name was put there by a person: it is neither hidden nor the system's."""
    return not name.startswith(".") and name.lower() not in _SYSTEM


def natural(path: Path) -> tuple[list[str | int], str]:
    """The key of the natural order of names: 2 before 10, a before B."""
    parts = re.split(r"([0-9]+)", path.name.casefold())  # text and digits take turns, so keys can be compared
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name
