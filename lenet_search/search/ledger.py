"""The ledger: the parent's side of the Optuna study. It asks, reports and tells, and keeps the total the total."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from lenet_search import __version__
from lenet_search.recipe import Recipe
from lenet_search.search.messages import Ready, TrialEpoch
from lenet_search.search.opening import derived_seed, open_study
from lenet_search.search.parents import HEARTBEAT, PREFIX, RUN, SILENCE, Run, is_over
from lenet_search.search.standings import Standings
from lenet_search.storage import ARTIFACTS, CURVES, REASON, Record, drop_weights, save_weights
from lenet_search.storage.journal import BatchedJournal
from lenet_search.structure import Structure, structure_of
from lenet_search.study import Definition

RETRIES = "retries"  # how often a trial's workers have died
RETRY_OF = "retry of"  # the trial that was tried first: a retry shares its seed
MOST_RETRIES = 3
KEPT = 5  # complete trials whose weights are kept
COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL
RUNNING, WAITING = TrialState.RUNNING, TrialState.WAITING
COUNTED = (COMPLETE, PRUNED, RUNNING)  # towards a study's total
TOTAL_REACHED = "the study's total was reached by another run"


@dataclass
class Held:
    """A trial that this run holds, from ask to tell."""

    trial: optuna.Trial
    recipe: Recipe
    seed: int
    structure: Structure
    since: float = field(default_factory=time.monotonic)
    clock: int = 0
    curve: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CURVES})
    worker: Ready = field(default_factory=Ready)
    images: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The trial's number in the study."""
        return self.trial.number

    @property
    def epochs_left(self) -> int:
        """Epochs that are still to come, the one in training included."""
        return self.recipe.train.epochs - len(self.curve["val_loss"])

    def add(self, done: TrialEpoch, images: Mapping[str, Any], worker: Ready) -> None:
        """Note an epoch."""
        self.clock, self.images, self.worker = done.clock, images, worker
        for name in CURVES:
            self.curve[name].append(done.measured[name])


@dataclass(frozen=True)
class Counts:
    """How many trials of the study are in which state."""

    complete: int
    pruned: int
    failed: int
    running: int


