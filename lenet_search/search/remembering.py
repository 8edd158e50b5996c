"""An Optuna study that answers from its history: some of Optuna's pruners read all finished trials at each report."""

from collections.abc import Callable, Container
from copy import deepcopy as copied
from typing import Any

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
        self.new_attributes: Callable[[], dict[str, Any]] = dict  # system attributes of a new trial
        self._standings = Standings(self.history, maximize=self.directions == [StudyDirection.MAXIMIZE])

    def _pop_waiting_trial_id(self) -> int | None:
        """As in Optuna; a new trial is created with its attributes, so that nobody ever sees it without."""
        if self.standings().count(TrialState.WAITING):
            waiting = super()._pop_waiting_trial_id()
            if waiting is not None:
                return waiting
        template = optuna.trial.create_trial(state=TrialState.RUNNING, system_attrs=self.new_attributes())
        return self._storage.create_new_trial(self._study_id, template)

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
        return self._get_trials(deepcopy, states)

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        """As in Optuna, where samplers call it at each step of a draw."""
        if deepcopy or states is None or TrialState.RUNNING in states or TrialState.WAITING in states:
            return super()._get_trials(deepcopy, states, use_cache)
        return self.history.ended(states)
