"""A study's history: its finished trials, each read once.

A finished trial never changes. An open one does, and may go back from RUNNING to WAITING. So this is the one place in
a process that remembers finished trials; open ones are read again each time. Everything computed from finished trials
(standings, a pruner's values, a sampler's arrays) continues from where it stopped.
"""

from bisect import insort
from collections.abc import Container
from dataclasses import dataclass, field

import optuna
from optuna.trial import FrozenTrial, TrialState

from lenet_search.storage.batched import Batched

FINISHED = frozenset(state for state in TrialState if state.is_finished())


class History:
    """The trials of a study in its storage. They are the storage's objects: do not change them."""

    def __init__(self, study: optuna.Study) -> None:
        self.finished: dict[int, FrozenTrial] = {}  # by number; only grows
        self.unfinished: dict[int, FrozenTrial] = {}  # RUNNING and WAITING trials at the last look, ordered by number
        self.looks = 0  # how often trials were read
        self._storage, self._study_id = study._storage, study._study_id
        self._known = 0  # number of trials at the last look
        self._changes: int | None = None  # the storage's count at the last look
        self._read: list[FrozenTrial] = []  # finished trials, in the order in which they were read
        self._ordered: dict[tuple[TrialState, ...], _Ordered] = {}  # by states

    def update(self) -> None:
        """Look, unless the storage counts state changes and there was none since the last look."""
        changes = self._count_changes()
        if changes is None or changes != self._changes:
            self._look(changes)

    def look(self) -> None:
        """Read the trials that have finished since the last look, and the current open ones with all that is noted."""
        self._look(self._count_changes())

    def _look(self, changes: int | None) -> None:
        self._changes = changes
        trials = self._storage.get_all_trials(self._study_id, deepcopy=False)  # ordered by number, without gaps
        unfinished: dict[int, FrozenTrial] = {}
        for number in (*self.unfinished, *range(self._known, len(trials))):
            trial = trials[number]
            if trial.state in FINISHED:
                self.finished[number] = trial
                self._read.append(trial)
            else:
                unfinished[number] = trial
        self.unfinished = unfinished
        self._known = len(trials)
        self.looks += 1

    def _count_changes(self) -> int | None:
        return self._storage.changes(self._study_id) if isinstance(self._storage, Batched) else None

    def since(self, count: int) -> list[FrozenTrial]:
        """All finished trials but the first `count`, in the order in which they were read."""
        return self._read[count:]

    def ended(self, states: Container[TrialState]) -> list[FrozenTrial]:
        """The current finished trials in `states`, ordered by number."""
        self.update()
        wanted = tuple(state for state in TrialState if state in states)
        ordered = self._ordered.setdefault(wanted, _Ordered())
        for trial in self.since(ordered.read):
            ordered.read += 1
            if trial.state in wanted:
                insort(ordered.trials, trial, key=_number)
        return list(ordered.trials)


@dataclass
class _Ordered:
    """Some of the finished trials, ordered by number; `read` counts all that were looked at."""

    trials: list[FrozenTrial] = field(default_factory=list)
    read: int = 0


def _number(trial: FrozenTrial) -> int:
    return trial.number