class Ledger:
    """One study in one storage, on behalf of one run.

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
        self.run = Run()
        self.study = open_study(definition, storage, self.run.id)
        self._storage = storage
        self._folder = folder
        self._note = note
        self._dropped: set[int] = set()  # complete trials that are known to have no weights any more
        self._exhausted = False  # the sampler has tried all that there is
        self._beaten = -math.inf
        self.beat()

    def counts(self) -> Counts:
        """How many trials are in which state, in the storage as it is now."""
        standings = self.standings()
        return Counts(*(standings.count(state) for state in (COMPLETE, PRUNED, FAIL, RUNNING)))

    def wanted(self) -> int:
        """How many more trials the study could start now."""
        standings = self.standings()
        left = max(0, self.total - standings.count(*COUNTED))
        return min(left, standings.count(WAITING)) if self._exhausted else left

    def ask(self) -> Held | None:
        """The next trial, a queued one first; None when the total turns out to be reached.

        Two runs may ask at the same moment. Of all trials that count, or are queued and so will, only those with
        fewer than `total` before them stay: numbers are given out one by one, so all runs agree on which.
        """
        trial = self.study.ask()
        trial.set_user_attr(RUN, self.run.id)
        if trial.number >= self.total:
            before = sum(other.number < trial.number for other in self._trials(*COUNTED, WAITING))
            if before >= self.total:
                self._fail(trial.number, TOTAL_REACHED)
                return None
        try:
            recipe = Recipe.from_values(self.definition.space.sample(trial))
        except BaseException:  # nobody else knows of this trial yet
            self.requeue(trial.number, "it could not be drawn", death=True)
            raise
        seed = derived_seed(self.definition.seed, trial.user_attrs.get(RETRY_OF, trial.number))
        self.flush()  # should this process end now, the trial is known to be ours, with all its parameters
        return Held(trial, recipe, seed, structure_of(recipe, self.definition.space))

    def report(self, held: Held, epoch: int, value: float) -> bool:
        """Report a trial's metric after `epoch`; whether to give it up. A trial that is not ours any more is."""
        try:
            held.trial.report(value, epoch)
            return held.trial.should_prune()
        except UpdateFinishedTrialError:
            return True

    def complete(self, held: Held, value: float, weights: Mapping[str, np.ndarray] | None) -> bool:
        """Tell a trial COMPLETE; the weights of the best few are kept. False when it is not ours any more."""
        try:
            self._record(held)
            if weights is not None and self.standings().better(value) < KEPT:
                self._save(held, weights)
        except UpdateFinishedTrialError:
            return False
        told = self._tell(held.number, TrialState.COMPLETE, value)
        for trial in self.standings().ranked[KEPT:]:
            if trial.number not in self._dropped:
                drop_weights(self._folder, trial)
                self._dropped.add(trial.number)
        return told

    def prune(self, held: Held, reason: str) -> bool:
        """Tell a trial PRUNED, for the pruner or because it diverged. False when it is not ours any more."""
        try:
            self._record(held)
            held.trial.set_user_attr(REASON, reason)
        except UpdateFinishedTrialError:
            return False
        return self._tell(held.number, TrialState.PRUNED)

    def requeue(self, number: int, reason: str, *, death: bool) -> bool:
        """Tell a trial FAIL and queue it again, with the same parameters and seed; whether it was queued.

        After an interruption always; after a worker's `death` at most `MOST_RETRIES` times.
        """
        trial = self._fail(number, reason)
        if trial is None:
            return False
        retries = trial.user_attrs.get(RETRIES, 0) + death
        if retries > MOST_RETRIES:
            return False
        fixed = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        kept = {key: value for key, value in trial.system_attrs.items() if not key.startswith(ARTIFACTS)}
        self.study.add_trial(
            optuna.create_trial(
                state=TrialState.WAITING,
                system_attrs={**kept, "fixed_params": fixed},
                user_attrs={RETRY_OF: trial.user_attrs.get(RETRY_OF, number), RETRIES: retries},
            )
        )
        return True

    def adopt_orphans(self) -> list[int]:
        """Queue again what stopped runs have left RUNNING; the numbers of those trials."""
        strangers = [trial for trial in self._trials(RUNNING) if trial.user_attrs.get(RUN) != self.run.id]
        if not strangers:
            return []
        runs = self.study.user_attrs
        return [
            trial.number
            for trial in strangers
            if _is_orphan(trial, runs) and self.requeue(trial.number, "its run ended without a word", death=True)
        ]

    def beat(self, *, over: bool = False) -> None:
        """Say that this run lives, if it has not done so for a while; or that it is `over`."""
        if over or time.monotonic() - self._beaten >= HEARTBEAT:
            self.study.set_user_attr(self.run.attribute, {**self.run.heartbeat(), "over": over})
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

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)

    def _record(self, held: Held) -> None:
        record = Record(
            recipe=held.recipe.settled(held.worker.precision),
            seed=held.seed,
            clock=held.clock,
            versions={"lenet-search": __version__, **held.worker.versions, "optuna": optuna.__version__},
            device=held.worker.device,
            seconds=time.monotonic() - held.since,
            curve=held.curve,
            images=dict(held.images),
        )
        for name, value in record.attributes().items():
            held.trial.set_user_attr(name, value)

    def _save(self, held: Held, weights: Mapping[str, np.ndarray]) -> None:
        try:
            save_weights(self._storage, self._folder, held.trial, weights)
        except OSError as error:  # a full disk must not end a search
            self._note(f"the weights of trial {held.number} could not be kept: {error}")

    def _fail(self, number: int, reason: str) -> FrozenTrial | None:
        """Tell a trial FAIL. Of several runs that try, one succeeds; the others get None."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self.study._study_id, number)
        try:
            self._storage.set_trial_user_attr(trial_id, REASON, reason)
        except UpdateFinishedTrialError:
            return None
        return self._storage.get_trial(trial_id) if self._tell(number, TrialState.FAIL) else None

    def _tell(self, number: int, state: TrialState, value: float | None = None) -> bool:
        """Tell a trial. False when another run, taking this one for dead, has told it before."""
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


def _is_orphan(trial: FrozenTrial, runs: Mapping[str, Any]) -> bool:
    signature = trial.user_attrs.get(RUN)
    if signature is not None:
        return is_over(runs.get(PREFIX + signature), time.time())
    start = trial.datetime_start  # not signed: its run is about to, or was stopped at that moment
    return start is None or (datetime.now() - start).total_seconds() > SILENCE
