"""Where a study lives: its Optuna storage."""

import os
import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_search.errors import ResultError, RunError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

DEFAULT_STORAGE = "lenet-search.journal"
DEFINITION = "lenet-search definition"
DATA_FOLDERS = "lenet-search data folders"  # study attribute: where the file of each data set was found
# How SQLite, PostgreSQL and MySQL say that another run has just made the same table or row.
SAME_MOMENT = ("already exists", "UNIQUE constraint failed", "duplicate key", "Duplicate entry")


def resolve(url: str | None) -> str:
    """The storage to use: `url`, else the environment's LENET_SEARCH_STORAGE, else a journal in this folder."""
    return url or os.environ.get("LENET_SEARCH_STORAGE") or DEFAULT_STORAGE


def open_storage(url: str, *, create: bool, batched: bool = False) -> "BaseStorage":
    """Open an Optuna storage: a journal file for a plain path, Redis for redis://, a database for any other URL.

    A `batched` journal file is a `lenet_search.storage.journal.BatchedJournal`, whose user flushes it.

    Raises:
        ResultError: `create` is false and the file is not there.
        RunError: the storage cannot be opened.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # our view says what Optuna's log would
    file = _file_of(url)
    if file is not None:
        _check_file(url, file, create)
    elif url.startswith("sqlite"):
        raise RunError(
            f"{url}: an in-memory database is lost when the command ends; name a file, like sqlite:///study.db"
        )
    try:
        if url.startswith(("redis://", "rediss://")):
            return _open_redis(url)
        if "://" not in url:
            from optuna.storages.journal import JournalFileBackend

            from lenet_search.storage.journal import BatchedJournal

            if batched:
                return BatchedJournal(url)
            return optuna.storages.JournalStorage(JournalFileBackend(url))
        return _open_database(url)
    except (ValueError, KeyError) as error:
        if "://" not in url:
            raise RunError(f"{url} is not an Optuna journal, or it is damaged: {error}") from error
        raise _cannot_open(url, error) from error
    except Exception as error:  # drivers raise errors of their own, SQLAlchemy's and Redis's among them
        raise _cannot_open(url, error) from error


def _open_database(url: str, tries: int = 5) -> "BaseStorage":
    from optuna.storages import RDBStorage

    # SQLite lets one process write at a time: wait for the other run of a shared search, don't fail.
    waits = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    try:
        return RDBStorage(url, engine_kwargs=waits)
    except Exception as error:
        if tries == 1 or not any(words in str(error) for words in SAME_MOMENT):
            raise
        time.sleep(0.5)  # two runs have made the same tables and first rows in the same moment; now they are there
        return _open_database(url, tries - 1)


def _open_redis(url: str) -> "BaseStorage":
    import warnings

    import optuna
    from optuna.storages.journal import JournalRedisBackend

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.storages.JournalStorage(JournalRedisBackend(url))


def _file_of(url: str) -> Path | None:
    """The file behind a journal path or an SQLite URL; None for servers and for databases in memory."""
    if "://" not in url:
        return Path(url)
    match = re.fullmatch(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?", url)
    return Path(match[1]) if match and match[1] != ":memory:" else None


def _check_file(url: str, file: Path, create: bool) -> None:
    if file.is_dir():
        raise RunError(f"{url}: expected a file; received a folder")
    if not file.exists():
        if not create:
            raise ResultError(f"there is no storage {url}; `lenet-search run` creates it, --storage selects another")
        if not file.parent.is_dir():
            raise RunError(f"{url}: the folder {file.parent} does not exist; create it, or choose another storage")
    elif not file.is_file():
        raise RunError(f"{url}: expected a file; received a device or a pipe")
    elif "://" not in url:
        with file.open("rb") as stream:
            begins = stream.read(16)
        if begins == b"SQLite format 3\0":
            raise RunError(f"{url} is an SQLite database; specify it as sqlite:///{url}")
        if begins and not begins.startswith(b"{"):  # Optuna would overlook a single line, and write behind it
            raise RunError(f"{url} is not an Optuna journal; choose another file with --storage")


def _cannot_open(url: str, error: Exception) -> RunError:
    shown = re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", url)  # no password in a message or a log
    if isinstance(error, ImportError):
        return RunError(f"{shown} requires a driver that is not installed: {error}")
    first = str(error).strip().splitlines()[:1] or [type(error).__name__]
    if type(error).__name__ in ("ArgumentError", "NoSuchModuleError"):  # SQLAlchemy's, of URLs that it does not know
        return RunError(
            f"cannot open the storage {shown}: expected the path of a journal file, or a URL that begins with "
            "sqlite:///, mysql://, postgresql:// or redis://"
        )
    return RunError(f"cannot open the storage {shown}: {first[0]}")


def artifact_folder(url: str) -> Path:
    """Where weights go: beside a storage that is a file ("x.journal" -> "x-artifacts"), else in this folder."""
    file = _file_of(url)
    return Path("lenet-search-artifacts") if file is None else file.with_name(f"{file.stem}-artifacts")


def dashboard_command(url: str) -> str:
    """The command that shows this storage in a browser, ready for a shell."""
    return shlex.join(["optuna-dashboard", url, "--artifact-dir", str(artifact_folder(url))])
