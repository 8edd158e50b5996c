"""Where stack sizes are remembered: a file that survives whatever befalls it, and a lock that outlives nobody."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lenet_search import machine
from lenet_search.engine import remembered
from lenet_search.engine.remembered import Entry, Memory, memory
from lenet_search.machine import cache_folder

HERE = {"device": "CPU", "image": [32, 32, 1]}
THERE = {"device": "GPU", "image": [32, 32, 1]}


def entry(slots: int = 4, **conditions: object) -> Entry:
    return Entry(HERE | conditions, slots, {2: 9000.0, 4: 12000.0}, 16, "more are not faster", "2026-11-20")


def never() -> None:
    raise AssertionError("nobody should have to wait")


def test_what_is_kept_is_found_by_its_conditions_and_by_no_others(tmp_path):
    Memory(tmp_path).keep(entry())
    assert Memory(tmp_path).find(HERE) == entry()
    assert Memory(tmp_path).find(THERE) is None


def test_a_new_entry_replaces_the_older_one_and_leaves_the_others(tmp_path):
    kept = Memory(tmp_path)
    for each in (entry(), entry(device="GPU"), entry(slots=2)):
        kept.keep(each)
    assert kept.find(HERE) == entry(slots=2)
    assert kept.find(THERE) == entry(device="GPU")
    assert len(json.loads(kept.path.read_text())["measured"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["slots.json"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[1, 2]", '{"measured": 3}', '{"measured": [null, {"slots": 4}]}', "[" * 100_000, '{"other": "tool"}'],
)
def test_a_file_that_is_damaged_or_somebody_else_s_holds_nothing_and_is_written_anew(tmp_path, content):
    kept = Memory(tmp_path)
    kept.path.write_text(content)
    assert kept.find(HERE) is None
    kept.keep(entry())
    assert kept.find(HERE) == entry()


@pytest.mark.parametrize(
    "wrong", [{"slots": 0}, {"slots": "4"}, {"slots": 3}, {"most": 2}, {"date": 1}, {"most": True}]
)
def test_an_entry_that_somebody_edited_into_nonsense_is_ignored(tmp_path, wrong):
    kept = Memory(tmp_path)
    kept.keep(entry())
    content = json.loads(kept.path.read_text())
    content["measured"][0] |= wrong
    kept.path.write_text(json.dumps(content))
    assert kept.find(HERE) is None


def test_only_one_process_measures_at_a_time_and_one_that_is_killed_lets_the_next_in(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "SILENCE", 0.0)
    holder = subprocess.Popen(
        [
            sys.executable, "-c",
            "import fcntl, sys, time\nlock = open(sys.argv[1], 'w')\nfcntl.flock(lock, fcntl.LOCK_EX)\n"
            "print('mine', flush=True)\ntime.sleep(60)",
            str(tmp_path / "slots.lock"),
        ],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    with holder.stdout as told:
        assert told.readline() == b"mine\n"
        waited = []

        def kill() -> None:
            waited.append(holder.poll())
            holder.send_signal(signal.SIGKILL)
            holder.wait()

        with Memory(tmp_path).alone(kill):
            assert waited == [None]  # it lived, and held the lock, until it was killed


def test_a_worker_is_silent_while_a_sibling_measures(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "SILENCE", 0.0)
    monkeypatch.setattr(remembered, "PATIENCE", 0.5)
    with Memory(tmp_path).alone(never), Memory(tmp_path).alone(never):
        pass


def test_a_measurement_that_hangs_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "PATIENCE", 0.3)
    with Memory(tmp_path).alone(never):
        began = time.monotonic()
        with Memory(tmp_path).alone(never):
            assert time.monotonic() - began >= 0.3


def test_the_cache_folder_is_the_user_s_choice_or_the_system_s(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast/cache")
    assert cache_folder() == Path("/fast/cache/lenet-search")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/paths/are/to/be/ignored")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == Path("/home/ada/.cache/lenet-search")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path("/home/ada/Library/Caches/lenet-search")


def test_where_nothing_can_be_cached_the_folder_for_temporary_files_serves(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: str(tmp_path))
    assert memory().path == tmp_path / f"lenet-search-{os.getuid()}" / "slots.json"
    assert memory().path.parent.stat().st_mode & 0o077 == 0  # nobody else's business
