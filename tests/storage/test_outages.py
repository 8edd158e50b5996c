"""Databases that restart, are gone, are locked, or do not say whether they have stored something."""

import os
import pickle
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalRedisBackend
from optuna.trial import TrialState, create_trial
from servers import PASSWORD, Server

from lenet_search.errors import StorageError
from lenet_search.storage import Patience, open_storage, patience
from lenet_search.storage.database import PatientDatabase
from lenet_search.storage.redis_journal import RedisJournal

NAMES = ["postgresql", "redis"]


def finish_one(study: optuna.Study) -> None:
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    trial.report(0.5, 1)
    trial.set_user_attr("note", "a")
    study.tell(trial, 0.5)


@pytest.fixture(autouse=True)
def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that ends waits for half a second, not for five."""
    monkeypatch.setattr(patience, "AT_THE_END", 0.5)


@pytest.fixture
def opened() -> Iterator[Callable[..., BaseStorage]]:
    """Opens storages whose connections are closed at the end."""
    storages: list[BaseStorage] = []

    def one(url: str, *, create: bool = True, batched: bool = False, patience: Patience | None = None) -> BaseStorage:
        storages.append(open_storage(url, create=create, batched=batched, patience=patience))
        return storages[-1]

    yield one
    for storage in storages:
        if isinstance(storage, PatientDatabase):
            storage._backend.engine.dispose()
        elif isinstance(behind := getattr(storage, "_behind", getattr(storage, "_backend", None)), RedisJournal):
            behind._client.close()


@pytest.fixture(params=NAMES)
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    return servers(request.param)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # PyMySQL leaves sockets open
@pytest.mark.parametrize("name", [*NAMES, "mariadb"])
def test_a_server_that_restarts_or_is_killed_costs_nothing_but_time_and_the_person_is_told_once(name, servers, opened):
    server = servers(name)
    url, notes = server.new(), []
    study = optuna.create_study(study_name="s", storage=opened(url, batched=True, patience=Patience(notes.append)))
    finish_one(study)
    server.stop()
    server.start()
    finish_one(study)  # connections of the server that was: the first try fails, the second does not
    assert notes == []
    server.stop(kill=True)
    later = threading.Timer(1.0, server.start)
    later.start()
    finish_one(study)
    later.join()
    finish_one(study)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4
    assert [trial.params.keys() for trial in study.trials] == [{"x"}] * 4
    assert "does not answer" in notes[0]
    assert "trying again for 2 minutes" in notes[0]
    assert notes[1].endswith("answers again")
    assert len(notes) == 2
    assert PASSWORD not in str(notes)


def test_a_server_that_stays_away_is_named_without_its_password_and_signals_shorten_the_wait(server, opened):
    url, stopped = server.new(), []
    patient = Patience(stopped=lambda: bool(stopped))
    study = optuna.create_study(study_name="s", storage=opened(url, patience=patient))
    server.stop()
    stopped.append(True)
    began = time.monotonic()
    with pytest.raises(StorageError) as caught:
        study.ask()
    assert time.monotonic() - began < 5
    assert f"the storage {url.replace(PASSWORD, '***')} does not answer" in str(caught.value)
    assert "invalid data" not in str(caught.value)
    began = time.monotonic()
    with pytest.raises(StorageError):
        study.ask()
    assert time.monotonic() - began < 2  # a command that ends does not wait for every trial
    server.start()
    finish_one(study)


def test_a_server_that_is_being_started_is_waited_for_and_one_that_is_not_there_only_shortly(
    server, monkeypatch, opened
):
    url = server.new()
    opened(url)
    server.stop()
    later = threading.Timer(1.0, server.start)
    later.start()
    assert opened(url, create=False).get_all_studies() == []
    later.join()
    server.stop()
    monkeypatch.setattr(patience, "OPENING", 0.2)
    for module in ("database", "redis_journal"):
        monkeypatch.setattr(f"lenet_search.storage.{module}.OPENING", 0.2)
    with pytest.raises(StorageError, match="does not answer") as caught:
        open_storage(url, create=True)
    assert PASSWORD not in str(caught.value)
    server.start()


def test_a_wrong_password_is_refused_at_once_and_shown_neither_in_the_message_nor_in_its_cause(server):
    url = server.new().replace(PASSWORD, "falsch-99")
    began = time.monotonic()
    with pytest.raises(StorageError, match="cannot open the storage") as caught:
        open_storage(url, create=True)
    assert time.monotonic() - began < 5
    error = caught.value
    while error is not None:
        assert "falsch-99" not in str(error)
        error = error.__cause__ or error.__context__


def test_a_server_with_too_many_clients_is_tried_again(servers, opened):
    server = servers("postgresql")
    url = server.new()
    study = optuna.create_study(study_name="s", storage=opened(url, batched=True))
    study._storage._backend.engine.dispose()
    clients = []
    with pytest.raises(Exception, match=r"too many clients|remaining connection slots"):
        while True:
            clients.append(server.connect())
    later = threading.Timer(0.5, lambda: [client.close() for client in clients])
    later.start()
    finish_one(study)
    later.join()


# Every operation that stores something; a commit whose answer is lost is repeated.
WRITES: dict[str, Callable[[BaseStorage, int, int], Any]] = {
    "create_new_study": lambda s, study, trial: s.create_new_study([optuna.study.StudyDirection.MINIMIZE], "t"),
    "set_study_user_attr": lambda s, study, trial: s.set_study_user_attr(study, "key", 1),
    "set_study_system_attr": lambda s, study, trial: s.set_study_system_attr(study, "key", 1),
    "create_new_trial": lambda s, study, trial: s.create_new_trial(study),
    "create_new_trial from a template": lambda s, study, trial: s.create_new_trial(
        study, create_trial(state=TrialState.RUNNING, user_attrs={"run": "a"})
    ),
    "set_trial_param": lambda s, study, trial: s.set_trial_param(
        trial, "x", 0.5, optuna.distributions.FloatDistribution(0, 1)
    ),
    "set_trial_intermediate_value": lambda s, study, trial: s.set_trial_intermediate_value(trial, 1, 0.5),
    "set_trial_user_attr": lambda s, study, trial: s.set_trial_user_attr(trial, "key", "invalid: it does not exist"),
    "set_trial_system_attr": lambda s, study, trial: s.set_trial_system_attr(trial, "key", 1),
    "tell": lambda s, study, trial: s.set_trial_state_values(trial, TrialState.COMPLETE, [0.5]),
    "prune": lambda s, study, trial: s.set_trial_state_values(trial, TrialState.PRUNED),
    "wait": lambda s, study, trial: s.set_trial_state_values(trial, TrialState.WAITING),
}


@pytest.mark.parametrize("batched", [False, True], ids=["plain", "batched"])
@pytest.mark.parametrize("name", WRITES)
def test_what_was_stored_without_an_answer_is_not_stored_twice(tmp_path, monkeypatch, name, batched, opened):
    contents = []
    for loses in (False, True):
        storage = opened(f"sqlite:///{tmp_path}/{loses}.db", batched=batched)
        study_id = storage.create_new_study([optuna.study.StudyDirection.MINIMIZE], "s")
        trial_id = storage.create_new_trial(study_id)
        dialect, lost = storage._backend.engine.dialect, []
        commit = dialect.do_commit

        def commit_once(connection: Any, commit=commit, lost=lost, dialect=dialect) -> None:
            before = connection.total_changes
            commit(connection)
            if not lost and before:
                lost.append(True)
                raise dialect.loaded_dbapi.OperationalError("server closed the connection unexpectedly")

        if loses:
            monkeypatch.setattr(dialect, "do_commit", commit_once)
        answer = WRITES[name](storage, study_id, trial_id)
        if batched:
            storage.flush()
        assert bool(lost) == loses
        monkeypatch.undo()
        trials = [
            (trial.number, trial.state, trial.values, trial.params, trial.user_attrs, trial.system_attrs)
            for trial in opened(f"sqlite:///{tmp_path}/{loses}.db").get_all_trials(study_id)
        ]
        studies = [(each.study_name, each.user_attrs, each.system_attrs) for each in storage.get_all_studies()]
        contents.append((answer, trials, studies))
    assert contents[0] == contents[1]


def test_what_redis_stored_without_an_answer_is_not_stored_twice(servers, monkeypatch, opened):
    import redis

    url = servers("redis").new()
    study = optuna.create_study(study_name="s", storage=opened(url))
    calls = []
    evaluate = redis.Redis.eval

    def lose(self: Any, *arguments: Any) -> Any:
        answer = evaluate(self, *arguments)
        calls.append(answer)
        if len(calls) % 2:  # every first try
            raise redis.exceptions.ConnectionError("Connection reset by peer")
        return answer

    monkeypatch.setattr(redis.Redis, "eval", lose)
    finish_one(study)
    finish_one(study)
    assert len(calls) > 10
    plain = optuna.load_study(study_name="s", storage=opened(url, create=False))
    assert [(trial.state, trial.value) for trial in plain.trials] == [(TrialState.COMPLETE, 0.5)] * 2


def test_a_redis_server_that_has_forgotten_entries_is_noticed(servers, opened):
    server = servers("redis")
    url = server.new()
    study = optuna.create_study(study_name="s", storage=opened(url))
    finish_one(study)
    server.stop(kill=True)
    shutil.rmtree(server.folder / "appendonlydir")
    server.start()
    with pytest.raises(StorageError, match="has lost entries") as caught:
        study.ask()
    assert PASSWORD not in str(caught.value)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harm",)


def test_redis_is_shared_with_optuna_and_its_pickles_are_not_read(servers, tmp_path, monkeypatch, opened):
    monkeypatch.chdir(tmp_path)
    server = servers("redis")
    url = server.new()
    study = optuna.create_study(study_name="s", storage=opened(url))
    finish_one(study)
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        theirs = optuna.load_study(study_name="s", storage=JournalStorage(JournalRedisBackend(url)))
    finish_one(theirs)
    assert study.trials == theirs.trials
    assert len(study.trials) == 2
    with server.connect() as client:
        client.set(":snapshot", pickle.dumps(Harmful()))
    assert len(optuna.load_study(study_name="s", storage=opened(url, create=False)).trials) == 2
    assert not Path("harm").exists()


def test_a_locked_sqlite_file_is_waited_for_and_told(tmp_path, opened):
    url, notes = f"sqlite:///{tmp_path}/x.db", []
    study = optuna.create_study(study_name="s", storage=opened(url, patience=Patience(notes.append)))
    other = sqlite3.connect(tmp_path / "x.db", check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    later = threading.Timer(1.5, other.rollback)
    later.start()
    finish_one(study)
    later.join()
    assert [trial.value for trial in study.trials] == [0.5]
    assert "is locked by another process; trying again" in notes[0]
    other.execute("BEGIN EXCLUSIVE")
    impatient = opened(f"sqlite:///{tmp_path}/y.db", patience=Patience(limit=0.1))
    assert impatient.get_all_studies() == []
    with pytest.raises(StorageError, match="is locked by another process"):
        open_storage(url, create=True, patience=Patience(limit=0.1))
    other.close()


def test_a_journal_in_redis_goes_on_after_its_storage_was_copied(servers, opened):
    url = servers("redis").new()
    study = optuna.create_study(study_name="s", storage=pickle.loads(pickle.dumps(opened(url))))
    finish_one(study)
    assert len(study.trials) == 1
