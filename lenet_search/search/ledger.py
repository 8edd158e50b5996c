"""The ledger: the parent's side of the Optuna study. It asks, reports and tells, and never exceeds the total."""

import math
import time
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
from lenet_search.errors import ResultError, RunError
from lenet_search.recipe import FIELDS, Recipe
from lenet_search.run import Run
from lenet_search.search.frozen_trials import FROZEN, FrozenTrials, new_name
from lenet_search.search.opening import PRECISION, derived_seed, open_study
from lenet_search.search.parents import (
    ENDED,
    HEARTBEAT,
    PREFIX,
    RUN,
    SILENCE,
    Parent,
    is_over,
    is_run_elsewhere,
    is_silent,
)
from lenet_search.search.queued import IllegalValue, draw
from lenet_search.search.replicates import Replicates, TrialJob
from lenet_search.search.standings import Standings
from lenet_search.storage.batched import Batched
from lenet_search.storage.described import described
from lenet_search.storage.facts import fact, facts, store_fact
from lenet_search.storage.trials import (
    OURS,
    REASON,
    carries_run,
    drop_weights,
    note,
    note_runs,
    noted,
    save_weights,
)
from lenet_search.structure import structure_of
from lenet_search.study import Definition

MORE = "more seeds"  # noted of a trial: whether it was promising, and gets more runs before it is told
PLACES = 10**9  # jobs are numbered by trial, those of its further seeds this much apart
KEPT = 5  # number of best trials whose weights are kept
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING
COUNTED = (COMPLETE, PRUNED, RUNNING)  # states that count towards a study's total
TOTAL_REACHED = "another run has reached the study's total"


@dataclass(frozen=True)
class Counts:
    """The number of trials in each state; `interrupted` ones have trained for some epochs, and wait to be resumed."""

    complete: int
    pruned: int
    failed: int
    running: int
    interrupted: int


