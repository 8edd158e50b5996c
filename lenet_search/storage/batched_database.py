"""Batched reports on a database, for the process that runs a study.

With Optuna's own storage, each report, parameter and attribute of a trial is a transaction of several statements, and
each look at a study takes seven. Every statement takes a round trip to the server.

Trials that this process runs are held here: it alone writes to them, so what they contain is known without asking.
`flush` writes whatever was noted of them in one transaction, after it has checked, under a lock on their rows, that
they are still ours. A trial that another process has finished or set waiting in the meantime has lost its notes, and
takes no more. A look at the study reads one row per running trial, and the rest only of trials of others.
"""

import copy
import json
import threading
import time
from collections.abc import Collection, Container, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    check_distribution_compatibility,
    distribution_to_json,
    json_to_distribution,
)
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import or_

from lenet_search.storage import rows
from lenet_search.storage.batched import SELDOM, Batched, Looks
from lenet_search.storage.database import PatientDatabase


@dataclass
class Held:
    """A RUNNING trial of this process."""

    study_id: int
    trial: FrozenTrial  # as it will be stored after a flush; replaced, never changed
    notes: dict[tuple[type[Any], str | int], dict[str, Any]] = field(default_factory=dict)  # rows to be written
    seen: bool = False  # whether `trial.datetime_start` is as the database has it: MySQL keeps whole seconds


