"""A journal written in batches, against Optuna's own on the same file."""

import os
import pickle
import resource
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages.journal import JournalFileBackend, JournalStorage
from optuna.trial import FrozenTrial, TrialState

from lenet_search.storage import open_storage


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "study.journal")


def plain(path: str) -> JournalStorage:
    return JournalStorage(JournalFileBackend(path))


def lines(path: str) -> int:
    return len(Path(path).read_text().splitlines())


def content(storage: optuna.storages.BaseStorage) -> list[FrozenTrial]:
    return optuna.load_study(study_name="s", storage=storage).trials


def search(study: optuna.Study, trials: int) -> None:
    for _ in range(trials):
        trial = study.ask()
        value = trial.suggest_float("x", 0, 1)
        trial.set_user_attr("note", "a")
        for step in range(3):
            trial.report(value * step, step)
        study.tell(trial, value)


def test_optuna_reads_what_was_written_in_batches_and_so_does_the_writer(path):
    study = optuna.create_study(study_name="s", storage=open_storage(path, create=True, batched=True))
    search(study, 4)
    assert content(plain(path)) == study.trials == content(open_storage(path, create=True, batched=True))


def test_what_optuna_writes_is_read_in_between(path):
    mine = optuna.create_study(study_name="s", storage=open_storage(path, create=True, batched=True))
    other = optuna.load_study(study_name="s", storage=plain(path))
    first = mine.ask()
    second = other.ask()
    first.report(0.5, 1)
    second.report(0.25, 1)
    first.suggest_float("x", 0, 1)
    other.tell(second, 0.75)
    mine.tell(first, 1.0)
    search(other, 2)
    search(mine, 2)
    assert [trial.number for trial in mine.trials] == list(range(6))
    assert mine.trials == other.trials == content(plain(path))


def test_reports_wait_until_a_flush_and_cost_one_write(path):
    storage = open_storage(path, create=True, batched=True)
    study = optuna.create_study(study_name="s", storage=storage)
    trial = study.ask()
    before = lines(path)
    trial.report(0.5, 1)
    trial.report(0.6, 2)
    assert study.trials[0].intermediate_values == {1: 0.5, 2: 0.6}  # their writer sees them
    assert lines(path) == before
    storage.flush()
    assert lines(path) == before + 2
    storage.flush()
    assert lines(path) == before + 2
    assert content(plain(path))[0].intermediate_values == {1: 0.5, 2: 0.6}


def test_threads_that_share_it_lose_nothing_and_store_what_they_see(path):
    storage = open_storage(path, create=True, batched=True)
    study = optuna.create_study(study_name="s", storage=storage, sampler=optuna.samplers.RandomSampler())

    def objective(trial: optuna.Trial) -> float:
        value = trial.suggest_float("x", 0, 1)
        trial.report(value, 1)
        storage.flush()
        trial.set_user_attr("of", trial.number)
        return value

    study.optimize(objective, n_trials=40, n_jobs=4)
    assert [trial.user_attrs["of"] for trial in study.trials] == list(range(40))
    assert content(plain(path)) == study.trials


def test_a_copy_that_was_pickled_goes_on_as_another_writer_of_the_file(path):
    storage = open_storage(path, create=True, batched=True)
    study = optuna.create_study(study_name="s", storage=storage)
    study.ask().report(0.5, 1)
    copied = pickle.loads(pickle.dumps(storage))
    assert content(copied) == study.trials
    optuna.load_study(study_name="s", storage=copied).ask()
    assert [trial.number for trial in study.trials] == [0, 1]


def test_a_trial_that_has_ended_lacks_nothing_when_the_process_is_killed_at_that_moment(path):
    code = (
        "import os, sys, optuna\n"
        "from lenet_search.storage import open_storage\n"
        "study = optuna.create_study(study_name='s', storage=open_storage(sys.argv[1], create=True, batched=True))\n"
        "trial = study.ask()\n"
        "trial.suggest_float('x', 0, 1)\n"
        "trial.report(0.5, 1)\n"
        "trial.set_user_attr('note', 'a')\n"
        "study.tell(trial, 0.5)\n"
        "study.ask().report(0.1, 1)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, path], check=False, env={**os.environ, "PYTHONPATH": os.getcwd()})
    ended, running = content(plain(path))
    assert (ended.state, running.state) == (TrialState.COMPLETE, TrialState.RUNNING)
    assert ended.intermediate_values == {1: 0.5}
    assert ended.user_attrs == {"note": "a"}
    assert set(ended.params) == {"x"}


def test_a_trial_that_another_run_has_told_takes_no_more(path):
    mine = optuna.create_study(study_name="s", storage=open_storage(path, create=True, batched=True))
    other = optuna.load_study(study_name="s", storage=plain(path))
    trial = mine.ask()
    other.tell(trial.number, state=TrialState.FAIL)
    with pytest.raises(UpdateFinishedTrialError):
        trial.report(0.5, 1)
    search(mine, 1)
    assert mine.trials == content(plain(path))


def test_changes_grow_when_anyone_begins_pauses_or_ends_a_trial_and_not_for_what_is_noted_of_one(path):
    storage = open_storage(path, create=True, batched=True)
    mine = optuna.create_study(study_name="s", storage=storage)
    other = optuna.load_study(study_name="s", storage=plain(path))
    seen = [storage.changes(mine._study_id)]

    def grown() -> bool:
        seen.append(storage.changes(mine._study_id))
        return seen[-1] > seen[-2]

    first, second = mine.ask(), other.ask()
    assert grown()
    first.report(0.5, 1)
    second.report(0.5, 1)
    second.set_user_attr("note", "a")
    assert not grown()
    mine.tell(first, 1.0)
    assert grown()
    other.tell(second, state=TrialState.PRUNED)
    assert grown()
    third = mine.ask()
    assert grown()
    storage.set_trial_state_values(third._trial_id, TrialState.WAITING)
    assert grown()
    assert other.ask().number == third.number
    assert grown()
    assert not grown()


def test_a_disk_that_is_full_for_a_moment_leaves_no_half_entry(tmp_path):
    path = tmp_path / "study.journal"
    study = optuna.create_study(storage=open_storage(str(path), create=True, batched=True), study_name="whole")
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))
        with pytest.raises(OSError, match="File too large"):
            study.ask()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.stat().st_size == size
    again = optuna.load_study(storage=open_storage(str(path), create=True, batched=True), study_name="whole")
    again.tell(again.ask(), 0.5)
    assert again.best_value == 0.5
