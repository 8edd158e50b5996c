"""Stack sizes that were measured before, in the user's cache folder: plain JSON that one can read, edit and delete.

One process measures at a time. The lock is the system's own (`flock`), so it goes with a process that is killed.
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

from lenet_search.machine import replace_text, writable_cache

PATIENCE = 300.0  # seconds that another measurement is waited for; one that takes longer hangs
SILENCE = 2.0  # seconds of that wait before a person hears of it
POLL = 0.2  # seconds


@dataclass(frozen=True)
class Entry:
    """What a measurement found, and under which `conditions` it holds.

    rates  trial-images per second, by stack size
    most   the largest size that memory allowed at that time
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
    """The file `slots.json` in `folder`. A file that is missing, damaged or somebody else's holds nothing."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "slots.json"

    def find(self, conditions: Mapping[str, Any]) -> Entry | None:
        """The entry for exactly these conditions."""
        return next((entry for entry in self._entries() if entry.conditions == conditions), None)

    def keep(self, entry: Entry) -> None:
        """Write an entry in the place of an older one. The file is replaced as a whole.

        Raises:
            OSError: the disk is full, say.
        """
        others = [known for known in self._entries() if known.conditions != entry.conditions]
        content = {"measured": [_to_json(each) for each in (*others, entry)]}
        replace_text(self.path, json.dumps(content, indent=1, allow_nan=False) + "\n")

    @contextmanager
    def alone(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep other processes from measuring; after `PATIENCE`, or where files cannot be locked, go on all the same.

        `waiting` is called once if it takes long, unless a sibling is at work: its progress is seen anyway.
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
    """The user's own.

    Raises:
        PermissionError: there is no folder to keep it in.
    """
    return Memory(writable_cache())


def _family() -> bytes:
    """Whose workers measure: the parent's number."""
    return str(os.getppid()).encode()


def _locked(handle: int) -> bool:
    """Whether the lock is ours now, or there can be none."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network disk that knows no locks
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
    """An entry, if it is one."""
    try:
        rates = {int(size): float(rate) for size, rate in content["images_per_second"].items()}
        entry = Entry(
            dict(content["conditions"]), content["slots"], rates, content["most"], content["ended"], content["date"]
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    sound = type(entry.slots) is int and entry.slots in rates and type(entry.most) is int and entry.most >= entry.slots
    return entry if sound and isinstance(entry.ended, str) and isinstance(entry.date, str) else None