class BatchingRDBStorage(RDBStorage):
    """Optuna's storage of databases, with trials that are held. Other trials are written and read as in Optuna."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._begin()

    def _begin(self) -> None:
        self.changes = 0  # how often trials may have changed their states
        self._keeping = threading.RLock()
        self._held: dict[int, Held] = {}
        self._told: dict[int, FrozenTrial] = {}  # trials that were told here; when, only the database knows
        self._taken: set[int] = set()  # trials that another process has taken from this one
        self._looks: dict[int, Looks] = {}  # by study

    def __getstate__(self) -> dict[Any, Any]:
        """A copy holds nothing."""
        self.flush()
        state = super().__getstate__()
        for name in ("_keeping", "_held", "_told", "_taken", "_looks"):
            del state[name]
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        super().__setstate__(state)
        self._begin()

    # Writing.

    def flush(self, *also: int) -> None:
        """Write what is noted of trials that are still ours, in one transaction; `also` check these."""
        with self._keeping:
            self._flush({*also, *(trial_id for trial_id, held in self._held.items() if held.notes)})

    def _flush(self, trial_ids: Collection[int]) -> None:
        if not trial_ids:
            return
        try:
            self._write(trial_ids)
        except StorageInternalError:  # the database refuses a note, because it is too long for example
            if len(trial_ids) == 1:
                for trial_id in trial_ids:
                    self._held[trial_id].notes.clear()
                raise
            with ExitStack() as each:  # of other trials, everything is written, even if one fails
                for trial_id in trial_ids:
                    each.callback(self._flush, [trial_id])

    def _write(self, trial_ids: Collection[int]) -> None:
        with _create_scoped_session(self.scoped_session) as session:
            stored = rows.read(session, models.TrialModel.trial_id.in_(trial_ids), lock=True)
            ours = [row.trial_id for row in stored if self._is_ours(row)]
            for trial_id in set(trial_ids).difference(ours):
                self._lose(trial_id)
            notes = [note for trial_id in ours for note in self._held[trial_id].notes.items()]
            for table in rows.TABLES:
                rows.write(session, self.engine.name, table, [row for (of, _), row in notes if of is table])
        for trial_id in ours:
            self._held[trial_id].notes.clear()

    def _is_ours(self, row: rows.Row) -> bool:
        """Whether a trial that was held is still as this process has left it."""
        held = self._held.get(row.trial_id)
        if held is None:
            return False
        if not held.seen:
            held.seen, held.trial = True, changed(held.trial, datetime_start=row.start)
        return row.state == TrialState.RUNNING and row.start == held.trial.datetime_start

    def _lose(self, trial_id: int) -> None:
        if self._held.pop(trial_id, None) is not None:
            self._taken.add(trial_id)
            self._expect_changes()

    def let_go(self, trial_id: int) -> None:
        """As `Batched.let_go`."""
        with self._keeping:
            self._taken.discard(trial_id)

    # Noting.

    def _holds(self, trial_id: int) -> bool:
        """Whether a note can wait.

        Raises:
            UpdateFinishedTrialError: another process has taken the trial.
        """
        if trial_id in self._taken:
            self.check_trial_is_updatable(trial_id, TrialState.FAIL)  # always raises
        return trial_id in self._held

    def _note(self, table: type[Any], trial_id: int, key: str | int, row: dict[str, Any], **content: Any) -> None:
        held = self._held[trial_id]
        held.notes[table, key] = {"trial_id": trial_id, rows.TABLES[table][0]: key, **row}
        held.trial = changed(held.trial, **content)

    def _set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
        previous_distribution: BaseDistribution | None,
    ) -> None:
        with self._keeping:
            if not self._holds(trial_id):
                super()._set_trial_param(
                    trial_id, param_name, param_value_internal, distribution, previous_distribution
                )
                return
            trial = self._held[trial_id].trial
            previous = previous_distribution or self._previous(self._held[trial_id].study_id, param_name)
            if previous is not None:
                check_distribution_compatibility(previous, distribution)
            if param_name in trial.params:
                return
            row = {"param_value": param_value_internal, "distribution_json": distribution_to_json(distribution)}
            self._note(
                models.TrialParamModel, trial_id, param_name, row,
                params={**trial.params, param_name: distribution.to_external_repr(float(param_value_internal))},
                distributions={**trial.distributions, param_name: distribution},
            )  # fmt: skip

    def _previous(self, study_id: int, param_name: str) -> BaseDistribution | None:
        """The distribution that other trials have stored for a parameter. Optuna's cache asks once for each."""
        with _create_scoped_session(self.scoped_session) as session:
            query = session.query(models.TrialParamModel).join(models.TrialModel)
            same = models.TrialModel.study_id == study_id, models.TrialParamModel.param_name == param_name
            stored: Any = query.filter(*same).first()
            return None if stored is None else json_to_distribution(stored.distribution_json)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """As in Optuna."""
        with self._keeping:
            if not self._holds(trial_id):
                super().set_trial_intermediate_value(trial_id, step, intermediate_value)
                return
            value, kind = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(intermediate_value)
            row = {"intermediate_value": value, "intermediate_value_type": kind}
            values = {**self._held[trial_id].trial.intermediate_values, step: float(intermediate_value)}
            self._note(models.TrialIntermediateValueModel, trial_id, step, row, intermediate_values=values)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """As in Optuna."""
        with self._keeping:
            if not self._holds(trial_id):
                super().set_trial_user_attr(trial_id, key, value)
                return
            text = json.dumps(value)
            attributes = {**self._held[trial_id].trial.user_attrs, key: json.loads(text)}
            self._note(models.TrialUserAttributeModel, trial_id, key, {"value_json": text}, user_attrs=attributes)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """As in Optuna."""
        with self._keeping:
            if not self._holds(trial_id):
                super().set_trial_system_attr(trial_id, key, value)
                return
            text = json.dumps(value)
            attributes = {**self._held[trial_id].trial.system_attrs, key: json.loads(text)}
            self._note(models.TrialSystemAttributeModel, trial_id, key, {"value_json": text}, system_attrs=attributes)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """As in Optuna."""
        self.flush()
        super().set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """As in Optuna."""
        self.flush()
        super().set_study_system_attr(study_id, key, value)

    # Beginning and ending trials.

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        with self._keeping:
            self.flush()
            self._expect_changes()
            trial = super()._create_new_trial(study_id, template_trial)
            if trial.state == TrialState.RUNNING and not (trial.params or trial.intermediate_values or trial.values):
                trial.user_attrs, trial.system_attrs = as_stored(trial.user_attrs), as_stored(trial.system_attrs)
                self._held[trial._trial_id] = Held(study_id, trial)
            return trial

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """As in Optuna."""
        with self._keeping:
            held, waiting = self._held.get(trial_id), None
            self.flush(*([] if held is None else [trial_id]))
            if state == TrialState.RUNNING:
                waiting = self._read(trial_id)
            else:
                self._holds(trial_id)
            self._expect_changes()
            if not super().set_trial_state_values(trial_id, state, values):
                return False
            self._held.pop(trial_id, None)
            if waiting is not None:
                self._taken.discard(trial_id)
                waiting.trial.state = state
                self._held[trial_id] = waiting
            elif held is not None and state.is_finished():
                told = None if values is None else [float(value) for value in values]
                self._told[trial_id] = changed(held.trial, state=state, values=told)
            return True

    def delete_study(self, study_id: int) -> None:
        """As in Optuna."""
        with self._keeping:
            super().delete_study(study_id)
            self._expect_changes()
            self._held = {trial_id: held for trial_id, held in self._held.items() if held.study_id != study_id}

    def _expect_changes(self) -> None:
        """What this process changes is read at the next look, even if nobody has confirmed it."""
        self.changes += 1
        self._looks.clear()

    # Reading.

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """As in Optuna."""
        with self._keeping:
            if trial_id in self._held:
                return copied(self._held[trial_id].trial)
            if trial_id in self._told:
                with _create_scoped_session(self.scoped_session) as session:
                    stored = rows.read(session, models.TrialModel.trial_id == trial_id)
                if stored and (known := self._known(stored[0])) is not None:
                    return copied(known)
            return super().get_trial(trial_id)

    def _read(self, trial_id: int) -> Held:
        """A trial as it is stored."""
        with _create_scoped_session(self.scoped_session) as session:
            stored: Any = models.TrialModel.find_or_raise_by_id(trial_id, session)
            return Held(stored.study_id, self._build_frozen_trial_from_trial_model(stored))

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        """What may have changed, for Optuna's cache: these trials, and those with greater ids."""
        with self._keeping:
            looks = self._looks.setdefault(study_id, Looks(0.0 if self.engine.name == "sqlite" else SELDOM))
            ours = [held.trial for held in self._held.values() if held.study_id == study_id]
            if not looks.are_due():
                return ours
            began = time.monotonic()
            stored: list[rows.Row] = []
            if ours or self._told:
                trial = models.TrialModel
                asked = or_(trial.trial_id.in_(included_trial_ids), trial.trial_id > trial_id_greater_than)
                with _create_scoped_session(self.scoped_session) as session:
                    stored = rows.read(session, trial.study_id == study_id, asked)
            known = {row.trial_id: known for row in stored if (known := self._known(row)) is not None}
            if known and len(known) == len(stored):
                trials = list(known.values())
            else:
                trials = super()._get_trials(study_id, states, included_trial_ids, trial_id_greater_than)
                trials = [known.get(trial._trial_id, trial) for trial in trials]
                self.changes += bool(trials)
            for trial_id in known:
                self._told.pop(trial_id, None)
            looks.looked(began)
            return trials

    def _known(self, row: rows.Row) -> FrozenTrial | None:
        """A trial of which everything else is known."""
        told = self._told.get(row.trial_id)
        if told is not None and told.state == row.state:
            return changed(told, datetime_start=row.start, datetime_complete=row.complete)
        if row.trial_id not in self._held:
            return None
        if self._is_ours(row):
            return self._held[row.trial_id].trial
        self._lose(row.trial_id)
        return None


