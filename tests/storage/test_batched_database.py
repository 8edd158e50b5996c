"""Databases written in batches, against Optuna's own storage: the same content, in far fewer statements."""

import math
import pickle
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from servers import Server
from slow_line import SlowLine
from sqlalchemy import event

from lenet_search.storage import open_storage
from lenet_search.storage.batched import Batched
from lenet_search.storage.database import PatientDatabase

VALUES = [0.25, 1.0, math.nan, math.inf, -math.inf]
TAKEN = {  # what another process can do to a trial of this one
    "told": lambda study, number: study.tell(number, state=TrialState.FAIL),
    "set waiting": lambda study, number: pause(study, number),
    "adopted": lambda study, number: (pause(study, number), study.ask()),
}


@pytest.fixture
def opened() -> Iterator[Callable[..., Any]]:
    """Opens storages in batches, or, not `batched`, as any other tool; their connections are closed at the end."""
    storages: list[BaseStorage] = []

    def one(url: str, *, batched: bool = True) -> Any:
        storages.append(open_storage(url, create=True, batched=batched))
        return storages[-1]

    yield one
    for storage in storages:
        if isinstance(storage, PatientDatabase):
            storage._backend.engine.dispose()
        elif isinstance(storage, JournalStorage):
            getattr(storage._backend, "_behind", storage._backend)._client.close()


@pytest.fixture(params=["sqlite", "postgresql", "mariadb", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[str], Server]) -> str:
    return f"sqlite:///{tmp_path}/study.db" if request.param == "sqlite" else servers(request.param).new()


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture
def counted() -> Iterator[Callable[[BaseStorage], list[str]]]:
    """Lists the statements that a database gets from now on, commits included."""

    def statements(storage: PatientDatabase) -> list[str]:
        listed: list[str] = []
        engine = storage._backend.engine
        event.listen(engine, "before_cursor_execute", lambda *given: listed.append(given[2]))
        event.listen(engine, "commit", lambda connection: listed.append("COMMIT"))
        return listed

    yield statements


def pause(study: optuna.Study, number: int) -> None:
    study._storage.set_trial_state_values(study.trials[number]._trial_id, TrialState.WAITING)


def content(trials: list[FrozenTrial]) -> list[object]:
    """Everything but times, which differ between two runs. As text, because NaN differs from itself."""
    return [
        (t.number, t.state, t.values, str(t.params), str(t.distributions), str(sorted(t.user_attrs.items())),
         str(sorted(t.system_attrs.items())), str(sorted(t.intermediate_values.items())))
        for t in trials
    ]  # fmt: skip


def walk(study: optuna.Study, trials: list[optuna.Trial], luck: random.Random) -> None:
    """Do anything that can be done to a trial: the same to every study for the same luck."""
    choice = luck.randrange(8)
    if choice == 0 or not trials:
        trials.append(study.ask())
        return
    trial = luck.choice(trials)
    match choice:
        case 1:
            trial.suggest_float("x", 0, 1, log=False)
        case 2:
            trial.suggest_categorical("kind", [None, True, "c"])
            trial.suggest_int("n", 2, 9)
        case 3 | 4:
            study._storage.set_trial_intermediate_value(trial._trial_id, luck.randrange(4), luck.choice(VALUES))
        case 5:
            trial.set_user_attr(luck.choice("ab"), luck.choice([{"a": [1, 2]}, None, "ä", 2.5]))
            study._storage.set_trial_system_attr(trial._trial_id, "c", luck.random())
        case 6 if len(trials) > 1:
            trials.remove(trial)
            study.tell(trial, luck.choice([0.5, math.inf]))
        case 7:
            trials.remove(trial)
            pause(study, trial.number)


