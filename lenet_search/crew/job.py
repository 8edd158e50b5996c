"""A job is a run that a crew trains. A decider chooses the jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lenet_search.crew.messages import Finished, Finishing, Load, RunEpoch
from lenet_search.frozen import SlotState
from lenet_search.look.progress import Standing
from lenet_search.run import Run
from lenet_search.structure import Structure

if TYPE_CHECKING:
    import numpy as np

    from lenet_search.crew.process import WorkerProcess


@dataclass(eq=False)
class Job:
    """A run to train to its end.

    number     identifies the job among all jobs of the crew
    name       for people: "trial 12"
    structure  structure of the run's recipe
    cohort     whether it starts at clock 0 in a stack of its own, to be compared in pairs
    state      state after `frozen` epochs, from which it resumes; None at the beginning
    """

    number: int
    name: str
    run: Run
    structure: Structure
    cohort: bool = False
    state: SlotState | None = None
    frozen: int = 0
    alone: bool = False  # must not train beside others: it may have killed a worker
    suspected: int = 0  # number of workers that died with this and other jobs
    kills: int = 0  # number of workers that died with this job alone

    @property
    def epochs_left(self) -> int:
        """Epochs still to come, including the current one."""
        return self.run.recipe.train.epochs - self.run.epochs

    def load(self) -> Load:
        """The order to resume it from its last frozen state."""
        self.run.back_to(self.frozen)
        clock = self.frozen if self.cohort else None
        return Load(self.number, self.run.recipe.values(), self.run.seed, clock, self.frozen, self.state)

    def froze(self, epochs: int, state: SlotState) -> None:
        """Record its state after `epochs` epochs."""
        self.frozen, self.state = epochs, state


class Decider(Protocol):
    """Decides which run is trained next, and hears how runs end. All calls come from one thread."""

    def wanted(self) -> int:
        """How many runs could start or resume now."""

    def is_short(self, workers: "Sequence[WorkerProcess]") -> bool:
        """Whether to call `ask`, to prepare runs while the workers train."""

    def ask(self) -> None:
        """Prepare a run."""

    def can_deal(self, worker: "WorkerProcess", workers: "Sequence[WorkerProcess]", room: int, leaving: int) -> bool:
        """Whether enough runs are prepared for `deal`. If not, `ended` is called first."""

    def deal(
        self, worker: "WorkerProcess", workers: "Sequence[WorkerProcess]", room: int, leaving: int
    ) -> Sequence[Job]:
        """Up to `room` new runs for a worker; `leaving` of its present runs are about to leave."""

    def take_back(self, job: Job) -> None:
        """Take back a run, to be dealt again before others, to any worker."""

    def report(self, job: Job, epoch: RunEpoch) -> bool:
        """Hear of a run's epoch; returns whether to give the run up."""

    def ended(self, job: Job, weights: "Mapping[str, np.ndarray] | None") -> Finishing | None:
        """Hear of the end of a run.

        Args:
            job: the run
            weights: weights of a complete run; None if it was given up or diverged

        Returns:
            What a worker is to make of the run, if anything.
        """

    def refused(self, job: Job, reason: str) -> None:
        """Hear that a run cannot be trained here."""

    def froze(self, job: Job) -> None:
        """Keep the new copy of a run's state."""

    def finished(self, done: Finished) -> None:
        """Receive what `ended` asked a worker to make."""

    def settled(self, precision: str) -> str:
        """Settle the meaning of precision "auto" for this command.

        Args:
            precision: the best one on this device
        """

    def attend(self) -> None:
        """Called several times a second: send heartbeats, adopt trials that ended processes left behind."""

    def flush(self) -> None:
        """Write down what could wait; called once the worker trains again."""

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Take back unfinished jobs, and release prepared ones, because the crew ends."""

    def standing(self) -> Standing:
        """The current state, for people."""
