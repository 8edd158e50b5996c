"""A study's journal, followed from outside as it grows."""

import json
from pathlib import Path
from typing import NamedTuple

STATE, REPORT, COMPLETE = 6, 7, 1  # of Optuna's journals: a trial's new state, an epoch's report


class Seen(NamedTuple):
    """A trial's metric after an epoch, or, if it is complete, its value; `seconds` is when it was seen."""

    seconds: float
    trial: int
    value: float
    complete: bool


class Journal:
    """A journal file with one study, read from its beginning."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._rest = path, 0, b""
        self.seen: list[Seen] = []

    def look(self, now: float) -> None:
        """Read what is new; `now` is noted for all of it."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for entry in map(json.loads, filter(None, lines)):
            if entry["op_code"] == REPORT:
                self.seen.append(Seen(now, entry["trial_id"], entry["intermediate_value"], complete=False))
            elif entry["op_code"] == STATE and entry["state"] == COMPLETE:
                self.seen.append(Seen(now, entry["trial_id"], entry["values"][0], complete=True))

    @property
    def reports(self) -> list[float]:
        """When each epoch of a trial was seen."""
        return [one.seconds for one in self.seen if not one.complete]

    @property
    def complete(self) -> int:
        """How many trials are complete."""
        return sum(one.complete for one in self.seen)