def test_whatever_is_done_to_trials_their_writer_and_others_see_what_plain_optuna_has(url, opened, tmp_path):
    storage = opened(url)
    plain = RDBStorage(f"sqlite:///{tmp_path}/plain.db")
    sampler = optuna.samplers.RandomSampler
    studies = [optuna.create_study(study_name="s", storage=each, sampler=sampler(1)) for each in (storage, plain)]
    running: list[list[optuna.Trial]] = [[], []]
    reader = optuna.load_study(study_name="s", storage=opened(url, batched=False))
    for step in range(120):
        for study, trials in zip(studies, running, strict=True):
            walk(study, trials, random.Random(step))
        if step % 10 == 0:
            assert content(studies[0].trials) == content(studies[1].trials)
        if step % 40 == 0:
            storage.flush()
            assert content(reader.trials) == content(studies[1].trials)
    storage.flush()
    assert content(reader.trials) == content(studies[0].trials) == content(studies[1].trials)
    assert {trial.state for trial in reader.trials} == {TrialState.RUNNING, TrialState.WAITING, TrialState.COMPLETE}
    plain.engine.dispose()


def test_an_epoch_of_a_stack_is_one_transaction_of_few_statements_however_many_trials_it_has(sqlite, opened, counted):
    storage = opened(sqlite)
    study = optuna.create_study(study_name="s", storage=storage)
    study.pruner = optuna.pruners.NopPruner()  # the others read the study
    trials = [study.ask() for _ in range(64)]
    statements = counted(storage)
    for trial in trials:
        trial.report(0.5, 1)
        trial.set_user_attr("note", "a")
        assert not trial.should_prune()
    assert statements == []
    storage.flush()
    assert [statement.split()[0] for statement in statements] == ["SELECT", "INSERT", "INSERT", "COMMIT"]
    storage.flush()
    assert len(statements) == 4
    plain = optuna.load_study(study_name="s", storage=opened(sqlite, batched=False))
    assert all(trial.intermediate_values == {1: 0.5} for trial in plain.trials)


def test_to_look_at_a_study_costs_one_statement_and_a_trial_that_ends_few(sqlite, opened, counted):
    storage = opened(sqlite)
    study = optuna.create_study(study_name="s", storage=storage, sampler=optuna.samplers.RandomSampler())
    study.ask().suggest_float("x", 0, 1)
    storage.flush()
    statements = counted(storage)
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    trial.report(0.5, 1)
    study.tell(trial, 0.5)
    assert len(statements) <= 18
    statements.clear()
    assert [trial.value for trial in study.trials] == [None, 0.5]
    assert len(statements) == 2  # and its commit


@pytest.mark.parametrize("how", TAKEN)
def test_a_trial_that_another_process_has_taken_loses_its_notes_and_takes_no_more(sqlite, opened, how):
    storage = opened(sqlite)
    mine = optuna.create_study(study_name="s", storage=storage)
    theirs = optuna.load_study(study_name="s", storage=opened(sqlite))
    taken, kept = mine.ask(), mine.ask()
    storage.flush()
    TAKEN[how](theirs, taken.number)
    for trial in (taken, kept):
        trial.report(0.5, 1)
    storage.flush()
    for note in (lambda: taken.report(0.5, 2), lambda: taken.suggest_float("x", 0, 1), lambda: mine.tell(taken, 0.5)):
        with pytest.raises((UpdateFinishedTrialError, ValueError)):
            note()
    kept.report(0.5, 2)
    mine.tell(kept, 0.5)
    assert [trial.intermediate_values for trial in theirs.trials] == [{}, {1: 0.5, 2: 0.5}]
    assert content(mine.trials) == content(theirs.trials)


def test_a_trial_that_is_told_in_the_moment_it_is_taken_stays_with_its_new_owner(sqlite, opened):
    mine = optuna.create_study(study_name="s", storage=opened(sqlite))
    theirs = optuna.load_study(study_name="s", storage=opened(sqlite))
    trial = mine.ask()
    mine._storage.get_all_trials(mine._study_id)
    TAKEN["adopted"](theirs, trial.number)
    with pytest.raises(UpdateFinishedTrialError):
        mine._storage.set_trial_state_values(trial._trial_id, TrialState.COMPLETE, [0.5])
    assert theirs.trials[0].state == TrialState.RUNNING


