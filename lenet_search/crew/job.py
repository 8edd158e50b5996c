"""A job: a run in the hands of a crew. And what a crew asks of whoever decides which run comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lenet_search.crew.messages import Load, RunEpoch, Tested, Testing
from lenet_search.frozen import SlotState
from lenet_search.look.progress import Standing
from lenet_search.run import Run
from lenet_search.structure import Structure

if TYPE_CHECKING:
    from lenet_search.crew.process import WorkerProcess


@dataclass(eq=False)
class Job:
    """A run to be trained to its end.

    number     by which crew and workers call it; no other job of the crew has it
    name       for people: "trial 12"
    structure  of the run's recipe
    model      whether its model's file is wanted at the end
    cohort     whether it begins at clock 0 in a stack of its own, so that it can be compared in pairs
    state      from which it goes on: that after `frozen` epochs, None at the beginning
    """

    number: int
    name: str
    run: Run
    structure: Structure
    cohort: bool = False
    model: bool = False
    state: SlotState | None = None
    frozen: int = 0
    alone: bool = False  # must not be trained beside others: it may be what killed a worker
    suspected: int = 0  # how often a worker has died with it and others
    kills: int = 0  # how often a worker has died with it alone

    @property
    def epochs_left(self) -> int:
        """Epochs that are still to come, the one in training included."""
        return self.run.recipe.train.epochs - self.run.epochs

    def load(self) -> Load:
        """The order to go on with it where it was frozen last."""
        self.run.back_to(self.frozen)
        clock = self.frozen if self.cohort else None
        return Load(self.number, self.run.recipe.values(), self.run.seed, clock, self.frozen, self.state, self.model)

    def froze(self, epochs: int, state: SlotState) -> None:
        """Note its state after so many epochs."""
        self.frozen, self.state = epochs, state


class Decider(Protocol):
    """Decides which run is trained next, and hears what comes of each. All calls come from one thread."""

    def wanted(self) -> int:
        """How many runs could begin now, or go on."""

    def is_short(self, workers: "Sequence[WorkerProcess]") -> bool:
        """Whether `ask` is wanted: to prepare, while the workers train, what they will ask for soon."""

    def ask(self) -> None:
        """Prepare a run."""

    def can_deal(self, worker: "WorkerProcess", workers: "Sequence[WorkerProcess]", room: int, leaving: int) -> bool:
        """Whether `deal` has all that it would deal; else it is better told first which runs have ended."""

    def deal(
        self, worker: "WorkerProcess", workers: "Sequence[WorkerProcess]", room: int, leaving: int
    ) -> Sequence[Job]:
        """New runs for a worker that has `room`, and that `leaving` of its runs are about to leave."""

    def take_back(self, job: Job) -> None:
        """A run that was dealt and is to be dealt again, before others; to whom does not matter."""

    def report(self, job: Job, epoch: RunEpoch) -> bool:
        """A run has done an epoch; whether to give it up."""

    def ended(self, job: Job, last: RunEpoch) -> Testing | None:
        """A run is over: with its weights or its model, or without, where it was given up or has diverged.

        Gives the model that is to be measured on the test set, if any is.
        """

    def refused(self, job: Job, reason: str) -> None:
        """A run cannot be trained here."""

    def froze(self, job: Job) -> None:
        """A run's state was renewed: keep it."""

    def tested(self, done: Tested) -> None:
        """A model was measured."""

    def settled(self, precision: str) -> str:
        """The crew has found out what "auto" means as a precision; gives what it is to mean in this command."""

    def attend(self) -> None:
        """Called several times a second: heartbeats, what other runs left behind."""

    def flush(self) -> None:
        """Called when the worker that was answered trains again: write down what could wait."""

    def give_back(self, jobs: Sequence[Job]) -> None:
        """The crew ends; these jobs are not over, nor is what was prepared."""

    def standing(self) -> Standing:
        """How far it is, for people."""
