"""The workers of a crew: one per place, replaced when it dies or has compiled too many programs."""

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.launcher import Launcher
from lenet_search.crew.local import Local
from lenet_search.crew.messages import Setup
from lenet_search.crew.places import Place
from lenet_search.look.progress import View

# TensorFlow frees no compiled program, so a worker that has compiled this many is replaced. While its
# successor starts (2.5 s) it compiles about six more, after which its memory is within a tenth of what it
# was after 20 (measured 2026-11; docs/performance.md has what it costs).
MOST_PROGRAMS = 17


def hire(setup: Setup, workers: int | None, ray: str | None, view: View) -> "Staff":
    """The staff of a command.

    Args:
        setup: what workers need to know
        workers: number of workers; None: one per GPU, or one per core
        ray: address of a Ray cluster, or "auto", whose nodes train; None: this machine trains
        view: hears of the cluster

    Raises:
        RunError: there is no such cluster, or it cannot be used.
    """
    if ray is None:
        return Staff(Local(workers), setup)
    from lenet_search.crew.fleet.fleet import Fleet

    return Staff(Fleet(ray, workers, setup, view), setup)


class Staff:
    """Workers, at most one per place; a retiring worker may run beside its successor.

    Args:
        launcher: starts them
        setup: what workers need to know; places set the threads, the first worker determines the precision, and all
            share the runs
    """

    def __init__(self, launcher: Launcher, setup: Setup) -> None:
        self.logs = Path(tempfile.mkdtemp(prefix="lenet-search-"))
        self.all: list[WorkerHandle] = []
        self.deaths = 0  # during the whole command
        self.probing = setup.probe  # whether the precision is still to be determined
        self._launcher = launcher
        self._setup = setup
        self._started = 0
        self._announced = False

    @property
    def active(self) -> list[WorkerHandle]:
        """The workers that get new runs."""
        return [worker for worker in self.all if not worker.retiring]

    def start(self, needed: int) -> None:
        """Start missing workers, up to `needed` in all."""
        missing = max(0, min(self._launcher.most, needed) - len(self.active))
        for place in self._free()[:missing]:
            self._started += 1
            probe = self.probing and not any(worker.setup.probe for worker in self.active)
            runs = None if self._setup.runs is None else self._setup.runs // max(1, self._launcher.most)
            setup = replace(self._setup, threads=place.threads, probe=probe, runs=runs)
            log = self.logs / f"worker-{self._started}.log"
            self.all.append(WorkerHandle(place, setup, self._launcher.start(place, log), log))

    def _free(self) -> list[Place]:
        taken = Counter(worker.place for worker in self.active)
        free = []
        for place in self._launcher.places():
            if taken[place]:
                taken[place] -= 1
            else:
                free.append(place)
        return free

    def announce(self, view: View) -> None:
        """Say once that workers are starting, which takes seconds."""
        if self.all and not self._announced:
            self._announced = True
            view.opening("Workers", f"starting {len(self.all)}")

    def sharing(self, worker: WorkerHandle) -> int:
        """How many workers share this worker's device."""
        return sum(
            (place.node, place.gpu) == (worker.place.node, worker.place.gpu) for place in self._launcher.places()
        )

    def remove(self, worker: WorkerHandle) -> None:
        """End a worker."""
        worker.kill()
        self.all.remove(worker)

    def do_without(self, place: Place) -> tuple[str, list[WorkerHandle]]:
        """Use the GPU of a place no more: what is used instead, in words, and the workers that have to go.

        Raises:
            RunError: nothing is left.
        """
        said = self._launcher.do_without(place)
        left = set(self._launcher.places())
        return said, [worker for worker in self.all if worker.place not in left]

    def close(self) -> None:
        """End all workers. Their logs are kept if a worker has died."""
        for worker in list(self.all):
            self.remove(worker)
        self._launcher.close()
        if not self.deaths:
            shutil.rmtree(self.logs, ignore_errors=True)