def test_a_trial_that_was_lost_can_be_run_again(sqlite, opened):
    mine = optuna.create_study(study_name="s", storage=opened(sqlite))
    theirs = optuna.load_study(study_name="s", storage=opened(sqlite))
    trial = mine.ask()
    mine._storage.get_all_trials(mine._study_id)
    pause(theirs, trial.number)
    again = mine.ask()
    assert again.number == trial.number
    again.report(0.5, 1)
    mine.tell(again, 0.5)
    assert content(theirs.trials) == content(mine.trials)


def test_a_note_that_the_database_refuses_is_an_error_once_and_the_notes_of_other_trials_are_stored(servers, opened):
    url = servers("postgresql").new()
    storage = opened(url)
    study = optuna.create_study(study_name="s", storage=storage)
    trials = [study.ask() for _ in range(3)]
    for number, trial in enumerate(trials):
        trial.set_user_attr("k" * (600 if number == 1 else 6), number)
    with pytest.raises(StorageInternalError):
        storage.flush()
    storage.flush()
    plain = optuna.load_study(study_name="s", storage=opened(url, batched=False))
    assert [bool(trial.user_attrs) for trial in plain.trials] == [True, False, True]


def test_a_copy_that_was_pickled_is_another_writer(sqlite, opened):
    storage = opened(sqlite)
    study = optuna.create_study(study_name="s", storage=storage)
    study.ask().report(0.5, 1)
    copied = pickle.loads(pickle.dumps(storage))
    theirs = optuna.load_study(study_name="s", storage=copied)
    assert content(theirs.trials) == content(study.trials)
    theirs.ask().report(0.25, 1)
    copied.flush()
    assert [trial.intermediate_values for trial in study.trials] == [{1: 0.5}, {1: 0.25}]
    copied._backend.engine.dispose()


def test_changes_count_what_this_process_does_at_once_and_what_others_do_when_it_looks(sqlite, opened):
    storage = opened(sqlite)
    mine = optuna.create_study(study_name="s", storage=storage)
    theirs = optuna.load_study(study_name="s", storage=opened(sqlite))
    trial = mine.ask()
    before = storage.changes(mine._study_id)
    trial.report(0.5, 1)
    storage.flush()
    assert storage.changes(mine._study_id) == before
    theirs.tell(theirs.ask(), 0.5)
    after = storage.changes(mine._study_id)
    assert after > before
    assert storage.changes(mine._study_id) == after
    mine.tell(trial, 0.5)
    assert storage.changes(mine._study_id) > after


def test_a_parameter_must_fit_what_others_have_stored_under_its_name(sqlite, opened):
    mine = optuna.create_study(study_name="s", storage=opened(sqlite))
    theirs = optuna.load_study(study_name="s", storage=opened(sqlite, batched=False))
    theirs.ask().suggest_float("x", 0, 1)
    trial = mine.ask()
    with pytest.raises(ValueError, match="distribution kind"):
        mine._storage.set_trial_param(trial._trial_id, "x", 0, optuna.distributions.CategoricalDistribution(["a"]))
    assert mine.trials[trial.number].params == {}


@pytest.mark.slow
def test_fifty_milliseconds_from_the_server_an_epoch_takes_as_long_for_eight_trials_as_for_one(servers, opened):
    server = servers("postgresql")
    url = server.new()
    with SlowLine(server.port, 0.05) as line:
        far = url.replace(f":{server.port}/", f":{line.port}/")
        storage = opened(far)
        study = optuna.create_study(study_name="s", storage=storage)
        trials = [study.ask() for _ in range(8)]
        began = time.monotonic()
        for step in range(2):
            for trial in trials:
                trial.report(0.5, step)
            storage.flush()
        took = (time.monotonic() - began) / 2
        plain = optuna.load_study(study_name="s", storage=opened(far, batched=False))
        began = time.monotonic()
        for trial in trials:
            plain._storage.set_trial_intermediate_value(trial._trial_id, 5, 0.5)
        alone = time.monotonic() - began
    assert isinstance(storage, Batched)
    assert alone > 8 * 4 * 0.05  # four round trips for each report
    assert took < alone / 2
