"""The supply of new trials: asked for while the workers train, so that none waits for the sampler.

At 10,000 stored trials TPE takes some 0.2 s for a trial. Drawn one epoch earlier it costs no worker's time, and knows
all but the last epoch's ends; those who train side by side are drawn without knowing each other's anyway.

Where trials differ in structure, a worker takes the one that suits it best of those that are there: stacks are fuller
and fewer programs are compiled than if each took the next.
"""

import math
from collections.abc import Callable, Collection, Sequence

from lenet_search.crew.process import WorkerProcess
from lenet_search.search.ledger import Ledger, TrialJob
from lenet_search.structure import Structure

FIRST_SLOTS = 4  # trials that are asked ahead for each worker while it starts: a CPU's default stack
SLOWER = 1000  # ended trials for which trials are asked for one epoch earlier: TPE takes 20 to 30 ms per 1,000


class Supply:
    """Trials of a ledger that are asked for and nobody's yet; they count as running."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ahead: list[TrialJob] = []
        self._structures: set[Structure] = set()

    def __len__(self) -> int:
        return len(self._ahead)

    @property
    def mixed(self) -> bool:
        """Whether trials so far were of several structures."""
        return len(self._structures) > 1

    def wanted(self) -> int:
        """How many trials could begin now."""
        return len(self._ahead) + self._ledger.wanted()

    def is_short(self, target: int) -> bool:
        """Whether fewer than `target` are there, and more can be had."""
        return len(self._ahead) < target and self._ledger.wanted() > 0

    def ask(self) -> None:
        """Ask for one trial; none comes when another parent took the last."""
        job = self._ledger.ask()
        if job is not None:
            self._structures.add(job.structure)
            self._ahead.append(job)

    def take(self, suits: Callable[[Structure], int] = lambda structure: 0) -> TrialJob | None:
        """The trial that suits best, of equals the one that was asked for first; None when there is none."""
        if not self._ahead:
            self.ask()
        if not self._ahead:
            return None
        return self._ahead.pop(max(range(len(self._ahead)), key=lambda i: suits(self._ahead[i].structure)))

    def take_back(self, job: TrialJob) -> None:
        """A trial that was taken is nobody's again, and comes first."""
        self._ahead.insert(0, job)

    def give_back(self) -> list[TrialJob]:
        """Nobody will take these."""
        jobs = list(self._ahead)
        self._ahead.clear()
        return jobs

    def needed_soon(self, workers: Sequence[WorkerProcess], slots: int) -> int:
        """How many slots will be free when the workers are next heard of, whose stacks have so many.

        Of trials in their last epoch, as many more as lately ended early, and all of a worker that starts. A sampler
        takes the longer, the more trials have ended; then begin earlier, so that a stack whose trials all end together
        finds others. Where trials differ in structure, as many more as all stacks have slots, to choose from.
        """
        epochs = 1 + self._ledger.ended() // SLOWER
        starting = sum(worker.ready is None for worker in workers)
        needed = (starting + self.mixed * len(workers)) * slots
        for worker in workers:
            needed += worker.early
            needed += int(sum(max(0, epochs + 1 - job.epochs_left) for job in worker.held.values()) / epochs)
        return needed


def fair_share(room: int, wanted: int, here: int, everywhere: int, workers: int) -> int:
    """How many of `wanted` new trials a worker takes that holds `here` and has `room`, so that all end together.

    All workers' trials, the `everywhere` that run and the wanted, are dealt out evenly.
    """
    return min(room, wanted, max(0, math.ceil((wanted + everywhere) / workers) - here))


def suitability(
    structure: Structure, running: Collection[Structure], ready: set[Structure], others: set[Structure], slots: int
) -> int:
    """How well a trial of this structure suits a worker; larger is better.

    Args:
        structure: the trial's
        running: of each trial that the worker holds
        ready: those that the worker has a program for
        others: those that another worker has a program for
        slots: of one stack
    """
    beside = sum(other == structure for other in running)
    if beside >= slots:
        return 0  # it would wait
    if beside:
        return 3  # fills up a stack that runs anyway
    if structure in ready:
        return 2  # nothing to compile
    return 0 if structure in others else 1
