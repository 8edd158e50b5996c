"""Standings: the results of a study's trials so far."""

import math
from bisect import insort
from collections import Counter
from datetime import datetime

from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History
from lenet_search.search.parents import RUN, is_run_elsewhere
from lenet_search.storage.trials import carries_run, noted


class Standings:
    """Counts trials by state, and orders complete trials by rank and by time.

    With n trials, k of them new, an update costs k log n rather than n log n.

    Args:
        history: the study's history
        maximize: whether higher values are better
    """

    def __init__(self, history: History, *, maximize: bool) -> None:
        self.ranked: list[FrozenTrial] = []  # complete trials, best first; among equals, the older first
        self.own: list[FrozenTrial] = []  # those of them that lenet-search ran: another tool may have added others
        self.arrived: list[FrozenTrial] = []  # the same, in the order in which they were read
        self.ended: list[FrozenTrial] = []  # complete trials, in the order in which they ended
        self._history = history
        self._read = 0  # number of finished trials read from the history
        self._sign = -1.0 if maximize else 1.0
        self._finished: Counter[TrialState] = Counter()
        self._unfinished: Counter[TrialState] = Counter()
        self._signed: set[int] = set()  # numbers of trials that are known not to be run by another tool
        self._looks = 0  # of the history, when the unfinished were counted

    def update(self) -> None:
        """Read the current state of the study's trials."""
        self._history.update()
        for trial in self._history.since(self._read):
            self._read += 1
            self._finished[trial.state] += 1
            self._signed.discard(trial.number)
            if trial.state == TrialState.COMPLETE and trial.value is not None and not math.isnan(trial.value):
                insort(self.ranked, trial, key=self._rank)
                insort(self.ended, trial, key=_end)
                if carries_run(trial):
                    insort(self.own, trial, key=self._rank)
                    self.arrived.append(trial)
        if self._history.looks != self._looks:
            self._looks = self._history.looks
            self._count_unfinished()

    def _count_unfinished(self) -> None:
        """Count by state; several thousand may be running, and most were signed long ago."""
        self._unfinished.clear()
        for number, trial in self._history.unfinished.items():
            if number not in self._signed:
                if is_run_elsewhere(trial):
                    continue
                if noted(trial, RUN) is not None:
                    self._signed.add(number)
            self._unfinished[trial.state] += 1

    def count(self, *states: TrialState) -> int:
        """The number of trials in any of the states, without those that another tool is running."""
        return sum(self._finished[state] + self._unfinished[state] for state in states)

    def is_among(self, count: int, value: float) -> bool:
        """Whether a new trial of this value would be one of the best `count` that lenet-search ran."""
        return self.at_least(value, count) < count

    def at_least(self, value: float, most: int) -> int:
        """How many complete trials that lenet-search ran are as good as this value or better, counted up to `most`."""
        return sum(self._rank(trial)[0] <= self._sign * value for trial in self.own[:most])

    def _rank(self, trial: FrozenTrial) -> tuple[float, int]:
        return self._sign * (trial.value or 0.0), trial.number


def _end(trial: FrozenTrial) -> tuple[datetime, int]:
    return trial.datetime_complete or datetime.min, trial.number
