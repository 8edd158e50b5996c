"""Standings: the results of a study's trials so far."""

import math
from bisect import insort
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History
from lenet_search.search.parents import is_run_elsewhere
from lenet_search.storage.trials import carries_run


class Standings:
    """Counts trials by state, and orders complete trials by rank and by time.

    With n trials, k of them new, an update costs k log n rather than n log n.

    Args:
        history: the study's history
        maximize: whether higher values are better
    """

    def __init__(self, history: History, *, maximize: bool) -> None:
        self.ranked: list[FrozenTrial] = []  # complete trials, best first; among equals, the older first
        self.ended: list[FrozenTrial] = []  # complete trials, in the order in which they ended
        self._history = history
        self._read = 0  # number of finished trials read from the history
        self._sign = -1.0 if maximize else 1.0
        self._finished: Counter[TrialState] = Counter()

    def update(self) -> None:
        """Read the current state of the study's trials."""
        self._history.update()
        for trial in self._history.since(self._read):
            self._read += 1
            self._finished[trial.state] += 1
            if trial.state == TrialState.COMPLETE and trial.value is not None and not math.isnan(trial.value):
                insort(self.ranked, trial, key=self._rank)
                insort(self.ended, trial, key=_end)

    def count(self, *states: TrialState) -> int:
        """The number of trials in any of the states, without those that another tool is running."""
        unfinished = sum(trial.state in states and not is_run_elsewhere(trial) for trial in self._history.open)
        return sum(self._finished[state] for state in states) + unfinished

    def is_among(self, count: int, value: float) -> bool:
        """Whether a new trial of this value would be one of the best `count` that lenet-search ran."""
        return self.at_least(value, count) < count

    def at_least(self, value: float, most: int) -> int:
        """How many complete trials that lenet-search ran are as good as this value or better, counted up to `most`."""
        ahead = islice(self.own(), most)
        return sum(self._rank(trial)[0] <= self._sign * value for trial in ahead)

    def own(self) -> Iterator[FrozenTrial]:
        """Those of `ranked` that lenet-search ran: another tool may have added others."""
        return filter(carries_run, self.ranked)

    def _rank(self, trial: FrozenTrial) -> tuple[float, int]:
        return self._sign * (trial.value or 0.0), trial.number


def _end(trial: FrozenTrial) -> tuple[datetime, int]:
    return trial.datetime_complete or datetime.min, trial.number
