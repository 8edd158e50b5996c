"""Files and folders that are written whole or not at all, whatever happens meanwhile.

What is being written lies beside its place, on the same disk, under a name that tells who writes it. If the process is
killed, the next one that writes there removes what was left behind.
"""

import contextlib
import errno
import itertools
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".lenet-search-"
_numbers = itertools.count()
_mine: set[str] = set()  # names of what this process is writing


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A scratch file to write to; it takes the place of `path` at the end, or is removed on an error.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; names `path`, which is then as it was.
    """
    path = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
    with _named_after(path), _scratch_in(path.parent) as scratch:
        yield scratch
        os.replace(scratch, path)


def replace_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: as `written_whole`.
    """
    with written_whole(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


@contextmanager
def folder_written_whole(folder: Path) -> Iterator[Path]:
    """A scratch folder to write files to. At the end all of them are in `folder`, or on an error none.

    `folder` is created if there is none. If there is one, which may be a link or a mounted disk, files of the same
    names are replaced together, and others stay.

    Raises:
        OSError: `folder` is a file, cannot be written to, or the disk is full; names `folder`, which is then as it was.
    """
    folder = Path(os.path.realpath(folder))
    with _named_after(folder), _parents_of(folder) as parent, _scratch_in(parent) as scratch:
        scratch.mkdir()
        yield scratch
        if folder.exists():
            _replace_together(scratch, folder)
        else:
            os.rename(scratch, folder)


def as_name(text: str) -> str:
    """A text as the name of one file or folder, which leads nowhere else and is not too long for any disk."""
    name = re.sub(r"[/\x00]", "-", text).encode("utf-8", "ignore")[:200].decode("utf-8", "ignore")
    return name.lstrip(".") or "unnamed"


def _replace_together(scratch: Path, folder: Path) -> None:
    """Move all files of `scratch` into `folder`; if one cannot be moved, put back what they have replaced."""
    names = sorted(os.listdir(scratch))
    for name in names:
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{name} is a folder there", str(folder / name))
    with _scratch_in(folder) as before:
        before.mkdir()
        begun = []
        try:
            for name in names:
                begun.append(name)
                if os.path.lexists(folder / name):
                    os.rename(folder / name, before / name)
                os.rename(scratch / name, folder / name)
        except BaseException:  # Ctrl-C as well
            for name in begun:
                if not os.path.lexists(scratch / name):
                    (folder / name).unlink()
                if os.path.lexists(before / name):
                    os.rename(before / name, folder / name)
            raise


@contextmanager
def _named_after(path: Path) -> Iterator[None]:
    """Errors of the disk name `path`, which a person knows, and no scratch file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(path)) from error


@contextmanager
def _parents_of(folder: Path) -> Iterator[Path]:
    """Where the scratch of `folder` belongs: in it, or beside it, in parents made for it and removed on an error."""
    if folder.exists():
        yield folder
        return
    missing = [each for each in folder.parents if not each.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield folder.parent
    except BaseException:
        with contextlib.suppress(OSError):  # another process has put something there
            for each in missing:
                each.rmdir()
        raise


@contextmanager
def _scratch_in(folder: Path) -> Iterator[Path]:
    """A path in `folder` for a file or folder; what is there at the end is removed."""
    _remove_abandoned(folder)
    scratch = folder / f"{_PREFIX}{_host()}-{os.getpid()}-{next(_numbers)}"
    _mine.add(scratch.name)
    try:
        yield scratch
    finally:
        _remove(scratch)
        _mine.discard(scratch.name)


def _remove_abandoned(folder: Path) -> None:
    """Remove what processes of this machine that have ended were writing here."""
    try:
        names = os.listdir(folder)
    except PermissionError:  # a folder may be written to, but not listed
        return
    for name in names:
        found = re.fullmatch(re.escape(f"{_PREFIX}{_host()}-") + r"(\d+)-\d+", name)
        if found and name not in _mine and (int(found[1]) == os.getpid() or not _is_running(int(found[1]))):
            _remove(folder / name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _host() -> str:
    return re.sub(r"\W", "_", os.uname().nodename)[:64]


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):  # another user's; no number of a process
        return True
    return True


def texts_written_whole(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write files by name into a folder, all or none, and return their paths."""
    with folder_written_whole(folder) as scratch:
        for name, text in texts.items():
            (scratch / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
