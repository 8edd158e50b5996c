import os
import signal
import threading

import pytest

from lenet_search.crew.signals import Interrupted, stop_signals
from lenet_search.errors import LenetSearchError


def test_the_first_signal_is_kept_and_a_second_one_changes_nothing():
    with stop_signals() as stop:
        assert stop.signal is None
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGINT


def test_afterwards_signals_do_what_they_did_before():
    before = signal.getsignal(signal.SIGINT)
    with stop_signals():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_what_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.signal is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_of_the_main_thread_a_search_goes_without_signals():
    seen = []

    def search() -> None:
        with stop_signals() as stop:
            seen.append(stop.signal)

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert seen == [None]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_carries_the_exit_code_of_its_signal(number, code):
    error = Interrupted(number, "go on with ...")
    assert isinstance(error, LenetSearchError)
    assert error.exit_code == code
    assert str(error) == "go on with ..."
