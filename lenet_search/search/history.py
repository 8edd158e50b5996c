"""A study's history: its finished trials, each looked at once.

A finished trial does not change. An open one does, and may go back from RUNNING to WAITING. So finished trials are
remembered, in this one place of a process, and open ones are taken afresh. What is worked out from finished trials
(standings, a pruner's values, a sampler's arrays) reads on from where it stopped.
"""

from collections.abc import Container
from itertools import islice

import optuna
from optuna.trial import FrozenTrial, TrialState

from lenet_search.storage.journal import BatchedJournal


class History:
    """The trials of a study in its storage. They are the storage's own objects: not to be changed."""

    def __init__(self, study: optuna.Study) -> None:
        self.finished: dict[int, FrozenTrial] = {}  # by number, in the order in which they became known; only grows
        self.open: list[FrozenTrial] = []  # RUNNING and WAITING, as they were at the last look
        self._storage, self._study_id = study._storage, study._study_id
        self._settled = 0  # all trials with a smaller number are finished and known
        self._changes: int | None = None  # of the storage, at the last update
        self._lists: dict[tuple[TrialState, ...], list[FrozenTrial]] = {}  # of finished trials, until a look

    def update(self) -> None:
        """Look, unless the storage counts changes of trials' states and there was none since the last update."""
        changes = self._storage.changes(self._study_id) if isinstance(self._storage, BatchedJournal) else None
        if changes is None or changes != self._changes:
            self.look()
            self._changes = changes

    def look(self) -> None:
        """Take note of trials that have finished since the last look, and of how open ones are now."""
        trials = self._storage.get_all_trials(self._study_id, deepcopy=False)
        unsettled = trials[self._settled :]
        self.open = [trial for trial in unsettled if not trial.state.is_finished()]
        self.finished.update((trial.number, trial) for trial in unsettled if trial.state.is_finished())
        self._lists.clear()
        self._settled = self.open[0].number if self.open else len(trials)

    def since(self, count: int) -> list[FrozenTrial]:
        """The finished trials that became known after the first `count` did."""
        return list(islice(self.finished.values(), count, None))

    def ended(self, states: Container[TrialState]) -> list[FrozenTrial]:
        """The finished trials in `states`, in order of their numbers, as they are now."""
        self.update()
        wanted = tuple(state for state in TrialState if state in states)
        if wanted not in self._lists:
            self._lists[wanted] = [trial for _, trial in sorted(self.finished.items()) if trial.state in wanted]
        return list(self._lists[wanted])
