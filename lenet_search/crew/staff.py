"""The processes of a crew: a worker for each place, replaced when it has died, or has compiled too much."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lenet_search.crew.messages import Setup
from lenet_search.crew.places import Place, places
from lenet_search.crew.process import WorkerProcess

# A program that was compiled is never forgotten by TensorFlow. A worker that has compiled so many is replaced.
MOST_PROGRAMS = 24


class Staff:
    """Workers, at most one for each place; one that retires may still be there beside its successor.

    Args:
        where: the places
        setup: what workers need to know; their places give the threads, and the first finds out the precision
        cores: to fall back on, should the GPUs be of no use
        count: how many workers were asked for, None to suit the device
    """

    def __init__(self, where: Sequence[Place], setup: Setup, cores: int, count: int | None) -> None:
        self.logs = Path(tempfile.mkdtemp(prefix="lenet-search-"))
        self.all: list[WorkerProcess] = []
        self.deaths = 0  # in the whole command
        self.probing = setup.probe  # whether a precision is still to be found out
        self._places = list(where)
        self._setup = setup
        self._cores = cores
        self._count = count
        self._started = 0

    @property
    def active(self) -> list[WorkerProcess]:
        """Those that get new runs."""
        return [worker for worker in self.all if not worker.retiring]

    def start(self, needed: int) -> None:
        """Start the workers that are missing, but no more than are `needed`."""
        while len(self.active) < min(len(self._places), needed):
            free = list(self._places)
            for worker in self.active:
                free.remove(worker.place)
            self._started += 1
            probe = self.probing and not any(worker.setup.probe for worker in self.active)
            setup = replace(self._setup, threads=free[0].threads, probe=probe)
            self.all.append(WorkerProcess(free[0], setup, self.logs / f"worker-{self._started}.log"))

    def sharing(self, worker: WorkerProcess) -> int:
        """How many workers share its device."""
        return sum(place.gpu == worker.place.gpu for place in self._places)

    def remove(self, worker: WorkerProcess) -> None:
        """End a worker's process."""
        worker.kill()
        self.all.remove(worker)

    def without_gpus(self) -> None:
        """End all workers; from now on the processor's cores are the places."""
        for worker in list(self.all):
            self.remove(worker)
        self._places = places(self._count, [], self._cores)

    def close(self) -> None:
        """End all. The logs stay if a worker has died: somebody may want to read them."""
        for worker in list(self.all):
            self.remove(worker)
        if not self.deaths:
            shutil.rmtree(self.logs, ignore_errors=True)
