"""The supply of new trials: asked for while the workers train, so that none waits for the sampler.

At 10,000 stored trials TPE takes some 0.2 s for a trial. Drawn one epoch earlier it costs no worker's time, and knows
all but the last epoch's ends; those who train side by side are drawn without knowing each other's anyway.
"""

import math
from collections import deque

from lenet_search.search.ledger import Held, Ledger


class Supply:
    """Trials of a ledger that are asked for and nobody's yet; they count as running."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ahead: deque[Held] = deque()

    def __len__(self) -> int:
        return len(self._ahead)

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
            self._ahead.append(held)

    def take(self) -> Held | None:
        """The trial that was asked for first, or a new one; None when there is none."""
        return self._ahead.popleft() if self._ahead else self._ledger.ask()

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