class BatchedDatabase(PatientDatabase, Batched):
    """A database that is waited for, with batched reports."""

    backend = BatchingRDBStorage
    _backend: BatchingRDBStorage

    def flush(self) -> None:
        """As `Batched.flush`."""
        self.patiently(lambda again: self._backend.flush())

    def let_go(self, trial_id: int) -> None:
        """As `Batched.let_go`."""
        self._backend.let_go(trial_id)

    def changes(self, study_id: int) -> int:
        """As `Batched.changes`."""
        self.patiently(lambda again: self._read_trials_from_remote_storage(study_id))
        return self._backend.changes


def changed(trial: FrozenTrial, **content: Any) -> FrozenTrial:
    """A copy of a trial that shares whatever is not in `content`."""
    made = copy.copy(trial)
    for name, value in content.items():
        setattr(made, name, value)
    return made


def copied(trial: FrozenTrial) -> FrozenTrial:
    """A copy whose tables can be changed, as Optuna's `Trial` does."""
    names = ("params", "distributions", "user_attrs", "system_attrs", "intermediate_values")
    return changed(trial, **{name: dict(getattr(trial, name)) for name in names})


def as_stored(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes as a database gives them back."""
    stored: dict[str, Any] = json.loads(json.dumps(attributes))
    return stored
