"""Lists the available studies and recipes, and finds one by name or path."""

import os
from pathlib import Path
from typing import Literal

from lenet_search.errors import StudyFileError
from lenet_search.study.source import nearest_name

Kind = Literal["studies", "recipes"]  # the folder: of studies, or of study files with every value fixed
OTHER: dict[Kind, Kind] = {"studies": "recipes", "recipes": "studies"}
WORDS: dict[Kind, str] = {"studies": "study", "recipes": "recipe"}


def shipped(kind: Kind = "studies") -> dict[str, Path]:
    """The studies or recipes that ship with the package, by name."""
    package = Path(__file__).resolve().parent.parent
    installed = package / kind
    return _files_in(installed if installed.is_dir() else package.parent / kind)  # or a source checkout


def local(kind: Kind = "studies") -> dict[str, Path]:
    """Those in the working directory: `studies/NAME.toml` or `recipes/NAME.toml`, by name."""
    return _files_in(Path(kind))


def title(path: Path) -> str:
    """The title of a study file, its first comment line. Empty if there is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            first = next(lines, "").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return first.lstrip("# ") if first.startswith("#") else ""


def find(source: str | Path, kind: Kind = "studies") -> Path:
    """The file of a study: a path as given, or a NAME in the working directory or else in the package.

    A name is searched among the files of `kind` first, then among the others.

    Raises:
        StudyFileError: there is no such study. The message lists those that exist.
    """
    is_path = isinstance(source, Path) or "/" in source or "\\" in source or source.endswith(".toml")
    if is_path:
        path = Path(source)
        if os.path.isfile(path):  # pathlib's method raises an error if the path is too long
            return path
        if os.path.exists(path):
            what = "a folder" if path.is_dir() else "a device or a pipe"
            raise StudyFileError([f"{path}: expected a study file; received {what}"])
        beside = sorted(str(other) for other in _files_in(path.parent).values()) or sorted(_known(kind))
        raise StudyFileError([f"{path}: expected a study file; there is no such file{_instead(str(path), beside)}"])
    name = str(source)
    known = {**_known(OTHER[kind]), **_known(kind)}
    if name not in known:
        if os.path.isfile(name):
            return Path(name)
        raise StudyFileError([f"there is no {WORDS[kind]} named {name!r}{_instead(name, sorted(_known(kind)))}"])
    return known[name]


def _known(kind: Kind) -> dict[str, Path]:
    return {**shipped(kind), **local(kind)}


def _instead(asked: str, others: list[str]) -> str:
    """The end of an error message: the nearest name, and all names."""
    nearest = nearest_name(asked, others)
    hint = f"; did you mean {nearest}?" if nearest else "."
    return f"{hint} Available: {', '.join(others)}"


def _files_in(folder: Path) -> dict[str, Path]:
    if not os.path.isdir(folder):
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.toml")) if path.is_file()}
