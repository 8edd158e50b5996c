"""The supply of new trials, drawn while the workers train, so that no worker waits for the sampler.

With 10,000 stored trials, TPE takes about 0.2 s per trial. Drawing a trial one epoch early costs no worker's time, and
misses only the results of the last epoch; trials that train side by side are drawn without each other's results anyway.

If trials differ in structure, a worker takes the one that suits it best. Stacks are then fuller, and fewer programs
are compiled, than if workers took the next trial.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from lenet_search.crew.handle import WorkerHandle
from lenet_search.search.ledger import Ledger
from lenet_search.search.replicates import TrialJob
from lenet_search.structure import Structure

FIRST_SLOTS = 4  # trials drawn ahead for each worker while it starts: the default stack on a CPU
SLOWER = 1000  # draw one epoch earlier per this many ended trials: TPE takes 20 to 30 ms per 1,000


class Supply:
    """Runs of trials that are drawn but not dealt yet; the trials count as running."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ahead: list[TrialJob] = []
        self._structures: set[Structure] = set()

    def __len__(self) -> int:
        return len(self._ahead)

    @property
    def mixed(self) -> bool:
        """Whether trials so far had more than one structure."""
        return len(self._structures) > 1

    def untouched(self) -> int:
        """How many trials have no run dealt yet."""
        ahead = Counter(job.replicates for job in self._ahead)
        return sum(count == len(replicates.pending) for replicates, count in ahead.items())

    def wanted(self) -> int:
        """How many runs could start now."""
        return len(self._ahead) + self._ledger.definition.seeds.first * self._ledger.wanted()

    def is_short(self, target: int) -> bool:
        """Whether fewer than `target` runs are ready, and the study needs more."""
        return len(self._ahead) < target and self._ledger.wanted() > 0

    def ask(self) -> None:
        """Ask for one trial, with all its runs; there is none if another parent took the last."""
        job = self._ledger.ask()
        if job is not None:
            self._structures.add(job.structure)
            self._ahead += job.replicates.pending

    def take(self, suits: Callable[[Structure], int] = lambda structure: 0, room: float = math.inf) -> TrialJob | None:
        """The run that suits best, or the oldest of several that do; None if there is none.

        A trial with more runs than `room` waits, unless some of them are dealt already: where trials are pruned, all
        runs of a trial are to get on together. Those that a promising trial gets in addition need not.
        """
        if not self._ahead:
            self.ask()
        beside = Counter(job.replicates for job in self._ahead)
        fitting = [
            place
            for place, job in enumerate(self._ahead)
            if beside[job.replicates] <= room
            or beside[job.replicates] < len(job.replicates.pending)
            or job.replicates.is_added(job)
        ]
        if not fitting:
            return None
        return self._ahead.pop(max(fitting, key=lambda place: suits(self._ahead[place].structure)))

    def take_back(self, job: TrialJob) -> None:
        """Put a run at the head of the supply."""
        self._ahead.insert(0, job)

    def give_back(self) -> list[TrialJob]:
        """Empty the supply, and return its runs."""
        jobs = list(self._ahead)
        self._ahead.clear()
        return jobs

    def needed_soon(self, workers: Sequence[WorkerHandle], slots: int) -> int:
        """Estimate how many slots will be free when the workers next report.

        These are the slots of trials in their last epoch, as many as recently ended early, and all slots of starting
        workers. Sampling slows down as trials end, so with many ended trials, drawing starts epochs earlier: a stack
        whose trials all end together must find new ones. If trials differ in structure, as many more are drawn as
        all stacks have slots, to choose from.

        Args:
            workers: the active workers
            slots: number of slots of a stack
        """
        epochs = 1 + self._ledger.ended() // SLOWER
        starting = sum(worker.ready is None for worker in workers)
        needed = (starting + self.mixed * len(workers)) * slots
        for worker in workers:
            needed += worker.early + worker.ending(epochs)
        return needed


def fair_share(room: int, wanted: int, here: int, everywhere: int, workers: int) -> int:
    """How many of `wanted` new trials a worker takes if it holds `here` trials and has `room` for more.

    Running (`everywhere`) and wanted trials are divided evenly among workers, so that all workers finish together.
    """
    return min(room, wanted, max(0, math.ceil((wanted + everywhere) / workers) - here))


def suitability(
    structure: Structure, running: Collection[Structure], ready: set[Structure], others: set[Structure], slots: int
) -> int:
    """How well a trial suits a worker; larger is better.

    Args:
        structure: structure of the trial
        running: structures of the trials that the worker holds
        ready: structures for which the worker has a program
        others: structures for which another worker has a program
        slots: number of slots of a stack
    """
    beside = sum(other == structure for other in running)
    if beside >= slots:
        return 0  # it would wait
    if beside:
        return 3  # fills up a running stack
    if structure in ready:
        return 2  # nothing to compile
    return 0 if structure in others else 1
