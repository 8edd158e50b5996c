"""The processes of a crew: one worker per place, replaced when it dies or has compiled too many programs."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lenet_search.crew.messages import Setup
from lenet_search.crew.places import Place, places
from lenet_search.crew.process import WorkerProcess
from lenet_search.look.progress import View

# TensorFlow frees no compiled program, so a worker that has compiled this many is replaced. While its
# successor starts (2.5 s) it compiles about six more, after which its memory is within a tenth of what it
# was after 20 (measured 2026-11; docs/performance.md has what it costs).
MOST_PROGRAMS = 17


class Staff:
    """Workers, at most one per place; a retiring worker may run beside its successor.

    Args:
        where: the places
        setup: what workers need to know; places set the threads, and the first worker determines the precision
        cores: number of cores to use if the GPUs cannot be used
        count: requested number of workers, None to suit the device
    """

    def __init__(self, where: Sequence[Place], setup: Setup, cores: int, count: int | None) -> None:
        self.logs = Path(tempfile.mkdtemp(prefix="lenet-search-"))
        self.all: list[WorkerProcess] = []
        self.deaths = 0  # during the whole command
        self.probing = setup.probe  # whether the precision is still to be determined
        self._places = list(where)
        self._setup = setup
        self._cores = cores
        self._count = count
        self._started = 0
        self._announced = False

    @property
    def active(self) -> list[WorkerProcess]:
        """The workers that get new runs."""
        return [worker for worker in self.all if not worker.retiring]

    def start(self, needed: int) -> None:
        """Start missing workers, up to `needed` in all."""
        while len(self.active) < min(len(self._places), needed):
            free = list(self._places)
            for worker in self.active:
                free.remove(worker.place)
            self._started += 1
            probe = self.probing and not any(worker.setup.probe for worker in self.active)
            setup = replace(self._setup, threads=free[0].threads, probe=probe)
            self.all.append(WorkerProcess(free[0], setup, self.logs / f"worker-{self._started}.log"))

    def announce(self, view: View) -> None:
        """Say once that workers are starting, which takes seconds."""
        if self.all and not self._announced:
            self._announced = True
            view.opening("Workers", f"starting {len(self.all)}")

    def sharing(self, worker: WorkerProcess) -> int:
        """How many workers share this worker's device."""
        return sum(place.gpu == worker.place.gpu for place in self._places)

    def remove(self, worker: WorkerProcess) -> None:
        """End a worker's process."""
        worker.kill()
        self.all.remove(worker)

    def without_gpus(self) -> None:
        """End all workers, and use the CPU's cores as places from now on."""
        for worker in list(self.all):
            self.remove(worker)
        self._places = places(self._count, [], self._cores)

    def close(self) -> None:
        """End all workers. Their logs are kept if a worker has died."""
        for worker in list(self.all):
            self.remove(worker)
        if not self.deaths:
            shutil.rmtree(self.logs, ignore_errors=True)
