"""Optuna's journal for the process that runs a study: fewer writes to the disk, and a count of what changes.

What is noted of one trial (a parameter, a report, an attribute) commutes with whatever another run notes of its own
trials, and the notes and figures of a study are for its dashboard alone. So they are kept in memory until something is
written that others must see in order, a trial that begins or ends above all, or until `flush`. One write then takes all
of it. Nothing of a trial that has ended can be missing from the file: its end is written together with all that came
before.
"""

import re
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Self

from optuna.storages.journal import BaseJournalBackend, JournalStorage

from lenet_search.storage.batched import Batched, Looks

SHOWN = re.compile(r"dashboard:(\d+:)?(note_|plot_data:)")  # attributes of a study: its notes and figures


class BatchedJournal(JournalStorage, Batched):
    """A journal of which this process is one of perhaps several writers.

    Optuna's own reader takes what is written here as it is, and the other way round.

    Args:
        behind: where its entries are
        seldom: seconds between two looks at what others have written, at least; 0 for a file
    """

    def __init__(self, behind: BaseJournalBackend, seldom: float = 0.0) -> None:
        self._behind, self._seldom = behind, seldom
        self._looks = Looks(seldom)
        self._batches = _Batches(behind, is_far=seldom > 0)
        super().__init__(self._batches)

    def flush(self) -> None:
        """As `Batched.flush`."""
        with self._thread_lock:
            self._batches.flush()

    def let_go(self, trial_id: int) -> None:
        """As `Batched.let_go`; here, trials are taken without a trace."""

    def __reduce__(self) -> tuple[type[Self], tuple[BaseJournalBackend, float]]:
        """A copy reads the journal from its beginning, as another run does."""
        self.flush()
        return type(self), (self._behind, self._seldom)

    def changes(self, study_id: int) -> int:
        """As `Batched.changes`."""
        if self._looks.are_due():
            began = time.monotonic()
            self.get_study_directions(study_id)  # reads what others have written
            self._looks.looked(began)
        return self._batches.changes


class _Batches(BaseJournalBackend):
    """A backend that keeps back what can wait. One storage reads it, each entry once and in order.

    Optuna's storage reads after each entry that it appends. The backend behind is then asked if the entry was written,
    and unless it `is_far`, if the entry is the first to be kept back since: a trial may be another process's by now.
    """

    def __init__(self, behind: BaseJournalBackend, *, is_far: bool) -> None:
        self.changes = 0  # how many entries were read that may have changed a trial's state
        self._behind, self._is_far = behind, is_far
        self._passed_over = False  # whether the next read leaves out the backend behind
        self._kept: list[dict[str, Any]] = []
        self._unread: deque[dict[str, Any]] = deque()  # of those kept back
        self._own: set[str] = set()  # who kept entries back: this process under its storage's names
        self._read = 0  # entries of the backend behind

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        self._passed_over = False
        if all(_can_wait(log) for log in logs):
            self._passed_over = self._is_far or bool(self._kept)
            self._own.update(log["worker_id"] for log in logs)
            self._kept += logs
            self._unread += logs
        else:
            self._behind.append_logs(self._kept + logs)
            self._kept.clear()

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        passed_over, self._passed_over = self._passed_over, False
        for log in () if passed_over else self._behind.read_logs(self._read):
            self._read += 1
            waited = _can_wait(log)
            if waited and log["worker_id"] in self._own:
                continue  # was read when it was kept back
            self.changes += not waited
            yield log
        while self._unread:
            yield self._unread.popleft()

    def flush(self) -> None:
        if self._kept:
            self._behind.append_logs(self._kept)
            self._kept.clear()


def _can_wait(log: dict[str, Any]) -> bool:
    """Whether an entry is about one trial, which exists, and does not change its state; or for a dashboard only."""
    if "trial_id" in log:
        return "state" not in log
    return any(SHOWN.match(key) for key in log.get("system_attr", ()))
