"""A worker as its parent sees it: a process, the two ends of a pipe, a log file, and the trials that it holds."""

import contextlib
import os
import signal
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lenet_search.crew.places import Place
from lenet_search.search.ledger import Held
from lenet_search.search.messages import EpochDone, Measuring, Orders, Ready, Setup, Trouble
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
        self.log = log
        self.ready: Ready | None = None
        self.held: dict[int, Held] = {}
        self.structures: set[Structure] = set()  # of all trials that it ever held: it has their programs
        self.early = 0  # about how many of its trials end per epoch before their time
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
                [sys.executable, "-m", "lenet_search.search.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # never written to: it closes when this process ends
                stdout=output,
                stderr=output,
                env={**os.environ, **own, **self.place.environment()},
                start_new_session=True,  # Ctrl-C is the parent's affair
            )

    def hold(self, held: Held) -> None:
        """Note a trial that it is about to be told to train."""
        self.held[held.number] = held
        self.structures.add(held.structure)

    @property
    def idle(self) -> bool:
        """Whether it is up and waits for orders."""
        return self.ready is not None and not self.held

    def tell(self, message: Setup | Orders) -> None:
        """Send a message. A worker that has died is noticed when it is listened to."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def listen(self) -> Ready | Measuring | EpochDone | Trouble | None:
        """The next message; None when the worker has died."""
        try:
            message: Any = self.pipe.recv()
        except (EOFError, OSError):
            return None
        assert isinstance(message, Ready | Measuring | EpochDone | Trouble)
        return message

    def kill(self) -> None:
        """End the process now. There is nothing in it that wants saving."""
        self._process.kill()
        self._process.wait()
        self.pipe.close()
        assert self._process.stdin is not None
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
        return f"a worker failed: {lines[-1][:300]}" if lines else f"a worker left with code {code}"


def _memory_hint(number: int) -> str:
    return " (out of memory?)" if number == signal.SIGKILL else ""
