"""An Optuna study that answers from its history: some of Optuna's pruners read all finished trials at each report."""

from collections.abc import Container
from copy import deepcopy as copied

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History
from lenet_search.search.standings import Standings


class RememberingStudy(optuna.Study):
    """A study with one objective and no constraints. It gives the same answers as Optuna's `Study`.

    Args:
        name: name of an existing study
        storage: its storage
    """

    def __init__(self, name: str, storage: optuna.storages.BaseStorage) -> None:
        super().__init__(name, storage)
        self.history = History(self)
        self._standings = Standings(self.history, maximize=self.directions == [StudyDirection.MAXIMIZE])

    def standings(self) -> Standings:
        """The state of all trials, in the storage as it is now."""
        self._standings.update()
        return self._standings

    @property
    def best_trial(self) -> FrozenTrial:
        """As in Optuna."""
        ranked = self.standings().ranked
        return copied(ranked[0]) if ranked else super().best_trial

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """As in Optuna."""
        if deepcopy or states is None or TrialState.RUNNING in states or TrialState.WAITING in states:
            return super().get_trials(deepcopy, states)
        return self.history.ended(states)
