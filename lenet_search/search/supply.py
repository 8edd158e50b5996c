"""The supply of new trials: drawn while a GPU trains, so that it does not wait for the sampler, else when they are due.

With 10,000 stored trials, TPE takes 28 ms for a trial, and a GPU may need 64 of them at once, and again after 0.2 s. So
they are drawn ahead, a few per epoch, and as late as this allows: a trial that is drawn early misses the results of the
epochs in between. Trials that train side by side end together, so even in the last epoch all of theirs are missed, and
a search learns a generation later. A processor trains a few trials for a minute: it waits, and none is missed.

If trials differ in structure, a worker takes the one that suits it best. Stacks are then fuller, and fewer programs
are compiled, than if workers took the next trial.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import numpy as np

from lenet_search.crew.handle import WorkerHandle
from lenet_search.search.ledger import Ledger
from lenet_search.search.replicates import TrialJob
from lenet_search.structure import Structure

FIRST_SLOTS = 4  # trials drawn ahead for each worker while it starts: the default stack on a CPU
# Trials drawn within an epoch if there is a choice; 3 if 10,000 have ended, for which TPE takes 84 ms then (Xeon,
# 2026-11). It is no measured time: the worker's speed must not decide what is drawn.
QUICK, SLOWER = 36, 1000
FEW_WORKERS = 8  # that may wait for the sampler, on processors: more of them would wait for each other


class Supply:
    """Runs of trials that are drawn but not dealt yet; the trials count as running.

    Args:
        ledger: the study
        prunes: whether any trial may end at any epoch
    """

    def __init__(self, ledger: Ledger, *, prunes: bool = False) -> None:
        self._ledger = ledger
        self._prunes = prunes
        self._asked = 0  # number of trials asked for since a worker was last heard of
        self._heard = 0  # number of epochs of all workers then
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

    def is_short(self, workers: Sequence[WorkerHandle], slots: int) -> bool:
        """Whether to ask for a trial now.

        For a few processors, only those of workers that start, and those to choose from. Else, those that can
        start when the workers next report are asked for in any case: for each slot of a worker that starts, for runs in
        their last epoch, and for those that end early. Others are drawn ahead, a few per epoch: so many that the first
        rule will never need more than a few at once. During the first epoch, for which programs are compiled, they need
        not be few. If trials differ in structure, as many more are drawn as all stacks have slots, to choose from.

        Args:
            workers: the active workers
            slots: number of slots of a stack
        """
        heard = sum(worker.heard for worker in workers)
        if heard != self._heard:
            self._asked, self._heard = 0, heard
        if not self._ledger.wanted():
            return False
        starting = slots * sum(worker.ready is None for worker in workers)
        on_gpu = any(worker.place.gpu is not None for worker in workers)
        if not on_gpu and len(workers) <= FEW_WORKERS:
            return len(self._ahead) < starting + self.mixed * slots * len(workers)
        left = np.sort(np.concatenate([np.zeros(0, int), *(worker.epochs_left() for worker in workers)]))
        next_time = starting * (1 + self.mixed) + sum(worker.early for worker in workers) + np.sum(left <= 1)
        if len(self._ahead) < next_time:
            return True
        few = max(1, QUICK // (1 + self._ledger.ended() // SLOWER))
        if (heard or starting) and self._asked >= few:
            return False
        few *= self._ledger.definition.seeds.first
        later = max(later_needed(left, few), next_time + pruned_later(slots, few) if self._prunes else 0)
        return bool(len(self._ahead) < later + self.mixed * slots * len(workers))

    def ask(self) -> None:
        """Ask for one trial, with all its runs; there is none if another parent took the last."""
        self._asked += 1
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
        if not self.mixed:
            return self._ahead.pop(fitting[0])
        how_well = {structure: suits(structure) for structure in {self._ahead[place].structure for place in fitting}}
        return self._ahead.pop(max(fitting, key=lambda place: how_well[self._ahead[place].structure]))

    def take_back(self, job: TrialJob) -> None:
        """Put a run at the head of the supply."""
        self._ahead.insert(0, job)

    def give_back(self) -> list[TrialJob]:
        """Empty the supply, and return its runs."""
        jobs = list(self._ahead)
        self._ahead.clear()
        return jobs


def later_needed(left: np.ndarray, few: int) -> int:
    """How many runs must be ready now if few more per epoch are to be enough from now on.

    Args:
        left: epochs still to come of each running run, in ascending order: after as many, another takes its slot
        few: runs that can be added before the workers report, and after that for each epoch
    """
    return int(np.max(np.arange(1, len(left) + 1) - few * (left - 1), initial=0))


def pruned_later(slots: int, few: int) -> int:
    """How many runs must be ready so that `few` more per epoch are enough whatever a pruner does.

    It may give up a whole stack at once, half of those that follow an epoch later, half of the next, and so on.
    """
    epochs = np.arange(1, 1 + slots.bit_length())
    return max(0, math.ceil(float(np.max(slots * (2 - 0.5 ** (epochs - 1)) - few * epochs))))


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
