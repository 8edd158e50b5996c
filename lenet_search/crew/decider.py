"""A decider chooses which run a crew trains next, and hears what came of each."""

from collections.abc import Sequence
from typing import Protocol

from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.job import Job
from lenet_search.crew.messages import RunEpoch, Tested, Testing
from lenet_search.look.progress import Standing


class Decider(Protocol):
    """Decides which run is trained next, and hears how runs end. All calls come from one thread."""

    def wanted(self) -> int:
        """How many runs could start or resume now."""

    def is_short(self, workers: Sequence[WorkerHandle]) -> bool:
        """Whether to call `ask`, to prepare runs while the workers train."""

    def ask(self) -> None:
        """Prepare a run."""

    def can_deal(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> bool:
        """Whether enough runs are prepared for `deal`. If not, `ended` is called first."""

    def deal(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> Sequence[Job]:
        """Up to `room` new runs for a worker; `leaving` of its present runs are about to leave."""

    def take_back(self, job: Job) -> None:
        """Take back a run, to be dealt again before others, to any worker."""

    def report(self, job: Job, epoch: RunEpoch) -> bool:
        """Hear of a run's epoch; returns whether to give the run up."""

    def ended(self, job: Job, last: RunEpoch) -> Testing | None:
        """Hear of the end of a run.

        Args:
            job: the run
            last: its last epoch, with weights or model unless the run was given up or diverged

        Returns:
            The model to measure on the test set, if any.
        """

    def refused(self, job: Job, reason: str) -> None:
        """Hear that a run cannot be trained here."""

    def froze(self, job: Job) -> None:
        """Keep the new copy of a run's state."""

    def tested(self, done: Tested) -> None:
        """Receive the result of a test."""

    def settled(self, precision: str) -> str:
        """Settle the meaning of precision "auto" for this command.

        Args:
            precision: the best one on this device
        """

    def attend(self) -> None:
        """Called several times a second: send heartbeats, adopt trials that ended processes left behind."""

    def flush(self) -> None:
        """Write down what could wait; called once the workers train again that have reported."""

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Take back unfinished jobs, and release prepared ones, because the crew ends."""

    def standing(self) -> Standing:
        """The current state, for people."""
