"""A job: a run that a crew trains."""

from dataclasses import dataclass

from lenet_search.crew.messages import Load
from lenet_search.frozen import SlotState
from lenet_search.run import Run
from lenet_search.structure import Structure


@dataclass(eq=False)
class Job:
    """A run to train to its end.

    number     identifies the job among all jobs of the crew
    name       for people: "trial 12"
    structure  structure of the run's recipe
    cohort     whether it starts at clock 0 in a stack of its own, to be compared in pairs
    model      whether to write its model's file at the end
    unit       number of what it is a part of, in the decider's total; None: it is a whole
    share      which part of that unit it is
    state      state after `frozen` epochs, from which it resumes; None at the beginning
    """

    number: int
    name: str
    run: Run
    structure: Structure
    cohort: bool = False
    model: bool = False
    unit: int | None = None
    share: float = 1.0
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
        return Load(self.number, self.run.recipe.values(), self.run.seed, clock, self.frozen, self.state, self.model)

    def froze(self, epochs: int, state: SlotState) -> None:
        """Record its state after `epochs` epochs."""
        self.frozen, self.state = epochs, state
