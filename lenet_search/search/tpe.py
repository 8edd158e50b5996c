"""Optuna's TPE, for studies with thousands of trials.

For each draw, Optuna's TPE reads all finished trials in Python, to rank them and collect their parameters. With 10,000
trials, this is nine tenths of an `ask`; the rest is arithmetic. Finished trials never change, so their values are kept
here, in arrays by trial number. Those of running trials, of which a fleet has thousands, are kept one by one.

This replaces a step inside Optuna's sampler, so `lenet_search.search.opening` uses it only with versions of Optuna
whose internals are known.
"""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe import sampler as tpe
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History
from lenet_search.search.mixture import Estimator
from lenet_search.search.spaces import LEARNED_FROM, Groups, Intersection

LARGEST = 1e100  # parameter that Optuna's arithmetic can square; a damaged storage may contain larger ones


class RememberingTPESampler(TPESampler):
    """Draws the same values as Optuna's `TPESampler` with the same arguments, if trials are drawn one after the other.

    A trial's parameters are drawn in several steps, and Optuna reads all trials at each. Here they are read once for
    all steps of a trial that follow on one another; in between, only another process could change anything.
    """

    history: History | None = None  # the study's history; created at the first draw if not set
    _lock = Lock()  # shared by all samplers: samplers can be copied, locks cannot
    _finished: "_Finished | None" = None
    _looked = -1  # number of the trial for which trials were last read

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """As in Optuna."""
        self._looked = -1  # the trial may have been drawn before, and waited
        super().before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As in Optuna."""
        with self._lock:
            self._begin(study)
            if len(study.directions) == 1:
                self._look(study, trial)
        return super().infer_relative_search_space(study, trial)

    def _sample(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The step that reads all trials: split them, fit an estimator to both parts, take the best draw."""
        if len(study.directions) > 1:
            return super()._sample(study, trial, search_space)
        with self._lock:
            finished = self._begin(study)
            if self._looked != trial.number:
                self._look(study, trial)
            if finished.constrained:
                return super()._sample(study, trial, search_space)
            if self._gamma is None:
                self._gamma = tpe.default_gamma
            best, rest = finished.split(self._gamma(len(finished)))
            below, above = (
                Estimator(
                    finished.observations(rows, search_space, with_running=rows is rest),
                    search_space,
                    self._parzen_estimator_parameters,
                )
                for rows in (best, rest)
            )
            samples = below.sample(self._rng.rng, self._n_ei_candidates)
            drawn = TPESampler._compare(samples, self._compute_acquisition_func(samples, below, above))
            return {name: distribution.to_external_repr(drawn[name]) for name, distribution in search_space.items()}

    def _begin(self, study: optuna.Study) -> "_Finished":
        """What is known of finished trials. The study is not known before the first draw."""
        if self._finished is None:
            self.history = self.history or History(study)
            self._finished = _Finished(study, self.history)
            self._search_space: Any = Intersection(self.history)
            if self._group:
                self._group_decomposed_search_space: Any = Groups(self.history)
        return self._finished

    def _look(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Read all trials, for one that is about to be drawn."""
        assert self.history is not None
        assert self._finished is not None
        self.history.look()
        self._finished.read()
        self._finished.running.read(
            {
                number: other
                for number, other in self.history.unfinished.items()
                if self._constant_liar and other.state == TrialState.RUNNING and number != trial.number
            },
            lambda other: self._get_params(other, study),
        )
        self._looked = trial.number


class _Finished:
    """The complete and pruned trials of a history, by number."""

    def __init__(self, study: optuna.Study, history: History) -> None:
        self.constrained = False  # whether any trial has constraints, which take precedence over values
        self.running = _Running()
        self._study = study
        self._history = history
        self._read = 0  # number of finished trials read from the history, including failed ones
        self._numbers = np.zeros(0, int)  # ascending, as are the rows of the arrays below
        self._complete = np.zeros(0, bool)
        self._ranks = np.zeros((0, 2))  # smaller is better, among complete and among pruned trials
        self._columns: dict[str, tuple[BaseDistribution, np.ndarray]] = {}  # NaN where a trial lacks the parameter
        self._split: tuple[int, np.ndarray, np.ndarray] | None = None  # the last answer of `split`

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self) -> None:
        """Add the trials that are new in the history."""
        finished = self._history.since(self._read)
        self._read += len(finished)
        new = [trial for trial in finished if trial.state in LEARNED_FROM and _has_value(trial)]
        if not new:
            return
        self._split = None
        self.constrained |= any(trial.constraints for trial in new)
        numbers = np.concatenate([self._numbers, [trial.number for trial in new]])
        order = np.argsort(numbers)
        self._numbers = numbers[order]
        complete = [trial.state == TrialState.COMPLETE for trial in new]
        self._complete = np.concatenate([self._complete, complete])[order]
        self._ranks = np.concatenate([self._ranks, np.array([self._rank(trial) for trial in new])])[order]
        for name, (distribution, column) in self._columns.items():
            added = [_internal(trial.params, name, distribution) for trial in new]
            self._columns[name] = distribution, np.concatenate([column, added])[order]

    def split(self, below: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the best `below` trials, complete ones first, and of the others; both ascending."""
        if self._split is None or self._split[0] != below:
            order = np.lexsort((self._ranks[:, 1], self._ranks[:, 0], ~self._complete))
            self._split = below, np.sort(order[:below]), np.sort(order[below:])
        return self._split[1:]

    def observations(
        self, rows: np.ndarray, space: dict[str, BaseDistribution], *, with_running: bool
    ) -> dict[str, np.ndarray]:
        """The parameters of all trials that have every parameter of `space`, in Optuna's internal representation.

        Args:
            rows: finished trials
            space: the distributions
            with_running: whether to add the running trials

        Returns:
            An array for each parameter, ordered by trial number.
        """
        columns = np.array([self._column(name, distribution)[rows] for name, distribution in space.items()])
        everywhere = ~np.isnan(columns).any(axis=0)
        added = self.running.values(space) if with_running else {}
        order = np.argsort(np.concatenate([self._numbers[rows][everywhere], np.fromiter(added, int)]))
        running = np.array(list(added.values()), float).reshape(-1, len(space)).T
        values = np.concatenate([columns[:, everywhere], running], axis=1)[:, order]
        return dict(zip(space, values, strict=True))

    def _column(self, name: str, distribution: BaseDistribution) -> np.ndarray:
        known = self._columns.get(name)
        if known is None or known[0] != distribution:
            values = [_internal(self._history.finished[number].params, name, distribution) for number in self._numbers]
            known = self._columns[name] = distribution, np.array(values)
        return known[1]

    def _rank(self, trial: FrozenTrial) -> tuple[float, float]:
        if trial.state == TrialState.PRUNED:
            step, value = tpe._get_pruned_trial_score(trial, self._study)
            return float(step), value
        assert trial.value is not None
        return 0.0, -trial.value if self._study.direction.name == "MAXIMIZE" else trial.value


class _Drawn(NamedTuple):
    """What is drawn of a running trial."""

    mark: tuple[int, Any]  # another one, if more was drawn
    params: Mapping[str, Any]  # those that are set, and those that are about to be
    done: frozenset[str]  # names of those that are set


class _Running:
    """The parameters of running trials. Most have been drawn completely, and change no more."""

    def __init__(self) -> None:
        self._trials: dict[int, _Drawn] = {}  # by number
        self._values: dict[str, tuple[BaseDistribution, dict[int, float]]] = {}  # of those set, by name and number

    def read(self, trials: Mapping[int, FrozenTrial], params_of: Callable[[FrozenTrial], Mapping[str, Any]]) -> None:
        """Take the trials that are running now; `params_of` adds what is about to be set to what is."""
        before, self._trials = self._trials, {}
        for number, trial in trials.items():
            mark = len(trial.params), trial.system_attrs.get(f"{tpe._RELATIVE_PARAMS_KEY}:0")
            known = before.get(number)
            if known is None or known.mark != mark:
                known = _Drawn(mark, params_of(trial), frozenset(trial.params))
            self._trials[number] = known
        for _, values in self._values.values():
            for number in before.keys() - trials.keys():
                values.pop(number, None)

    def values(self, space: dict[str, BaseDistribution]) -> dict[int, list[float]]:
        """The values of all trials that have every parameter of `space`, by number."""
        tables = [(name, each, self._table(name, each)) for name, each in space.items()]
        found = {}
        for number, drawn in self._trials.items():
            row = []
            for name, distribution, table in tables:
                value = table.get(number)
                if value is None:
                    value = _internal(drawn.params, name, distribution)
                    if name in drawn.done:  # what is only about to be set may be set to another value
                        table[number] = value
                if value != value:  # NaN: it lacks the parameter
                    break
                row.append(value)
            else:
                found[number] = row
        return found

    def _table(self, name: str, distribution: BaseDistribution) -> dict[int, float]:
        known = self._values.get(name)
        if known is None or known[0] != distribution:
            known = self._values[name] = distribution, {}
        return known[1]


def _has_value(trial: FrozenTrial) -> bool:
    """Whether a trial, which another tool may have added, has what a complete trial must have."""
    return trial.state != TrialState.COMPLETE or (trial.value is not None and not np.isnan(trial.value))


def _internal(params: Mapping[str, Any], name: str, distribution: BaseDistribution) -> float:
    """A parameter in Optuna's internal representation; NaN if there is none that it can have."""
    try:
        value = distribution.to_internal_repr(params[name])
        return value if abs(value) < LARGEST else np.nan
    except (KeyError, ValueError, TypeError, OverflowError):  # it lacks it, or another tool gave it one of another kind
        return np.nan
