"""The ledger: the parent's side of the Optuna study. It asks, reports and tells, and keeps the total the total."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from lenet_search import __version__
from lenet_search.crew.job import Job
from lenet_search.errors import ResultError
from lenet_search.frozen import read_frozen, write_frozen
from lenet_search.recipe import Recipe
from lenet_search.run import Run
from lenet_search.search.opening import PRECISION, derived_seed, open_study
from lenet_search.search.parents import HEARTBEAT, PREFIX, RUN, SILENCE, Parent, is_over
from lenet_search.search.standings import Standings
from lenet_search.storage.journal import BatchedJournal
from lenet_search.storage.trials import REASON, attributes_of, drop_weights, save_weights
from lenet_search.structure import structure_of
from lenet_search.study import Definition

FROZEN = "frozen"  # trial attribute: the file of its frozen run, in a folder of this name beside the artifacts
KEPT = 5  # complete trials whose weights are kept
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING
COUNTED = (COMPLETE, PRUNED, RUNNING)  # towards a study's total
TOTAL_REACHED = "the study's total was reached by another run"


@dataclass(eq=False, kw_only=True)
class TrialJob(Job):
    """A trial that this process holds, from ask to tell."""

    trial: optuna.Trial


@dataclass(frozen=True)
class Counts:
    """How many trials of the study are in which state; `interrupted` ones wait for being resumed."""

    complete: int
    pruned: int
    failed: int
    running: int
    interrupted: int


class Ledger:
    """One study in one storage, on behalf of one parent.

    Args:
        definition: the study
        storage: where it is, or will be
        folder: where weights are kept
        total: how many trials the study is to have
        note: called with what a person should know

    Raises:
        DefinitionChanged: the storage holds another study of this name.
    """

    def __init__(
        self,
        definition: Definition,
        storage: BaseStorage,
        folder: Path,
        total: int,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.definition = definition
        self.total = total
        self.parent = Parent()
        self.study = open_study(definition, storage, self.parent.id)
        self._storage = storage
        self._folder = folder
        self._note = note
        self._dropped: set[int] = set()  # complete trials that are known to have no weights any more
        self._exhausted = False  # the sampler has tried all that there is
        self._beaten = -float("inf")
        self.beat()

    # The study.

    def counts(self) -> Counts:
        """How many trials are in which state, in the storage as it is now."""
        standings = self.standings()
        complete, pruned, failed, running = (standings.count(state) for state in (COMPLETE, PRUNED, FAIL, RUNNING))
        waiting = self._trials(WAITING) if standings.count(WAITING) else []
        return Counts(complete, pruned, failed, running, sum(RUN in trial.user_attrs for trial in waiting))

    def wanted(self) -> int:
        """How many more trials the study could start now."""
        standings = self.standings()
        left = max(0, self.total - standings.count(*COUNTED))
        return min(left, standings.count(WAITING)) if self._exhausted else left

    def settle(self, precision: str) -> str:
        """Store what "auto" means as a precision in this study, unless that is settled; gives what it means."""
        stored: str | None = self.study.user_attrs.get(PRECISION)
        if stored is None:
            self.study.set_user_attr(PRECISION, precision)
        return stored or precision

    def beat(self, *, over: bool = False) -> None:
        """Say that this parent lives, if it has not done so for a while; or that it is `over`."""
        if over or time.monotonic() - self._beaten >= HEARTBEAT:
            self.study.set_user_attr(self.parent.attribute, {**self.parent.heartbeat(), "over": over})
            self._beaten = time.monotonic()

    def flush(self) -> None:
        """Have everything in the storage itself that was reported so far; ends and beginnings of trials are at once."""
        if isinstance(self._storage, BatchedJournal):
            self._storage.flush()

    def standings(self) -> Standings:
        """How all trials stand, in the storage as it is now. Optuna's own objects: not to be changed."""
        return self.study.standings()

    def ended(self) -> int:
        """How many trials a sampler learns from: complete and pruned ones."""
        return self.standings().count(COMPLETE, PRUNED)

    def best(self) -> FrozenTrial | None:
        """The best complete trial."""
        return next(iter(self.standings().ranked), None)

    # A trial, from ask to tell.

    def ask(self) -> TrialJob | None:
        """The next trial, an interrupted or queued one first; None when the total turns out to be reached.

        Two parents may ask at the same moment. Of all trials that count, or wait and so will, only those with fewer
        than `total` before them stay: numbers are given out one by one, so all parents agree on which.
        """
        trial = self.study.ask()
        resumed = RUN in trial.user_attrs
        trial.set_user_attr(RUN, self.parent.id)
        if trial.number >= self.total:
            before = sum(other.number < trial.number for other in self._trials(*COUNTED, WAITING))
            if before >= self.total:
                self._fail(trial.number, TOTAL_REACHED)
                return None
        try:
            recipe = Recipe.from_values(self.definition.space.sample(trial))
        except BaseException as error:  # nobody else knows of this trial yet
            self._fail(trial.number, f"it could not be drawn: {error}")
            raise
        structure = structure_of(recipe, self.definition.space)
        seed = derived_seed(self.definition.seed, trial.number)
        job = TrialJob(trial.number, f"trial {trial.number}", Run(recipe, seed), structure, trial=trial)
        if resumed:
            self._thaw(job)
        self.flush()  # should this process end now, the trial is known to be ours, with all its parameters
        return job

    def report(self, job: TrialJob, value: float) -> bool:
        """Report a trial's metric after its last epoch; whether to give it up. A trial that is not ours any more is."""
        trial, epoch = job.trial, job.run.epochs
        try:
            if epoch in trial._cached_frozen_trial.intermediate_values:  # reported before the worker was lost
                self._storage.set_trial_intermediate_value(trial._trial_id, epoch, value)
            else:
                trial.report(value, epoch)
            return trial.should_prune()
        except UpdateFinishedTrialError:
            return True

    def complete(self, job: TrialJob, value: float, weights: Mapping[str, np.ndarray] | None) -> bool:
        """Tell a trial COMPLETE; the weights of the best few are kept. False when it is not ours any more."""
        try:
            self._record(job)
            if weights is not None and self.standings().better(value) < KEPT:
                self._save(job, weights)
        except UpdateFinishedTrialError:
            return False
        told = self._tell(job.number, COMPLETE, value)
        for trial in self.standings().ranked[KEPT:]:
            if trial.number not in self._dropped:
                drop_weights(self._folder, trial)
                self._dropped.add(trial.number)
        self._forget(job)
        return told

    def prune(self, job: TrialJob, reason: str) -> bool:
        """Tell a trial PRUNED: for the pruner, or because it cannot be trained. False when it is not ours any more."""
        try:
            self._record(job)
            job.trial.set_user_attr(REASON, reason)
        except UpdateFinishedTrialError:
            return False
        told = self._tell(job.number, PRUNED)
        self._forget(job)
        return told

    def freeze(self, job: TrialJob) -> None:
        """Keep a trial's run as it was frozen last, so that it can be resumed from there."""
        assert job.state is not None
        try:
            name = job.trial.user_attrs.get(FROZEN)
            if name is None:
                name = f"{uuid.uuid4().hex}.npz"
                job.trial.set_user_attr(FROZEN, name)
            (self._folder / FROZEN).mkdir(parents=True, exist_ok=True)
            write_frozen(self._folder / FROZEN / name, job.run, job.state)
        except UpdateFinishedTrialError:
            return  # it is not ours any more, which its next report shows
        except OSError as error:  # a full disk must not end a search
            self._note(f"{job.name} could not be frozen: {error}")

    def give_back(self, number: int, reason: str) -> bool:
        """Let a trial wait, with its parameters and seed, for whoever resumes it. False when it has ended."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        try:
            self._storage.set_trial_user_attr(trial_id, REASON, f"interrupted: {reason}")
            self._storage.set_trial_state_values(trial_id, WAITING)
        except UpdateFinishedTrialError:
            return False
        return True

    def adopt_orphans(self) -> list[int]:
        """Let trials wait that stopped parents have left RUNNING; their numbers."""
        strangers = [trial for trial in self._trials(RUNNING) if trial.user_attrs.get(RUN) != self.parent.id]
        if not strangers:
            return []
        parents = self.study.user_attrs
        return [
            trial.number
            for trial in strangers
            if _is_orphan(trial, parents) and self.give_back(trial.number, "its process ended without a word")
        ]

    def _thaw(self, job: TrialJob) -> None:
        """Have a trial that was interrupted go on where it was frozen."""
        name = job.trial.user_attrs.get(FROZEN)
        try:
            found = None if name is None else read_frozen(self._folder / FROZEN / Path(name).name)
        except ResultError as error:
            self._note(f"{job.name} begins anew: {error}")
            return
        if found is None:
            return
        run, state = found
        if run.seed == job.run.seed and job.run.recipe.settled(run.recipe.train.precision) == run.recipe:
            job.run = run
            job.froze(run.epochs, state)

    def _forget(self, job: TrialJob) -> None:
        """Remove a trial's frozen run: it is over."""
        name = job.trial.user_attrs.get(FROZEN)
        if name is not None:
            (self._folder / FROZEN / name).unlink(missing_ok=True)

    def _record(self, job: TrialJob) -> None:
        job.run.versions = {"lenet-search": __version__, **job.run.versions, "optuna": optuna.__version__}
        for name, value in attributes_of(job.run).items():
            job.trial.set_user_attr(name, value)

    def _save(self, job: TrialJob, weights: Mapping[str, np.ndarray]) -> None:
        try:
            save_weights(self._storage, self._folder, job.trial, weights)
        except OSError as error:  # a full disk must not end a search
            self._note(f"the weights of trial {job.number} could not be kept: {error}")

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)

    def _fail(self, number: int, reason: str) -> None:
        """Tell a trial FAIL."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        try:
            self._storage.set_trial_user_attr(trial_id, REASON, reason)
            self._tell(number, FAIL)
        except UpdateFinishedTrialError:
            pass

    def _tell(self, number: int, state: TrialState, value: float | None = None) -> bool:
        """Tell a trial. False when another parent, taking this one for dead, has told it or taken it back before."""
        try:
            self.study.tell(number, value, state)
        except UpdateFinishedTrialError:
            return False
        except ValueError as error:
            if "Cannot tell" not in str(error):
                raise
            return False
        except RuntimeError as error:  # how a sampler that has tried everything ends a study, after telling
            if "Study.stop" not in str(error):
                raise
            self._exhausted = True
        return True


def _is_orphan(trial: FrozenTrial, parents: Mapping[str, Any]) -> bool:
    signature = trial.user_attrs.get(RUN)
    if signature is not None:
        return is_over(parents.get(PREFIX + signature), time.time())
    start = trial.datetime_start  # not signed: its parent is about to, or was stopped at that moment
    return start is None or (datetime.now() - start).total_seconds() > SILENCE
