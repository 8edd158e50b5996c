"""What a view of a command's progress is told, and the view that shows nothing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Running:
    """A run in a slot: `values` holds its metric after each epoch so far, `part` is the share done of the present one.

    `part` is 0 where nobody knows, as in epochs that take a second.
    """

    name: str  # "trial 12"
    epochs: int
    values: Sequence[float]
    node: str = ""  # where it runs, unless on this machine
    part: float = 0.0


@dataclass(frozen=True)
class Best:
    """The best complete trial so far; `params` are its searched hyperparameters only."""

    number: int
    value: float
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """How far a study or an experiment is, those parts included that other processes or earlier commands did."""

    name: str
    metric: str
    total: int
    complete: int = 0
    pruned: int = 0
    failed: int = 0
    interrupted: int = 0  # that wait for being resumed
    running: int = 0  # here and in other processes
    best: Best | None = None
    bests: Sequence[float] = field(default=())  # the best value after each complete trial, oldest first
    maximize: bool = True  # whether higher values of the metric are better
    unit: str = "trial"  # what is counted
    epochs: tuple[int, int] = (0, 0)  # of all runs: those that are over or wait have done, and the total, if known

    @property
    def done(self) -> int:
        """How many are over."""
        return self.complete + self.pruned


@dataclass(frozen=True)
class Progress:
    """Where a command stands. `running` and the rates are this command's own."""

    standing: Standing
    running: Sequence[Running] = ()
    units: int | None = None  # trials that those in `running` are, or are parts of; None: each is one
    other: int = 0  # that run in other processes or on other machines
    starting: int = 0  # workers that are not up yet
    seconds: float = 0.0
    seconds_left: float | None = None  # None as long as nobody can tell
    per_hour: float = 0.0  # trials or runs
    images_per_second: float = 0.0

    @property
    def count(self) -> int:
        """How many trials or runs are running here."""
        return len(self.running) if self.units is None else self.units

    @property
    def leader(self) -> Running | None:
        """The running trial whose last epoch was the best of all; None if there is none, or a list is trained."""
        measured = [run for run in self.running if run.values and math.isfinite(run.values[-1])]
        if self.standing.unit != "trial" or not measured:
            return None
        sign = 1.0 if self.standing.maximize else -1.0
        return max(measured, key=lambda run: sign * run.values[-1])

    @property
    def part(self) -> float:
        """The share done of the present epochs, averaged over the running ones; 0 where nobody knows."""
        return sum(run.part for run in self.running) / max(1, len(self.running))

    @property
    def epochs(self) -> tuple[int, int]:
        """How many epochs all runs together have done, and their total; (0, 0) for a search."""
        done, total = self.standing.epochs
        return (done + sum(len(run.values) for run in self.running), total) if total else (0, 0)


class View(Protocol):
    """Shows progress to a person. All calls come from one thread, `close` last and exactly once."""

    @property
    def gone(self) -> bool:
        """Whether nobody can read it any more, so that the command should end."""

    def opening(self, title: str, text: str) -> None:
        """A line of what the command is going to do."""

    def update(self, progress: Progress) -> None:
        """The current state; called a few times per second."""

    def ended(self, name: str, state: str, detail: str) -> None:
        """A run ended: `state` is "complete", "pruned" or "failed"; `detail` its value or the reason."""

    def note(self, text: str) -> None:
        """A message for the user."""

    def close(self) -> None:
        """It is over: leave the terminal as it was."""


class Silent:
    """Shows nothing."""

    gone = False

    def opening(self, title: str, text: str) -> None:
        """Nothing."""

    def update(self, progress: Progress) -> None:
        """Nothing."""

    def ended(self, name: str, state: str, detail: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
