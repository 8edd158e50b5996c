"""A worker that trains nothing, for tests of what its crew makes of what it says."""

import threading
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from lenet_search.crew.launcher import Death
from lenet_search.crew.messages import Orders, Setup

Life = Callable[["Connection[Any, Any]"], None]


class MadeUpWorker:
    """A thread that lives a `life` at its end of a pipe, and dies when that ends; a `crew.launcher.Link`."""

    def __init__(self, life: Life) -> None:
        self.pipe, theirs = Pipe()
        threading.Thread(target=self._live, args=[theirs, life], daemon=True).start()

    def send(self, message: Setup | Orders) -> None:
        self.pipe.send(message)

    def ask_to_leave(self) -> None:
        """It has nothing to freeze."""

    def kill(self) -> None:
        self.pipe.close()

    def death(self) -> Death:
        return Death("a made-up worker ended")

    def _live(self, pipe: "Connection[Any, Any]", life: Life) -> None:
        try:
            pipe.recv()  # the set-up
            life(pipe)
        except (EOFError, OSError):
            pass  # the crew has no more use for it
        pipe.close()
