"""Which studies there are, and where the one that was asked for lies."""

import os
from pathlib import Path

from lenet_search.errors import StudyFileError
from lenet_search.study.source import nearest_name


def shipped() -> dict[str, Path]:
    """The studies that come with the package, by name."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "studies"
    return _studies_in(installed if installed.is_dir() else package.parent / "studies")  # or a source checkout


def local() -> dict[str, Path]:
    """The studies of the working folder: `studies/NAME.toml`, by name."""
    return _studies_in(Path("studies"))


def find(source: str | Path) -> Path:
    """The file of a study: a path as it is; a NAME from `studies/` in the working folder, then from the package.

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
        beside = sorted(str(other) for other in _studies_in(path.parent).values())
        raise StudyFileError([f"{path}: expected a study file; there is no such file{_instead(str(path), beside)}"])
    name = str(source)
    known = {**shipped(), **local()}
    if name not in known:
        if os.path.isfile(name):
            return Path(name)
        raise StudyFileError([f"no study is called {name!r}{_instead(name, sorted(known))}"])
    return known[name]


def _instead(asked: str, others: list[str]) -> str:
    """How an error goes on: the nearest other, and all others."""
    if not others:
        others = sorted({**shipped(), **local()})
    nearest = nearest_name(asked, others)
    hint = f"; did you mean {nearest}?" if nearest else "."
    return f"{hint} There are: {', '.join(others)}"


def _studies_in(folder: Path) -> dict[str, Path]:
    if not os.path.isdir(folder):
        return {}
    return {path.stem: path for path in sorted(folder.glob("*.toml")) if path.is_file()}
