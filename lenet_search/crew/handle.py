"""A worker as its crew sees it: what it holds, what it has compiled, and the way to it."""

import contextlib
import math
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.crew.job import Job
from lenet_search.crew.launcher import Death, Link
from lenet_search.crew.messages import FromWorker, Orders, Ready, Setup, Testing
from lenet_search.crew.places import Place
from lenet_search.structure import Structure


class WorkerHandle:
    """A worker that has just been started; it is told its `setup`.

    Args:
        place: the worker's device
        setup: what the worker needs to know
        link: the way to it
        log: file for its output
    """

    def __init__(self, place: Place, setup: Setup, link: Link, log: Path) -> None:
        self.place = place
        self.setup = setup
        self.log = log
        self.up: Ready | None = None  # its latest message about its device
        self.ready: Ready | None = None  # the same, once it can receive runs
        self.measuring = False  # whether it was asked to measure the size of its stacks
        self.held: dict[int, Job] = {}
        self.given_up: dict[int, Job] = {}  # given up, but in their slots until its next orders
        self.testing: dict[int, Testing] = {}
        self.structures: set[Structure] = set()  # of all runs it ever held: it has compiled their programs
        self.parts: dict[int, float] = {}  # the share of their present epoch that runs have trained, where it is known
        self.heard = 0  # number of epochs that its stack has completed
        self.early = 0  # how many of its runs end early: on a GPU `given_up`, else an estimate per epoch
        self.programs = 0  # number of programs it has compiled
        self.retiring = False  # gets no new runs; another worker will replace it
        self.freeze_at = math.inf  # when copies of its runs' states are due, on the monotonic clock
        self.leave_at = math.inf  # when it must leave if it retires, even with runs
        self._left: tuple[tuple[int, int], np.ndarray] = (0, 0), np.zeros(0, int)
        self._link = link
        self.tell(setup)

    @property
    def pipe(self) -> "Connection[Any, Any]":
        """Has something to `listen` to when `multiprocessing.connection.wait` says so."""
        return self._link.pipe

    def hold(self, job: Job) -> None:
        """Record a run that the worker is about to receive."""
        self.held[job.number] = job
        self.structures.add(job.structure)

    @property
    def idle(self) -> bool:
        """Whether the worker is up and waiting for orders."""
        return self.ready is not None and not self.held and not self.given_up

    def epochs_left(self) -> np.ndarray:
        """Epochs still to come of each of its runs, the current one included, in ascending order."""
        moment = self.heard, len(self.held)  # a parent of many workers asks far more often than this changes
        if self._left[0] != moment:
            self._left = moment, np.sort([job.epochs_left for job in self.held.values()])
        return self._left[1]

    def tell(self, message: Setup | Orders) -> None:
        """Send a message. If the worker has died, `listen` notices."""
        with contextlib.suppress(OSError):
            self._link.send(message)

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
        self._link.ask_to_leave()

    def kill(self) -> None:
        """End the worker now, without saving anything."""
        self._link.kill()

    def death(self) -> Death:
        """Why the worker died."""
        return self._link.death()
