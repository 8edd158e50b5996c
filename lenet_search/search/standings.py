"""Standings: the results of a study's trials so far."""

from bisect import bisect_right, insort
from collections import Counter
from datetime import datetime

from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History


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
            if trial.state == TrialState.COMPLETE:
                insort(self.ranked, trial, key=self._rank)
                insort(self.ended, trial, key=_end)

    def count(self, *states: TrialState) -> int:
        """The number of trials in any of the states."""
        return sum(self._finished[state] for state in states) + sum(t.state in states for t in self._history.open)

    def better(self, value: float) -> int:
        """The number of complete trials at least as good as `value`."""
        return bisect_right(self.ranked, self._sign * value, key=lambda trial: self._rank(trial)[0])

    def _rank(self, trial: FrozenTrial) -> tuple[float, int]:
        return self._sign * (trial.value or 0.0), trial.number


def _end(trial: FrozenTrial) -> tuple[datetime, int]:
    return trial.datetime_complete or datetime.min, trial.number
