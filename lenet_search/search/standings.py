"""Standings: how a study's trials have ended so far, kept up to date without looking at ended trials twice."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from optuna.trial import FrozenTrial, TrialState


class Standings:
    """Counts by state, and the complete trials by rank and by time.

    A finished trial stays as it is, so with n trials, k of them new, an update costs k log n, not n log n.

    Args:
        maximize: whether a higher value is better
    """

    def __init__(self, *, maximize: bool) -> None:
        self.ranked: list[FrozenTrial] = []  # complete, best first; of equals, the older first
        self.ended: list[FrozenTrial] = []  # complete, in the order in which they ended
        self._sign = -1.0 if maximize else 1.0
        self._finished: Counter[TrialState] = Counter()
        self._open: Counter[TrialState] = Counter()
        self._seen: set[int] = set()
        self._settled = 0  # all trials with a smaller number are finished and seen

    def update(self, trials: Sequence[FrozenTrial]) -> None:
        """Take note of how the study's `trials`, all of them in order, are now."""
        self._open.clear()
        settled = True
        for trial in trials[self._settled :]:
            finished = trial.state.is_finished()
            if not finished:
                self._open[trial.state] += 1
            elif trial.number not in self._seen:
                self._seen.add(trial.number)
                self._finished[trial.state] += 1
                if trial.state == TrialState.COMPLETE:
                    insort(self.ranked, trial, key=self._rank)
                    insort(self.ended, trial, key=_end)
            settled = settled and finished
            self._settled += settled

    def count(self, *states: TrialState) -> int:
        """How many trials are in one of the states."""
        return sum(self._finished[state] + self._open[state] for state in states)

    def better(self, value: float) -> int:
        """How many complete trials are at least as good as `value`."""
        return bisect_right(self.ranked, self._sign * value, key=lambda trial: self._rank(trial)[0])

    def _rank(self, trial: FrozenTrial) -> tuple[float, int]:
        return self._sign * (trial.value or 0.0), trial.number


def _end(trial: FrozenTrial) -> tuple[datetime, int]:
    return trial.datetime_complete or datetime.min, trial.number
