"""An Optuna study that answers from its history, for pruners of Optuna that ask for all finished trials per report."""

from collections.abc import Container
from copy import deepcopy as copied

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History
from lenet_search.search.standings import Standings


class RememberingStudy(optuna.Study):
    """A study of one objective, without constraints. It says what Optuna's `Study` says; its history is shared.

    Args:
        name: of the study, which is in the storage
        storage: where it is
    """

    def __init__(self, name: str, storage: optuna.storages.BaseStorage) -> None:
        super().__init__(name, storage)
        self.history = History(self)
        self._standings = Standings(self.history, maximize=self.directions == [StudyDirection.MAXIMIZE])

    def standings(self) -> Standings:
        """How all trials stand, in the storage as it is now."""
        self._standings.update()
        return self._standings

    @property
    def best_trial(self) -> FrozenTrial:
        """As Optuna's."""
        ranked = self.standings().ranked
        return copied(ranked[0]) if ranked else super().best_trial

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """As Optuna's."""
        if deepcopy or states is None or TrialState.RUNNING in states or TrialState.WAITING in states:
            return super().get_trials(deepcopy, states)
        return self.history.ended(states)
