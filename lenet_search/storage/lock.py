"""The lock of a journal: a file beside it, with which Optuna's locks and this one keep each other out.

Optuna creates a symbolic link, whose target is looked up from the wrong folder if the journal's path is relative, so
that the link of a process that died is never found to be stale; and some disks have no symbolic links. A file that
exists is a lock for both.
"""

import contextlib
import os
import time
import uuid
from types import TracebackType

from lenet_search.storage.patience import Patience

GRACE = 30.0  # seconds without a change after which a lock is taken over, as in Optuna
TELL_AFTER = 3.0  # seconds


class FileLock:
    """A context manager that holds the lock.

    Args:
        path: of the lock file
        patience: how long to wait for it

    Raises:
        StorageError: others hold the lock for too long.
        OSError: the folder cannot be written to.
    """

    def __init__(self, path: str, patience: Patience) -> None:
        self._path = path
        self._patience = patience
        self._held: int | None = None

    def __enter__(self) -> None:
        """Wait for the lock, and take it."""
        wait = self._patience.begin(TELL_AFTER)
        seen, since = None, time.monotonic()
        while not self._create():
            current = self._changed()
            if current != seen:
                seen, since = current, time.monotonic()
            elif seen is not None and time.monotonic() - since >= GRACE:
                self._remove()  # whoever made it has died: it is held for milliseconds
                self._patience.note(f"{self._path}, the lock of a process that died, was removed")
                continue
            wait.pause(
                f"waiting for {self._path}, the lock of another process; if that one has died, its lock is removed "
                f"after {GRACE:.0f} seconds",
                f"other processes have held {self._path} all the time: remove it if there are none",
            )
        wait.over()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock, unless somebody has taken it over."""
        if self._changed() == self._held:
            self._remove()

    def _create(self) -> bool:
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            return False
        self._held = self._changed()
        return True

    def _changed(self) -> int | None:
        """When the lock was made, in ns; None if there is none. A link's own time counts, not its target's."""
        try:
            return os.lstat(self._path).st_mtime_ns
        except FileNotFoundError:
            return None

    def _remove(self) -> None:
        """Rename, then remove it: of several who find it stale, one succeeds."""
        aside = f"{self._path}{uuid.uuid4()}.rename"
        with contextlib.suppress(FileNotFoundError):
            os.rename(self._path, aside)
            os.unlink(aside)
