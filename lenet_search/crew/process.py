"""A worker as its parent sees it: a process, the two ends of a pipe, a log file, and the runs that it holds."""

import contextlib
import math
import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lenet_search.crew.job import Job
from lenet_search.crew.messages import FromWorker, Orders, Ready, Setup, Testing
from lenet_search.crew.places import Place
from lenet_search.structure import Structure


class WorkerProcess:
    """Starts a worker. It is a plain subprocess: a script or notebook that searches needs no `__main__` guard.

    Args:
        place: the device that it gets
        setup: what it needs to know
        log: where its output goes, TensorFlow's or JAX's included
    """

    def __init__(self, place: Place, setup: Setup, log: Path) -> None:
        self.place = place
        self.setup = setup
        self.log = log
        self.up: Ready | None = None  # what it has said last of its device
        self.ready: Ready | None = None  # the same, once it can be given runs
        self.measuring = False  # whether it was asked for the size of its stacks
        self.held: dict[int, Job] = {}
        self.testing: dict[int, Testing] = {}
        self.structures: set[Structure] = set()  # of all runs that it ever held: it has their programs
        self.early = 0  # about how many of its runs end per epoch before their time
        self.programs = 0  # that it has compiled
        self.retiring = False  # gets no new runs; another is to take its place
        self.freeze_at = math.inf  # on the monotonic clock: when copies of its runs' states are due
        self.leave_at = math.inf  # when one that retires is to leave, whatever it holds
        self.pipe, theirs = Pipe()
        self._start(theirs)
        self.tell(setup)

    def _start(self, theirs: "Connection[Any, Any]") -> None:
        """Start what serves the other end of the pipe."""
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        own = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
        with self.log.open("ab") as output, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lenet_search.crew.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # closes when this process ends; a byte asks the worker to freeze and leave
                stdout=output,
                stderr=output,
                env={**os.environ, **own, **self.place.environment()},
                start_new_session=True,  # Ctrl-C is the parent's affair
            )

    def hold(self, job: Job) -> None:
        """Note a run that it is about to be told to train."""
        self.held[job.number] = job
        self.structures.add(job.structure)

    @property
    def idle(self) -> bool:
        """Whether it is up and waits for orders."""
        return self.ready is not None and not self.held

    def tell(self, message: Setup | Orders) -> None:
        """Send a message. A worker that has died is noticed when it is listened to."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def listen(self) -> FromWorker | None:
        """The next message; None when the worker has died."""
        try:
            message: Any = self.pipe.recv()
        except (EOFError, OSError):
            return None
        assert isinstance(message, FromWorker)
        return message

    def ask_to_leave(self) -> None:
        """Have it freeze its runs and leave. Its last message is a `Froze`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"!")
            self._process.stdin.flush()

    def kill(self) -> None:
        """End the process now. There is nothing in it that wants saving."""
        self._process.kill()
        self._process.wait()
        self.pipe.close()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a byte that it did not read any more
            self._process.stdin.close()

    def last_words(self) -> str:
        """Why a worker that has died did so: the signal that killed it, or the last line that it wrote."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "a worker hung up"
        if code < 0:
            return f"a worker was killed by {signal.Signals(-code).name}" + _memory_hint(-code)
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"a worker failed: {lines[-1][:300]}" if lines else f"a worker exited with code {code}"


def _memory_hint(number: int) -> str:
    return " (out of memory?)" if number == signal.SIGKILL else ""
