"""Measured stack sizes, in the user's cache folder: plain JSON that users can read, edit and delete.

One process measures at a time. The lock is the system's (`flock`), which releases it when a process is killed.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet_search.machine import writable_cache
from lenet_search.whole import replace_text

PATIENCE = 300.0  # seconds to wait for another measurement; one that takes longer has hung
SILENCE = 2.0  # seconds of waiting before the user is told
POLL = 0.2  # seconds


@dataclass(frozen=True)
class Entry:
    """A measurement, and the `conditions` under which it holds.

    rates  trial-images per second, by stack size
    most   largest size that memory allowed at the time
    ended  why no larger size was measured, in words
    date   "2026-11-20"
    """

    conditions: Mapping[str, Any]
    slots: int
    rates: Mapping[int, float]
    most: int
    ended: str
    date: str


class Memory:
    """The file `slots.json` in `folder`. A file that is missing, damaged or foreign counts as empty."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "slots.json"

    def find(self, conditions: Mapping[str, Any]) -> Entry | None:
        """The entry for exactly these conditions."""
        return next((entry for entry in self._entries() if entry.conditions == conditions), None)

    def keep(self, entry: Entry) -> None:
        """Write an entry, replacing an older one for the same conditions. The file is replaced as a whole.

        Raises:
            OSError: the file cannot be written.
        """
        others = [known for known in self._entries() if known.conditions != entry.conditions]
        content = {"measured": [_to_json(each) for each in (*others, entry)]}
        replace_text(self.path, json.dumps(content, indent=1, allow_nan=False) + "\n")

    @contextmanager
    def alone(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep other processes from measuring; proceed anyway after `PATIENCE`, or if files cannot be locked.

        `waiting` is called once if the wait is long, unless a sibling worker is measuring, whose progress is shown.
        """
        handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            began, told = time.monotonic(), False
            while not _locked(handle) and (waited := time.monotonic() - began) < PATIENCE:
                if waited > SILENCE and not told and os.pread(handle, 64, 0) != _family():
                    told = True
                    waiting()
                time.sleep(POLL)
            os.ftruncate(handle, 0)
            os.pwrite(handle, _family(), 0)
            yield
        finally:
            os.close(handle)

    def _entries(self) -> list[Entry]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return []
        listed = content.get("measured") if isinstance(content, dict) else None
        return [entry for entry in map(_from_json, listed if isinstance(listed, list) else []) if entry is not None]


def memory() -> Memory:
    """The user's measurements.

    Raises:
        PermissionError: there is no folder for them.
    """
    return Memory(writable_cache())


def _family() -> bytes:
    """The process number of the parent, which identifies workers of the same command."""
    return str(os.getppid()).encode()


def _locked(handle: int) -> bool:
    """Whether the lock is ours now, or locks are not supported."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network disk without locks
        return True
    return True


def _to_json(entry: Entry) -> dict[str, Any]:
    return {
        "conditions": dict(entry.conditions),
        "slots": entry.slots,
        "images_per_second": {str(size): round(rate, 1) for size, rate in entry.rates.items()},
        "most": entry.most,
        "ended": entry.ended,
        "date": entry.date,
    }


def _from_json(content: Any) -> Entry | None:
    """The entry, or None if `content` is not a valid one."""
    try:
        rates = {int(size): float(rate) for size, rate in content["images_per_second"].items()}
        entry = Entry(
            dict(content["conditions"]), content["slots"], rates, content["most"], content["ended"], content["date"]
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    sound = type(entry.slots) is int and entry.slots in rates and type(entry.most) is int and entry.most >= entry.slots
    return entry if sound and isinstance(entry.ended, str) and isinstance(entry.date, str) else None
