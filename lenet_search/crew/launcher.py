"""How a crew gets its workers: a launcher starts them on its places, on this machine or on others."""

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from lenet_search.crew.messages import Orders, Setup
from lenet_search.crew.places import Place


@dataclass(frozen=True)
class Death:
    """Why a worker died, in words; `innocent` if what it trained cannot be the cause."""

    reason: str
    innocent: bool = False


class Link(Protocol):
    """A running worker: the way to it, and its end."""

    @property
    def pipe(self) -> "Connection[Any, Any]":
        """Brings the worker's messages, and closes when it has died."""

    def send(self, message: Setup | Orders) -> None:
        """Send a message.

        Raises:
            OSError: the worker has died.
        """

    def ask_to_leave(self) -> None:
        """Ask the worker to freeze its runs and leave. Its last message is a `Froze`."""

    def kill(self) -> None:
        """End the worker now, without saving anything."""

    def death(self) -> Death:
        """Why the worker died."""


class Launcher(Protocol):
    """Starts workers. All calls come from one thread."""

    @property
    def most(self) -> int:
        """How many workers may run, not counting those that retire."""

    def places(self) -> Sequence[Place]:
        """The places there are now, in the order in which they are to be used; others may come and go."""

    def start(self, place: Place, log: Path) -> Link:
        """Start a worker.

        Args:
            place: one of `places`
            log: file for its output, including TensorFlow's or JAX's; complete once it has died
        """

    def do_without(self, place: Place) -> str:
        """Use the GPU of a place no more, because it does not work; says in words what is used instead.

        Raises:
            RunError: nothing is left.
        """

    def close(self) -> None:
        """End what the launcher has started, besides the workers."""
