"""Where a study lives: its Optuna storage."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_search.errors import ResultError, StorageError
from lenet_search.storage.address import artifact_folder, dashboard_command, file_of, resolve, shown, without_password
from lenet_search.storage.patience import Patience

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

__all__ = [
    "DATA_FOLDERS",
    "DEFINITION",
    "Patience",
    "artifact_folder",
    "dashboard_command",
    "open_storage",
    "resolve",
    "shown",
]

DEFINITION = "lenet-search definition"
DATA_FOLDERS = "lenet-search data folders"  # study attribute: where the file of each data set was found


def open_storage(url: str, *, create: bool, batched: bool = False, patience: Patience | None = None) -> "BaseStorage":
    """Open an Optuna storage: a journal file for a plain path, Redis for redis://, a database for any other URL.

    Opening to read (not `create`) changes no file, and needs no lock.

    Args:
        url: the storage
        create: whether to write to it, and to create what is not there
        batched: whether it is a `lenet_search.storage.batched.Batched`, whose user flushes it
        patience: how long to wait for a storage that does not answer or is locked

    Raises:
        ResultError: `create` is false and the file is not there.
        StorageError: the storage cannot be opened.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # our view says what Optuna's log would
    patience = patience or Patience()
    file = file_of(url)
    if file is not None:
        _check_file(url, file, create)
    elif url.startswith("sqlite"):
        raise StorageError(
            f"{url}: an in-memory database is lost when the command ends; name a file, like sqlite:///study.db"
        )
    try:
        if url.startswith(("redis://", "rediss://")):
            from lenet_search.storage.batched import SELDOM
            from lenet_search.storage.journal import BatchedJournal
            from lenet_search.storage.redis_journal import RedisJournal

            entries = RedisJournal(url, patience)
            return BatchedJournal(entries, SELDOM) if batched else optuna.storages.JournalStorage(entries)
        if "://" not in url:
            from lenet_search.storage.journal import BatchedJournal
            from lenet_search.storage.journal_file import JournalFile

            if not batched:
                return optuna.storages.JournalStorage(JournalFile(url, patience, create=create))
            behind = JournalFile(url, patience)
            journal = BatchedJournal(behind)
            behind.mend()  # what reading has found
            return journal
        from lenet_search.storage.database import open_database

        if not batched:
            return open_database(url, patience)
        from lenet_search.storage.batched_database import BatchedDatabase

        return open_database(url, patience, BatchedDatabase)
    except StorageError:
        raise
    except (ValueError, KeyError) as error:
        if "://" not in url:
            raise StorageError(f"{url} is not an Optuna journal, or it is damaged: {error}") from error
        raise _cannot_open(url, error) from _harmless(error, url)
    except Exception as error:  # drivers raise errors of their own, SQLAlchemy's and Redis's among them
        raise _cannot_open(url, error) from _harmless(error, url)


def _check_file(url: str, file: Path, create: bool) -> None:
    if file.is_dir():
        raise StorageError(f"{url}: expected a file; received a folder")
    if not file.exists():
        if not create:
            raise ResultError(f"there is no storage {url}; `lenet-search run` creates it, --storage selects another")
        if not file.parent.is_dir():
            raise StorageError(f"{url}: the folder {file.parent} does not exist; create it, or choose another storage")
    elif not file.is_file():
        raise StorageError(f"{url}: expected a file; received a device or a pipe")
    elif "://" not in url:
        from lenet_search.storage.journal_file import is_journal

        with file.open("rb") as stream:
            begins = stream.read(16)
        if begins == b"SQLite format 3\0":
            raise StorageError(f"{url} is an SQLite database; specify it as sqlite:///{url}")
        if not is_journal(file):  # Optuna would overlook a single line, and write behind it
            raise StorageError(f"{url} is not an Optuna journal; choose another file with --storage")
    if create:  # both kinds of file need another one beside them while they are written to
        folder = file.resolve().parent
        closed = file if file.exists() and not os.access(file, os.W_OK) else folder
        if not os.access(closed, os.W_OK):
            what = "the folder " if closed == folder else ""
            raise StorageError(f"{url}: {what}{closed} cannot be written to; choose another storage with --storage")


def _cannot_open(url: str, error: Exception) -> StorageError:
    if isinstance(error, ImportError):
        return StorageError(f"{shown(url)} requires a driver that is not installed: {error}")
    if type(error).__name__ in ("ArgumentError", "NoSuchModuleError"):  # SQLAlchemy's, of URLs that it does not know
        return StorageError(
            f"cannot open the storage {shown(url)}: expected the path of a journal file, or a URL that begins with "
            "sqlite:///, mysql://, postgresql:// or redis://"
        )
    first = str(error).strip().splitlines()[:1] or [type(error).__name__]
    return StorageError(f"cannot open the storage {shown(url)}: {without_password(first[0], url)}")


def _harmless(error: Exception, url: str) -> Exception | None:
    """An error as the cause of another, unless a traceback would then show a password."""
    said, each = str(error), error.__cause__ or error.__context__
    while each is not None:
        said, each = said + str(each), each.__cause__ or each.__context__
    return error if without_password(said, url) == said else None
