import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lenet_search.search.parents import CONFIRM, HEARTBEAT, SILENCE, Parent, host, is_over, is_silent, process_start


def test_a_run_whose_process_lives_on_this_machine_is_not_over_however_long_it_was_silent():
    beat = {**Parent().heartbeat(), "time": time.time() - 10 * SILENCE}
    assert not is_over(beat, time.time())


def test_a_run_is_over_when_its_process_is_gone():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    beat = {"host": host(), "pid": process.pid, "started": process_start(process.pid), "time": time.time()}
    assert not is_over(beat, time.time())
    process.kill()
    process.wait()
    process.stdin.close()
    assert is_over(beat, time.time())


def test_a_new_process_with_an_old_number_is_not_taken_for_the_old_one():
    beat = {**Parent().heartbeat(), "started": "1"}
    assert is_over(beat, time.time())


ELSEWHERE = {**Parent().heartbeat(), "host": "another machine"}


def test_elsewhere_a_run_is_over_when_it_was_silent_for_three_minutes_and_has_been_watched():
    assert not is_over(ELSEWHERE, ELSEWHERE["time"] + 170, watched=CONFIRM)
    assert is_over(ELSEWHERE, ELSEWHERE["time"] + 190, watched=CONFIRM)


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_a_clock_that_is_wrong_or_jumps_kills_no_run_and_lets_none_live_for_ever(skew):
    now = ELSEWHERE["time"] + skew
    assert not is_over(ELSEWHERE, now, watched=HEARTBEAT)  # it writes that often
    assert is_over(ELSEWHERE, now, watched=SILENCE)


@pytest.fixture
def without_proc(monkeypatch):
    """As on macOS: processes are known from `ps` alone."""
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self, **more: str(self) != "/proc/self/stat" and exists(self, **more))


# A time zone on the other side of midnight, one with a change of clocks, another language, other formats.
PLACES = [{"TZ": "Pacific/Kiritimati"}, {"TZ": "Europe/Berlin", "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"},
          {"TZ": "UTC", "LC_TIME": "ja_JP.UTF-8"}, {"PS_FORMAT": "pid", "PS_PERSONALITY": "bsd"}]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_without_proc_a_live_run_is_the_same_seen_from_everywhere(without_proc, monkeypatch, place):
    beat = Parent().heartbeat()
    assert beat["started"]
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    assert not is_over(beat, time.time() + 10 * SILENCE)
    assert is_over({**beat, "started": "Mon Jan  1 00:00:00 2024"}, time.time())


def test_without_proc_a_process_that_is_gone_or_a_zombie_is_over(without_proc):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    beat = {"host": host(), "pid": process.pid, "started": process_start(process.pid), "time": time.time()}
    assert not is_over(beat, time.time())
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_over(beat, time.time())  # nobody has asked how it ended
    process.wait()
    assert is_over(beat, time.time())


def test_without_ps_too_a_live_run_is_never_taken(without_proc, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert not is_over(Parent().heartbeat(), time.time())
    assert process_start(2**22 + 1) is None


def test_a_run_that_never_wrote_or_said_goodbye_is_over():
    assert is_over(None, time.time())
    assert is_over({**Parent().heartbeat(), "over": True}, time.time())


def test_runs_have_names_of_their_own():
    assert len({Parent().id for _ in range(100)}) == 100


def test_there_is_no_start_of_a_process_that_does_not_exist():
    assert process_start(os.getpid()) is not None
    assert process_start(2**22 + 1) is None


@pytest.mark.parametrize("damaged", [{"host": "a", "pid": 3}, {"host": 1, "pid": 3, "started": 1, "time": 5}, [], "x",
                                     {"host": "a", "pid": 3, "started": 1, "time": 10**400}])  # fmt: skip
def test_a_damaged_heartbeat_is_that_of_a_process_that_has_ended(damaged):
    assert is_over(damaged, 100.0)
    assert not is_silent(damaged, 1e9)
