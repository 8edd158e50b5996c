"""A worker as its parent sees it: a process, a pipe, a log file, and the runs that it holds."""

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

PACKAGE = Path(__file__).parents[1]
# Imports this very package, though another may be installed, and what it needs from where Python finds it: the standard
# library comes before other packages. The folder of the package is the last place to look.
START = """
import importlib.util, os, sys
sys.path.append(os.path.dirname(sys.argv[1]))
spec = importlib.util.spec_from_file_location("lenet_search", os.path.join(sys.argv[1], "__init__.py"))
sys.modules["lenet_search"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["lenet_search"])
from lenet_search.crew.worker import main
main(int(sys.argv[2]))
"""
# A warning is no error in a worker, and nobody looks into it when it ends.
NOT_FOR_WORKERS = frozenset({"PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONSTARTUP"})


class WorkerProcess:
    """Starts a worker, as a plain subprocess: scripts and notebooks need no `__main__` guard.

    Args:
        place: the worker's device
        setup: what the worker needs to know
        log: file for its output, including TensorFlow's or JAX's
    """

    def __init__(self, place: Place, setup: Setup, log: Path) -> None:
        self.place = place
        self.setup = setup
        self.log = log
        self.up: Ready | None = None  # its latest message about its device
        self.ready: Ready | None = None  # the same, once it can receive runs
        self.measuring = False  # whether it was asked to measure the size of its stacks
        self.held: dict[int, Job] = {}
        self.testing: dict[int, Testing] = {}
        self.structures: set[Structure] = set()  # of all runs it ever held: it has compiled their programs
        self.early = 0  # estimate of how many of its runs end early per epoch
        self.programs = 0  # number of programs it has compiled
        self.retiring = False  # gets no new runs; another worker will replace it
        self.freeze_at = math.inf  # when copies of its runs' states are due, on the monotonic clock
        self.leave_at = math.inf  # when it must leave if it retires, even with runs
        self.pipe, theirs = Pipe()
        self._start(theirs)
        self.tell(setup)

    def _start(self, theirs: "Connection[Any, Any]") -> None:
        """Start the process at the other end of the pipe."""
        with self.log.open("ab") as output, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(PACKAGE), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # closes when this process ends; a byte asks the worker to freeze and leave
                stdout=output,
                stderr=output,
                env={**_environment(), **self.place.environment()},
                start_new_session=True,  # only the parent handles Ctrl-C
            )

    def hold(self, job: Job) -> None:
        """Record a run that the worker is about to receive."""
        self.held[job.number] = job
        self.structures.add(job.structure)

    @property
    def idle(self) -> bool:
        """Whether the worker is up and waiting for orders."""
        return self.ready is not None and not self.held

    def tell(self, message: Setup | Orders) -> None:
        """Send a message. If the worker has died, `listen` notices."""
        with contextlib.suppress(OSError):
            self.pipe.send(message)

    def listen(self) -> FromWorker | None:
        """The next message, or None if the worker has died."""
        try:
            message: Any = self.pipe.recv()
        except (EOFError, OSError):
            return None
        assert isinstance(message, FromWorker)
        return message

    def ask_to_leave(self) -> None:
        """Ask the worker to freeze its runs and leave. Its last message is a `Froze`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"!")
            self._process.stdin.flush()

    def kill(self) -> None:
        """End the process now, without saving anything."""
        self._process.kill()
        self._process.wait()
        self.pipe.close()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # the worker may have left a byte unread
            self._process.stdin.close()

    def last_words(self) -> str:
        """Why a worker died: the signal that killed it, or the last line of its log."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "a worker stopped responding"
        if code < 0:
            return f"a worker was killed by {signal.Signals(-code).name}" + _memory_hint(-code)
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return f"a worker failed: {lines[-1][:300]}" if lines else f"a worker exited with code {code}"


def _environment() -> dict[str, str]:
    """This process's environment, without what would change how Python runs a worker.

    Folders of PYTHONPATH are kept, unless they are relative: the working folder may hold a `random.py` or `queue.py`.
    """
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_WORKERS}
    folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(folder)]
    environment |= {"PYTHONPATH": os.pathsep.join(folders), "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    if (keras := sys.modules.get("keras")) is not None:  # a notebook may have chosen by keras.config
        environment["KERAS_BACKEND"] = keras.config.backend()
    return environment


def _memory_hint(number: int) -> str:
    return " (out of memory?)" if number == signal.SIGKILL else ""
