"""A study's history: its finished trials, each read once.

A finished trial never changes. An open one does, and may go back from RUNNING to WAITING. So this is the one place in
a process that remembers finished trials; open ones are read again each time. Everything computed from finished trials
(standings, a pruner's values, a sampler's arrays) continues from where it stopped.
"""

from collections.abc import Container
from itertools import islice

import optuna
from optuna.trial import FrozenTrial, TrialState

from lenet_search.storage.batched import Batched


class History:
    """The trials of a study in its storage. They are the storage's objects: do not change them."""

    def __init__(self, study: optuna.Study) -> None:
        self.finished: dict[int, FrozenTrial] = {}  # by number, in the order in which they were read; only grows
        self.open: list[FrozenTrial] = []  # RUNNING and WAITING trials at the last look
        self._storage, self._study_id = study._storage, study._study_id
        self._settled = 0  # all trials with a smaller number are finished and known
        self._changes: int | None = None  # the storage's count at the last update
        self._lists: dict[tuple[TrialState, ...], list[FrozenTrial]] = {}  # finished trials by states, until a look

    def update(self) -> None:
        """Look, unless the storage counts state changes and there was none since the last update."""
        changes = self._storage.changes(self._study_id) if isinstance(self._storage, Batched) else None
        if changes is None or changes != self._changes:
            self.look()
            self._changes = changes

    def look(self) -> None:
        """Read the trials that have finished since the last look, and the current open ones."""
        trials = self._storage.get_all_trials(self._study_id, deepcopy=False)
        unsettled = trials[self._settled :]
        self.open = [trial for trial in unsettled if not trial.state.is_finished()]
        self.finished.update((trial.number, trial) for trial in unsettled if trial.state.is_finished())
        self._lists.clear()
        self._settled = self.open[0].number if self.open else len(trials)

    def since(self, count: int) -> list[FrozenTrial]:
        """All finished trials but the first `count`, in the order in which they were read."""
        return list(islice(self.finished.values(), count, None))

    def ended(self, states: Container[TrialState]) -> list[FrozenTrial]:
        """The current finished trials in `states`, ordered by number."""
        self.update()
        wanted = tuple(state for state in TrialState if state in states)
        if wanted not in self._lists:
            self._lists[wanted] = [trial for _, trial in sorted(self.finished.items()) if trial.state in wanted]
        return list(self._lists[wanted])
