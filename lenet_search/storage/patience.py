"""How long a storage is waited for that is busy, locked or gone."""

import time
from collections.abc import Callable
from typing import Self

from lenet_search.errors import StorageError

LIMIT = 120.0  # seconds; less than `search.parents.SILENCE`, after which other machines take a run for dead
OPENING = 20.0  # seconds in which a server that is being started may begin to answer; an address may be mistyped, too
AT_THE_END = 5.0  # seconds, once a signal has asked the command to end
SLICE = 0.1  # seconds between two looks at whether a signal has arrived
LONGEST_PAUSE = 5.0  # seconds between two tries


class Patience:
    """What all operations on one storage share: whom to tell, and when to hurry.

    Args:
        note: called with messages for people
        stopped: whether a signal has asked the command to end
        limit: seconds for which an operation is tried again
    """

    def __init__(
        self,
        note: Callable[[str], None] = lambda text: None,
        stopped: Callable[[], bool] = lambda: False,
        limit: float = LIMIT,
    ) -> None:
        self.note = note
        self.stopped = stopped
        self.limit = limit
        self.gone = False  # whether the last operation failed in the end: the next one is tried once

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        """A copy, in another process, tells nobody."""
        return type(self), ()

    def begin(self, tell_after: float = 0.0, limit: float | None = None) -> "Wait":
        """A new wait.

        Args:
            tell_after: seconds before the person is told
            limit: seconds for which this operation is tried again; else that of all
        """
        return Wait(self, tell_after, self.limit if limit is None else min(limit, self.limit))


class Wait:
    """One operation's wait, with longer and longer pauses between its tries."""

    def __init__(self, patience: Patience, tell_after: float, limit: float) -> None:
        self.told = False
        self.limit = limit
        self._patience = patience
        self._tell_after = tell_after
        self._began = time.monotonic()
        self._pause = 0.01

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    def pause(self, why: str, failure: str) -> None:
        """Wait before the next try.

        Args:
            why: what the person is told, once
            failure: the message of the error, if there is no next try

        Raises:
            StorageError: the time is up.
        """
        if self.seconds >= self._left_to():
            self._patience.gone = True
            raise StorageError(failure)
        if not self.told and self.seconds >= self._tell_after:
            self.told = True
            self._patience.note(why)
        until = time.monotonic() + self._pause
        while (left := until - time.monotonic()) > 0 and self.seconds < self._left_to():
            time.sleep(min(left, SLICE))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def over(self, again: str = "") -> None:
        """The operation has succeeded; `again` is said if the person was told of the wait."""
        self._patience.gone = False
        if self.told and again:
            self._patience.note(again)

    def _left_to(self) -> float:
        """Seconds from the beginning after which there are no more tries."""
        if self._patience.gone:
            return 0.0
        return min(AT_THE_END, self.limit) if self._patience.stopped() else self.limit


def in_words(seconds: float) -> str:
    """20 seconds, 2 minutes."""
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
