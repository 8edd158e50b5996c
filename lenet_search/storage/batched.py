"""Storages that keep back what is noted of trials, and write it at once: one write for what an epoch of a stack brings.

Others see what was kept back after `flush`, and before anything that they must see in order: a trial that begins, waits
or ends, an attribute of the study. Whoever keeps it back sees it immediately.
"""

import time
from abc import ABC, abstractmethod

SELDOM = 0.25  # seconds between two looks at a server, at least
SHARE = 0.2  # largest share of the time that such looks may take: between two machines, each can last a second


class Batched(ABC):
    """What a storage that writes in batches has in addition to Optuna's methods."""

    @abstractmethod
    def flush(self) -> None:
        """Write what was kept back: it survives this process from here on, and others see it."""

    @abstractmethod
    def let_go(self, trial_id: int) -> None:
        """Note that this process works no more on a trial that another has taken. It may take it again."""

    @abstractmethod
    def changes(self, study_id: int) -> int:
        """A number that grows when a trial of the study may have changed its state.

        Changes by this process count at once. Those by others count when they are seen: on a server, `Looks` says when.
        """


class Looks:
    """When to look again at what other processes may have changed on a server.

    Args:
        seldom: seconds between two looks, at least; 0 for storages on this machine, where a look costs next to nothing
    """

    def __init__(self, seldom: float) -> None:
        self._seldom = seldom
        self._next = 0.0  # on the monotonic clock

    def are_due(self) -> bool:
        """Whether to look now."""
        return time.monotonic() >= self._next

    def looked(self, began: float) -> None:
        """Note a look that began at `began`, on the monotonic clock, and is now over."""
        now = time.monotonic()
        self._next = now + max(self._seldom, (now - began) / SHARE) if self._seldom else now