class Ledger:
    """One study in one storage, on behalf of one parent.

    Args:
        definition: the study
        storage: its storage
        folder: folder for weights
        total: total number of trials
        note: called with messages for people

    Raises:
        DefinitionChanged: the storage contains another study of this name.
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
        self.doubtful = 0  # trials of parents that seem to have ended, but have not been watched for long enough
        self.parent = Parent()
        self.study = open_study(definition, storage, self.parent.id)
        self.study.new_attributes = lambda: {OURS + RUN: self.parent.id, OURS + FROZEN: new_name()}
        self._storage = storage
        self._folder = folder
        self._note = note
        self.frozen = FrozenTrials(folder, lambda text: self._note(text))
        self._best: list[FrozenTrial] = []  # whose weights are kept
        self._compared = 0  # number of complete trials that were compared with them
        self._growing: dict[int, float] = {}  # means of the first runs of trials that are getting more
        self._exhausted = False  # whether the sampler has tried every combination
        self._beaten = -float("inf")
        self._watched: dict[str, tuple[Any, float]] = {}  # heartbeats of other parents, and since when they stand
        self.beat()

    # The study.

    def counts(self) -> Counts:
        """The number of trials in each state, in the storage as it is now."""
        standings = self.standings()
        complete, pruned, failed, running = (standings.count(state) for state in (COMPLETE, PRUNED, FAIL, RUNNING))
        waiting = self._trials(WAITING) if standings.count(WAITING) else []
        return Counts(complete, pruned, failed, running, sum(bool(each.intermediate_values) for each in waiting))

    def wanted(self) -> int:
        """How many more trials the study could start now."""
        standings = self.standings()
        left = max(0, self.total - standings.count(*COUNTED))
        return min(left, standings.count(WAITING)) if self._exhausted else left

    def settle(self, precision: str) -> str:
        """Store what precision "auto" means in this study, unless it is settled already; returns what it means.

        Raises:
            ResultError: what is stored is no precision.
        """
        stored = fact(self.study, PRECISION)
        if stored is None:
            store_fact(self.study, PRECISION, precision)
            return precision
        if not FIELDS["train.precision"].legal.allows(stored) or stored == "auto":
            raise ResultError(
                f"the precision that is stored with study {self.study.study_name!r} is damaged: received {stored!r}; "
                "its trials cannot be continued: choose another name with --name"
            )
        return str(stored)

    def beat(self, *, over: bool = False) -> None:
        """Write a heartbeat if one is due, or, with `over`, that this parent has ended."""
        if over:
            ENDED.add(self.parent.id)
        if over or time.monotonic() - self._beaten >= HEARTBEAT:
            store_fact(self.study, self.parent.attribute, {**self.parent.heartbeat(), "over": over})
            self._beaten = time.monotonic()

    def flush(self) -> None:
        """Write all reports to the storage. Starts and ends of trials are written at once anyway."""
        if isinstance(self._storage, Batched):
            self._storage.flush()

    def standings(self) -> Standings:
        """The state of all trials, in the storage as it is now. They are Optuna's objects: do not change them."""
        return self.study.standings()

    def ended(self) -> int:
        """The number of complete and pruned trials, from which a sampler learns."""
        return self.standings().count(COMPLETE, PRUNED)

    def best(self) -> FrozenTrial | None:
        """The best complete trial that lenet-search ran."""
        return next(iter(self.standings().own), None)

    # A trial, from ask to tell.

    def ask(self) -> TrialJob | None:
        """The first run of the next trial, interrupted and queued ones first, or None if the total is reached.

        Two parents may ask at the same moment. A trial stays only if fewer than `total` trials that count, or wait and
        will count, have smaller numbers. Numbers are given out one by one, so all parents agree.

        Raises:
            RunError: trials of another tool leave no way to draw one.
        """
        while True:
            trial = self.study.ask()
            if noted(trial._cached_frozen_trial, RUN) != self.parent.id:
                note(self._storage, trial, RUN, self.parent.id)
            if noted(trial._cached_frozen_trial, FROZEN) is None:
                note(self._storage, trial, FROZEN, new_name())
            if trial.number >= self.total:
                others = [other for other in self._trials(*COUNTED, WAITING) if not is_run_elsewhere(other)]
                if sum(other.number < trial.number for other in others) >= self.total:
                    self._fail(trial.number, TOTAL_REACHED)
                    return None
            try:
                return self._job(trial)
            except IllegalValue as error:
                self._fail(trial.number, str(error))
                self._note(f"trial {trial.number} failed: {error}")
            except BaseException as error:  # nobody else knows of this trial yet
                self._fail(trial.number, f"cannot draw its parameters: {error}")
                strangers = [str(other.number) for other in self._trials(COMPLETE, PRUNED) if not carries_run(other)]
                if isinstance(error, ValueError) and strangers:
                    raise RunError(
                        f"cannot draw the parameters of trial {trial.number} ({error}): the study contains trials that "
                        f"another tool added ({', '.join(strangers)}); choose another name with --name"
                    ) from error
                raise
            if not self.wanted():
                return None

    def _job(self, trial: optuna.Trial) -> TrialJob:
        """Draw a trial's parameters. Of an interrupted trial, take up the runs where they stopped."""
        recipe = Recipe.from_values(draw(trial, self.definition.space))
        seeds = self.definition.seeds
        jobs = self._runs(trial, recipe, range(seeds.first))
        replicates = Replicates(jobs)
        if noted(trial._cached_frozen_trial, MORE):
            replicates.add(self._runs(trial, recipe, range(seeds.first, seeds.most)))
        for job in replicates.jobs:
            self.frozen.thaw(job)
        self.flush()  # if this process ends now, the storage knows that the trial was ours, and its parameters
        return jobs[0]

    def _runs(self, trial: optuna.Trial, recipe: Recipe, places: range) -> list[TrialJob]:
        """Runs of a trial, by the places of their seeds."""
        structure = structure_of(recipe, self.definition.space)
        most, share = self.definition.seeds.most, 1.0 / self.definition.seeds.first
        jobs = []
        for place in places:
            name = f"trial {trial.number}" + (f", seed {place + 1}" if most > 1 else "")
            seed = derived_seed(self.definition.seed, trial.number, *([place] if place else []))
            job = TrialJob(trial.number + place * PLACES, name, Run(recipe, seed), structure, trial=trial)
            job.unit = trial.number
            job.share = share if place < self.definition.seeds.first else 0.0
            jobs.append(job)
        return jobs

    def grow(self, job: TrialJob) -> list[TrialJob]:
        """More runs for a trial whose first runs are over, if it is promising; else none.

        It is if its mean is among the best share of the trials that are complete, of those that are getting more runs,
        and itself, as the study's `seeds` say.
        """
        seeds, replicates = self.definition.seeds, job.replicates
        if not seeds.more or len(replicates.jobs) == seeds.most:
            return []
        standings, mean = self.standings(), replicates.mean(self.definition.metric)
        best = math.ceil(seeds.best * (standings.count(COMPLETE) + len(self._growing) + 1))
        sign = 1.0 if self.definition.direction == "maximize" else -1.0
        better = sum(sign * other >= sign * mean for other in self._growing.values())
        if standings.at_least(mean, best) + better >= best:
            return []
        try:
            note(self._storage, job.trial, MORE, True)
        except UpdateFinishedTrialError:
            return []
        jobs = self._runs(job.trial, job.run.recipe, range(seeds.first, seeds.most))
        replicates.add(jobs)
        self._growing[job.trial.number] = mean
        return jobs

    def report(self, job: TrialJob, value: float) -> bool:
        """Report a trial's metric after an epoch. Returns whether to give it up: it is pruned, or no longer ours.

        A run that was lost, and goes on from its last copy, reports some epochs again. The storage keeps its reports of
        later ones, by which a pruner would judge. It let the trial go on then, so it is asked after the last of them.
        """
        trial, epoch = job.trial, job.run.epochs
        reported = trial._cached_frozen_trial.intermediate_values
        last = max(reported, default=0)
        try:
            if epoch in reported:
                self._storage.set_trial_intermediate_value(trial._trial_id, epoch, value)
            else:
                trial.report(value, epoch)
            return epoch >= last and trial.should_prune()
        except UpdateFinishedTrialError:
            return True

    def complete(self, job: TrialJob, value: float, weights: Mapping[str, np.ndarray] | None) -> bool:
        """Tell a trial COMPLETE, and keep its weights if it is one of the best. False if it is no longer ours.

        Args:
            job: the run that stands for the trial
            value: the trial's value, the mean of its runs
            weights: the run's weights
        """
        if not self.holds(job.trial.number):
            return False
        try:
            self._record(job)
            if REASON in job.trial.user_attrs:  # why it was interrupted once
                job.trial.set_user_attr(REASON, f"once {job.trial.user_attrs[REASON]}")
            if weights is not None and self.standings().is_among(KEPT, value):
                self._save(job, weights)
        except UpdateFinishedTrialError:
            return self._lost(job.trial.number)
        told = self._tell(job.trial.number, COMPLETE, value)
        self._drop_weights()
        self._growing.pop(job.trial.number, None)
        self.frozen.forget(job)
        return told

    def _drop_weights(self) -> None:
        """Delete the weights of trials that are no longer among the best."""
        standings = self.standings()
        best = standings.own[:KEPT]
        numbers = {each.number for each in best}
        compared = *self._best, *standings.arrived[self._compared :]
        behind = [each for each in compared if each.number not in numbers]
        drop_weights(self._storage, self.study._study_id, self._folder, behind)
        self._best, self._compared = best, len(standings.arrived)

    def prune(self, job: TrialJob, reason: str) -> bool:
        """Tell a trial PRUNED, by the pruner or because it cannot be trained. False if it is no longer ours."""
        if not self.holds(job.trial.number):
            return False
        try:
            self._record(job)
            job.trial.set_user_attr(REASON, reason)
        except UpdateFinishedTrialError:
            return self._lost(job.trial.number)
        told = self._tell(job.trial.number, PRUNED)
        self._growing.pop(job.trial.number, None)
        self.frozen.forget(job)
        return told

    def holds(self, number: int) -> bool:
        """Whether a trial is still ours, as far as the storage knows: another process may have taken us for dead."""
        trial = self._storage.get_trial(self._id_of(number))
        return (trial.state == RUNNING and noted(trial, RUN) == self.parent.id) or self._lost(number)

    def give_back(self, number: int, reason: str) -> bool:
        """Let a trial wait, with its parameters and seed, to be resumed by any run. False if it has ended."""
        trial_id = self._id_of(number)
        try:
            self._storage.set_trial_user_attr(trial_id, REASON, f"interrupted: {reason}")
            self._storage.set_trial_state_values(trial_id, WAITING)
        except UpdateFinishedTrialError:
            return self._lost(number)
        return True

    def _lost(self, number: int) -> bool:
        """Work no more on a trial that is not ours; always false."""
        if isinstance(self._storage, Batched):
            self._storage.let_go(self._id_of(number))
        return False

    def _id_of(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)

    def adopt_orphans(self) -> list[int]:
        """Let RUNNING trials of stopped parents wait to be resumed; returns their numbers."""
        self.doubtful = 0
        strangers = [trial for trial in self._trials(RUNNING) if noted(trial, RUN) != self.parent.id]
        if not strangers:
            return []
        parents = facts(self.study)
        return [
            trial.number
            for trial in strangers
            if self._is_orphan(trial, parents)
            # The list may be seconds old: another parent may have adopted the trial since.
            and noted(latest := self._storage.get_trial(trial._trial_id), RUN) == noted(trial, RUN)
            and latest.state == RUNNING
            and self.give_back(trial.number, "its process was killed")
        ]

    def _is_orphan(self, trial: FrozenTrial, parents: Mapping[str, Any]) -> bool:
        signature = noted(trial, RUN)
        if signature is None:  # its parent is about to sign it, or was stopped before it could
            start = trial.datetime_start
            return not is_run_elsewhere(trial) and (start is None or (datetime.now() - start).total_seconds() > SILENCE)
        signature = str(signature)
        heartbeat = parents.get(PREFIX + signature)
        if self._watched.get(signature, (None, 0.0))[0] != heartbeat:
            self._watched[signature] = heartbeat, time.monotonic()
        watched = time.monotonic() - self._watched[signature][1] if heartbeat is not None else 0.0
        over = signature in ENDED or is_over(heartbeat, time.time(), watched)
        self.doubtful += not over and heartbeat is not None and is_silent(heartbeat, time.time())
        return over

    def _record(self, job: TrialJob) -> None:
        """Store a trial's runs, first the one that stands for it."""
        runs = [job.run, *(each.run for each in job.replicates.jobs if each is not job)]
        for run in runs:
            run.versions = {"lenet-search": __version__, **run.versions, "optuna": optuna.__version__}
        note_runs(self._storage, job.trial, *runs)
        for name, value in described(runs, self.definition.metric).items():
            job.trial.set_user_attr(name, value)

    def _save(self, job: TrialJob, weights: Mapping[str, np.ndarray]) -> None:
        try:
            save_weights(self._storage, self.study._study_id, self._folder, job.trial, weights)
        except OSError as error:  # a full disk must not end a search
            self._note(f"cannot save the weights of trial {job.trial.number}: {error}")

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)

    def _fail(self, number: int, reason: str) -> None:
        """Tell a trial FAIL."""
        trial_id = self._id_of(number)
        try:
            self._storage.set_trial_user_attr(trial_id, REASON, reason)
            self._tell(number, FAIL)
        except UpdateFinishedTrialError:
            pass

    def _tell(self, number: int, state: TrialState, value: float | None = None) -> bool:
        """Tell a trial. False if another parent, which believed this one dead, has told or adopted it."""
        try:
            self.study.tell(number, value, state)
        except UpdateFinishedTrialError:
            return self._lost(number)
        except ValueError as error:
            if "Cannot tell" not in str(error):
                raise
            return self._lost(number)
        except RuntimeError as error:  # raised, after telling, by a sampler that has tried every combination
            if "Study.stop" not in str(error):
                raise
            self._exhausted = True
        return True
