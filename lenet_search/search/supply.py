"""The supply of new trials: asked for while the workers train, so that none waits for the sampler.

At 10,000 stored trials TPE takes some 0.2 s for a trial. Drawn one epoch earlier it costs no worker's time, and knows
all but the last epoch's ends; those who train side by side are drawn without knowing each other's anyway.

Where trials differ in structure, a worker takes the one that suits it best of those that are there: stacks are fuller
and fewer programs are compiled than if each took the next.
"""

import math
from collections.abc import Callable, Collection

from lenet_search.search.ledger import Held, Ledger
from lenet_search.structure import Structure


class Supply:
    """Trials of a ledger that are asked for and nobody's yet; they count as running."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ahead: list[Held] = []
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
        """Ask for one trial; none comes when another run took the last."""
        held = self._ledger.ask()
        if held is not None:
            self._structures.add(held.structure)
            self._ahead.append(held)

    def take(self, suits: Callable[[Structure], int] = lambda structure: 0) -> Held | None:
        """The trial that suits best, of equals the one that was asked for first; None when there is none."""
        if not self._ahead:
            self.ask()
        if not self._ahead:
            return None
        return self._ahead.pop(max(range(len(self._ahead)), key=lambda i: suits(self._ahead[i].structure)))

    def give_back(self) -> list[int]:
        """Nobody will take these; their numbers."""
        numbers = [held.number for held in self._ahead]
        self._ahead.clear()
        return numbers


def fair_share(room: int, wanted: int, here: int, everywhere: int, workers: int) -> int:
    """How many of `wanted` new trials a worker takes that holds `here` and has `room`, so that all end together.

    All workers' trials, the `everywhere` that run and the wanted, are dealt out evenly.
    """
    return min(room, wanted, max(0, math.ceil((wanted + everywhere) / workers) - here))


def suitability(
    structure: Structure, running: Collection[Structure], ready: set[Structure], elsewhere: set[Structure], slots: int
) -> int:
    """How well a trial of this structure suits a worker; larger is better.

    Args:
        structure: the trial's
        running: of each trial that the worker holds
        ready: those that the worker has a program for
        elsewhere: those that another worker has a program for
        slots: of one stack
    """
    beside = sum(other == structure for other in running)
    if beside >= slots:
        return 0  # it would wait
    if beside:
        return 3  # fills up a stack that runs anyway
    if structure in ready:
        return 2  # nothing to compile
    return 0 if structure in elsewhere else 1
