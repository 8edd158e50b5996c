"""The interface of progress views, and a view that shows nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class RunningTrial:
    """A trial in a slot. `values` contains its metric after each epoch so far."""

    number: int
    epochs: int
    values: Sequence[float]


@dataclass(frozen=True)
class Best:
    """The best complete trial so far; `params` are its searched hyperparameters only."""

    number: int
    value: float
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """The state of a search. Counts cover the whole study; `running` and the rates only this process."""

    study: str
    metric: str
    total: int
    complete: int = 0
    pruned: int = 0
    failed: int = 0
    elsewhere: int = 0  # trials that run in other processes or on other machines
    running: Sequence[RunningTrial] = ()
    best: Best | None = None
    bests: Sequence[float] = field(default=())  # the best value after each complete trial, oldest first
    seconds: float = 0.0
    seconds_left: float | None = None  # None while it cannot be estimated
    trials_per_hour: float = 0.0
    images_per_second: float = 0.0


class View(Protocol):
    """Shows a search to a person. All calls come from one thread, `close` last and exactly once."""

    def opening(self, title: str, text: str) -> None:
        """One line of the plan."""

    def update(self, progress: Progress) -> None:
        """The current state; called a few times per second."""

    def ended(self, number: int, state: str, detail: str) -> None:
        """A trial ended: `state` is "complete", "pruned" or "failed"; `detail` its value or the reason."""

    def note(self, text: str) -> None:
        """A message for the user."""

    def close(self) -> None:
        """The search is over: restore the terminal."""


class Silent:
    """Shows nothing."""

    def opening(self, title: str, text: str) -> None:
        """Nothing."""

    def update(self, progress: Progress) -> None:
        """Nothing."""

    def ended(self, number: int, state: str, detail: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
