import os
import subprocess
import sys
import time

from lenet_search.search.parents import SILENCE, Parent, host, is_over, process_start


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


def test_elsewhere_a_run_is_over_after_three_silent_minutes():
    beat = {**Parent().heartbeat(), "host": "another machine"}
    assert not is_over(beat, beat["time"] + 170)
    assert is_over(beat, beat["time"] + 190)


def test_a_run_that_never_wrote_or_said_goodbye_is_over():
    assert is_over(None, time.time())
    assert is_over({**Parent().heartbeat(), "over": True}, time.time())


def test_runs_have_names_of_their_own():
    assert len({Parent().id for _ in range(100)}) == 100


def test_there_is_no_start_of_a_process_that_does_not_exist():
    assert process_start(os.getpid()) is not None
    assert process_start(2**22 + 1) is None
