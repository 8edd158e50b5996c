"""Which studies and recipes there are, and where the one that was asked for lies."""

import os
from pathlib import Path
from typing import Literal

from lenet_search.errors import StudyFileError
from lenet_search.study.source import nearest_name

Kind = Literal["studies", "recipes"]  # the folder: of studies, and of study files with nothing open
OTHER: dict[Kind, Kind] = {"studies": "recipes", "recipes": "studies"}
WORDS: dict[Kind, str] = {"studies": "study", "recipes": "recipe"}


def shipped(kind: Kind = "studies") -> dict[str, Path]:
    """The studies or recipes that come with the package, by name."""
    package = Path(__file__).resolve().parent.parent
    installed = package / kind
    return _files_in(installed if installed.is_dir() else package.parent / kind)  # or a source checkout


def local(kind: Kind = "studies") -> dict[str, Path]:
    """Those of the working folder: `studies/NAME.toml` or `recipes/NAME.toml`, by name."""
    return _files_in(Path(kind))


def title(path: Path) -> str:
    """The first comment line of a study file: what it asks. Empty where there is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            first = next(lines, "").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return first.lstrip("# ") if first.startswith("#") else ""


def find(source: str | Path, kind: Kind = "studies") -> Path:
    """The file of a study: a path as it is; a NAME from the working folder, then from the package.

    A name is looked for among the files of `kind` first, and then among the others.

    Raises:
        StudyFileError: when it is not there, with the names of those that are.
    """
    is_path = isinstance(source, Path) or "/" in source or "\\" in source or source.endswith(".toml")
    if is_path:
        path = Path(source)
        if os.path.isfile(path):  # of a path that is too long for a file, pathlib's own raises an error
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
        raise StudyFileError([f"no {WORDS[kind]} is called {name!r}{_instead(name, sorted(_known(kind)))}"])
    return known[name]


def _known(kind: Kind) -> dict[str, Path]:
    return {**shipped(kind), **local(kind)}


def _instead(asked: str, others: list[str]) -> str:
    """How an error goes on: the nearest other, and all others."""
    nearest = nearest_name(asked, others)
    hint = f"; did you mean {nearest}?" if nearest else "."
    return f"{hint} There are: {', '.join(others)}"


def _files_in(folder: Path) -> dict[str, Path]:
    if not os.path.isdir(folder):
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.toml")) if path.is_file()}
