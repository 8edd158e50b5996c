"""Signals that end a command. They are noticed at once and acted on between two steps, so nothing is left half done.

The signals are Ctrl-C, SIGTERM, SIGHUP, and SIGUSR1, which queues such as SLURM send before a job's time is up.
"""

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from lenet_search.errors import LenetSearchError
from lenet_search.storage.address import HOW_TO_GIVE_THE_PASSWORD, shown

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name))


class Interrupted(LenetSearchError):
    """A signal ended the command. Finished work is kept, and the message says how to resume.

    `exit_code` is the shell's code for the signal: 130 for Ctrl-C, 143 for SIGTERM. `summary` describes the work done
    so far; it is None if nothing was started.
    """

    def __init__(self, number: int, message: str, summary: Any = None) -> None:
        super().__init__(message)
        self.signal = number
        self.exit_code = 128 + number
        self.summary = summary


def same_command() -> str:
    """How to run this process's command again, without the password of its storage."""
    if not Path(sys.argv[0]).name.startswith("lenet-search"):
        return "run it again"
    given = sys.argv[1:]
    words = [shown(word) for word in given]
    return shlex.join(["lenet-search", *words]) + (f" ({HOW_TO_GIVE_THE_PASSWORD})" if words != given else "")


class Stopped(KeyboardInterrupt):
    """A signal arrived where it may interrupt at once, as Ctrl-C does; `signal` is its number."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.signal = number


class Stop:
    """Holds the first signal. Later ones are ignored: a second Ctrl-C must not disturb the freezing."""

    signal: int | None = None

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal."""
        if self.signal is None:
            self.signal = number


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Collect signals instead of dying from them."""
    stop = Stop()
    with handled_by(stop):
        yield stop


@contextmanager
def interruptible() -> Iterator[None]:
    """Have every signal interrupt as Ctrl-C does, by raising `Stopped`, so that nothing is left half written."""
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:  # a second one, while the first is being dealt with: at once
            os._exit(128 + number)
        stopped = True
        raise Stopped(number)

    with handled_by(stop):
        yield


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the signals, where that is possible: Python delivers them only to the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # An ignored signal (SIGHUP under nohup) stays ignored; a signal handled by C code is left alone.
    handled = [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in handled}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
