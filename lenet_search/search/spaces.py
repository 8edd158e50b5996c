"""The parameters that Optuna's TPE draws together, for studies with thousands of trials.

For each trial, Optuna compares the distributions of all trials that have ended since the oldest of those that still
run began, or, for groups, of all trials. Here each trial is compared once, when it has ended.
"""

from optuna.distributions import BaseDistribution
from optuna.search_space.group_decomposed import _SearchSpaceGroup
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History

LEARNED_FROM = (TrialState.COMPLETE, TrialState.PRUNED)


class _New:
    """Trials that have ended since the last call, ordered by number."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._read = 0  # number of finished trials read from the history

    def __call__(self) -> list[FrozenTrial]:
        self._history.update()
        new = self._history.since(self._read)
        self._read += len(new)
        return sorted((trial for trial in new if trial.state in LEARNED_FROM), key=lambda trial: trial.number)


class Intersection:
    """Parameters that all trials have, with equal distributions; as Optuna's `IntersectionSearchSpace`."""

    def __init__(self, history: History) -> None:
        self._new = _New(history)
        self._space: dict[str, BaseDistribution] | None = None

    def calculate(self, study: Study, use_cache: bool = False) -> dict[str, BaseDistribution]:
        """The distributions by name, ordered by name."""
        for trial in self._new():
            theirs = trial.distributions
            if self._space is None:
                self._space = theirs
            else:
                self._space = {name: each for name, each in self._space.items() if theirs.get(name) == each}
        return dict(sorted((self._space or {}).items()))


class Groups:
    """Groups of parameters that occur in the same trials; as Optuna's `_GroupDecomposedSearchSpace`."""

    def __init__(self, history: History) -> None:
        self._new = _New(history)
        self._groups = _SearchSpaceGroup()

    def calculate(self, study: Study, use_cache: bool = False) -> _SearchSpaceGroup:
        """The groups."""
        for trial in self._new():
            self._groups.add_distributions(trial.distributions)
        return self._groups
