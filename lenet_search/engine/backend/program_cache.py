"""Where compiled programs are kept from run to run: a folder in the user's cache, within bounds."""

import os
import shutil
from pathlib import Path

from lenet_search.machine import writable_cache

MOST = 2**30  # bytes; the oldest files go first
ROOM = 2 * MOST  # bytes that the disk must have free: XLA may fail where it cannot write what it has tuned


def folder(backend: str) -> Path | None:
    """The folder for a backend's programs, rid of the oldest; None where nothing can be kept.

    Nothing depends on it: without it, or after it was deleted, programs are compiled again.
    """
    try:
        found = writable_cache() / backend
        found.mkdir(mode=0o700, exist_ok=True)
        _tidy(found)
        usable = os.access(found, os.W_OK | os.X_OK) and shutil.disk_usage(found).free > ROOM
        return found if usable else None
    except OSError:
        return None


def _tidy(folder: Path) -> None:
    """Delete the oldest files beyond `MOST` bytes. Other processes may read, write and delete there, too."""
    found = []
    for path in folder.rglob("*"):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            found.append((status.st_mtime, status.st_size, path))
    left = MOST
    for _, size, path in sorted(found, key=lambda each: each[0], reverse=True):
        left -= size
        if left < 0:
            path.unlink(missing_ok=True)
