"""Optuna's percentile and median pruner, for studies with thousands of trials.

For each report, Optuna's gathers the values of all complete trials at that step anew: a few ms at 10,000 trials, in
which a stack of 64 slots waits 64 times per epoch. What they were does not change, so it is kept here, by step.
"""

import math

import numpy as np
import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History


class RememberingPercentilePruner(BasePruner):
    """Says what Optuna's `PercentilePruner` with the same arguments says; `MedianPruner` is that of percentile 50.

    Args:
        percentile: of the values at a step, from 0 to 100; trials whose best value so far is worse are given up
        n_startup_trials: complete trials before any is given up
        n_warmup_steps: steps before any trial is given up
        interval_steps: steps from one judgement to the next
        n_min_trials: values that a step needs
    """

    history: History | None = None  # of the study; made at the first report where it is not set

    def __init__(
        self,
        percentile: float,
        n_startup_trials: int = 5,
        n_warmup_steps: int = 0,
        interval_steps: int = 1,
        *,
        n_min_trials: int = 1,
    ) -> None:
        self._percentile = percentile
        self._startup = n_startup_trials
        self._warmup = n_warmup_steps
        self._interval = interval_steps
        self._least = n_min_trials
        self._read = 0  # finished trials of the history
        self._complete = 0  # of them
        self._values: dict[int, list[float]] = {}  # of all complete trials, by step
        self._bounds: dict[int, float] = {}  # the percentile by step, as far as it was asked for

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether to give the trial up."""
        step = trial.last_step
        if step is None or step < self._warmup:
            return False
        before = max((other for other in trial.intermediate_values if other != step), default=-1)
        if before >= step - (step - self._warmup) % self._interval:  # was judged in this interval
            return False
        self._remember(study)
        if self._complete < max(1, self._startup):
            return False
        sign = 1.0 if study.direction.name == "MAXIMIZE" else -1.0
        finite = [sign * value for value in trial.intermediate_values.values() if not math.isnan(value)]
        if not finite:
            return True
        return max(finite) < sign * self._bound(step, sign)  # false where there is no bound: NaN

    def _remember(self, study: optuna.Study) -> None:
        self.history = self.history or History(study)
        self.history.update()
        for trial in self.history.since(self._read):
            self._read += 1
            if trial.state == TrialState.COMPLETE:
                self._complete += 1
                self._bounds.clear()
                for step, value in trial.intermediate_values.items():
                    self._values.setdefault(step, []).append(value)

    def _bound(self, step: int, sign: float) -> float:
        if step not in self._bounds:
            values = np.array(self._values.get(step, []), dtype=float)
            enough = len(values) >= self._least and not np.isnan(values).all()
            percentile = 100 - self._percentile if sign > 0 else self._percentile
            self._bounds[step] = float(np.nanpercentile(values, percentile)) if enough else math.nan
        return self._bounds[step]
