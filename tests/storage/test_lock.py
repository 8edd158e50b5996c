"""Locks of journals that a process has left behind, wherever they are, and locks of Optuna's own."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileOpenLock, JournalFileSymlinkLock

from lenet_search.errors import StorageError
from lenet_search.storage import Patience, lock, open_storage
from lenet_search.storage.lock import FileLock


@pytest.fixture(params=["x.journal", "runs/x.journal", "absolute"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a journal, of every form."""
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / "x.journal") if request.param == "absolute" else request.param
    Path(path).parent.mkdir(exist_ok=True)
    optuna.create_study(study_name="s", storage=open_storage(path, create=True))
    return path


def symlink(path: str) -> None:
    os.symlink(path, f"{path}.lock")  # what Optuna leaves when it dies in a write


def empty_file(path: str) -> None:
    Path(f"{path}.lock").touch()  # what this package, and Optuna's other lock, leave


@pytest.mark.parametrize("leave", [symlink, empty_file])
def test_a_lock_that_was_left_behind_is_taken_over_after_a_while_and_told(path, leave, monkeypatch):
    monkeypatch.setattr(lock, "GRACE", 0.2)
    leave(path)
    notes = []
    storage = open_storage(path, create=True, batched=True, patience=Patience(notes.append))  # nothing is to be mended
    began = time.monotonic()
    optuna.load_study(study_name="s", storage=storage).ask()
    assert 0.2 <= time.monotonic() - began < 5
    assert len(notes) == 1
    assert "the lock of a process that died, was removed" in notes[0]
    assert not os.path.lexists(f"{path}.lock")


@pytest.mark.parametrize("leave", [symlink, empty_file])
def test_reading_needs_no_lock(path, leave):
    leave(path)
    study = optuna.load_study(study_name="s", storage=open_storage(path, create=False))
    assert study.trials == []
    assert os.path.lexists(f"{path}.lock")


def test_a_lock_that_changes_hands_all_the_time_is_not_taken_and_waiting_ends(path, monkeypatch):
    monkeypatch.setattr(lock, "GRACE", 0.2)
    over = threading.Event()

    def busy() -> None:
        while not over.wait(0.05):
            os.utime(f"{path}.lock")

    empty_file(path)
    others = threading.Thread(target=busy)
    others.start()
    try:
        with pytest.raises(StorageError, match="all the time: remove it"):
            FileLock(f"{path}.lock", Patience(limit=0.6)).__enter__()
    finally:
        over.set()
        others.join()
    assert Path(f"{path}.lock").exists()


def test_a_signal_shortens_the_wait_and_what_follows_is_tried_once(path):
    empty_file(path)
    stopped = []
    patience = Patience(stopped=lambda: bool(stopped))
    threading.Timer(0.3, stopped.append, [True]).start()
    began = time.monotonic()
    with pytest.raises(StorageError):
        FileLock(f"{path}.lock", patience).__enter__()
    assert time.monotonic() - began < 10  # of which `AT_THE_END` is half
    began = time.monotonic()
    with pytest.raises(StorageError):
        FileLock(f"{path}.lock", patience).__enter__()
    assert time.monotonic() - began < 0.5


@pytest.mark.parametrize("kind", [JournalFileSymlinkLock, JournalFileOpenLock])
def test_this_lock_and_those_of_optuna_keep_each_other_out(path, kind):
    theirs = kind(path)
    theirs.acquire()
    with pytest.raises(StorageError):
        FileLock(f"{path}.lock", Patience(limit=0.1)).__enter__()
    theirs.release()
    with FileLock(f"{path}.lock", Patience()):
        waiting = threading.Thread(target=theirs.acquire)
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(10)
    theirs.release()


def test_a_lock_that_somebody_has_taken_over_is_not_released_for_them(path):
    with FileLock(f"{path}.lock", Patience()):
        os.unlink(f"{path}.lock")
        symlink(path)
    assert os.path.lexists(f"{path}.lock")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_script_that_waits_for_a_lock(tmp_path, number):
    path = str(tmp_path / "x.journal")
    optuna.create_study(study_name="s", storage=open_storage(path, create=True))
    symlink(path)
    code = (
        "import signal, sys, optuna\n"
        "from lenet_search.storage import Patience, open_storage\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # the tests may have been started with it ignored
        "storage = open_storage(sys.argv[1], create=True, batched=True, patience=Patience(print))\n"
        "print('waiting', flush=True)\n"
        "optuna.load_study(study_name='s', storage=storage).ask()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == -number
