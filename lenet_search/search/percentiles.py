"""Optuna's percentile and median pruner, for studies with thousands of trials.

At each report, Optuna's pruner collects the values of all complete trials at that step. With 10,000 trials this takes a
few ms, and a stack of 64 slots waits for it 64 times per epoch. The values never change, so they are kept here, by
step.
"""

import math

import numpy as np
import optuna
from optuna.pruners import BasePruner
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History


class RememberingPercentilePruner(BasePruner):
    """Decides as Optuna's `PercentilePruner` with the same arguments; `MedianPruner` has percentile 50.

    Args:
        percentile: percentile of a step's values, from 0 to 100; trials whose best value so far is worse are pruned
        n_startup_trials: number of complete trials before any trial is pruned
        n_warmup_steps: number of steps before a trial may be pruned
        interval_steps: number of steps between two decisions
        n_min_trials: number of values that a step needs
    """

    history: History | None = None  # the study's history; created at the first report if not set

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
        self._read = 0  # number of finished trials read from the history
        self._complete = 0  # number of complete trials among them
        self._values: dict[int, list[float]] = {}  # values of all complete trials, by step
        self._bounds: dict[int, float] = {}  # percentiles computed so far, by step

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether to prune the trial."""
        step = trial.last_step
        if step is None or step < self._warmup:
            return False
        before = max((other for other in trial.intermediate_values if other != step), default=-1)
        if before >= step - (step - self._warmup) % self._interval:  # already decided in this interval
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
