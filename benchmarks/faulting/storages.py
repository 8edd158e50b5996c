"""What a storage brings to a search among faults: its URL, and the faults of its own."""

import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from faulting.disk import Disk
from faulting.processes import PACKAGE

Fault = Callable[[random.Random], None]


class NotInstalled(Exception):
    """A storage cannot be tried here; says what is missing."""


class Storage:
    """A storage that is a file.

    Args:
        url: for `--storage`
    """

    options: tuple[str, ...] = ()  # more for the command
    faults: Mapping[str, Fault] = {}

    def __init__(self, url: str) -> None:
        self.url = url

    def mend(self) -> None:
        """Replace what a fault has taken away."""

    def close(self) -> None:
        """End what was started."""


class Database(Storage):
    """A storage on a server of its own.

    Args:
        name: of one of the tests' servers
        folder: where its files are kept at the end
    """

    def __init__(self, name: str, folder: Path) -> None:
        try:
            import pytest

            sys.path.insert(0, str(PACKAGE))
            from tests.servers import SERVERS
        except ImportError as error:
            raise NotInstalled(f"{error}; the servers are those of the tests") from error
        try:
            self._server: Any = SERVERS[name]()
        except pytest.skip.Exception as missing:
            raise NotInstalled(str(missing)) from None
        self._folder = folder
        self._server.start()
        super().__init__(self._server.new())
        self.faults = {
            "database killed": partial(self._restart, kill=True),
            "database restarted": partial(self._restart, kill=False),
        }

    def close(self) -> None:
        """Stop the server, and keep its files."""
        self._server.stop()
        with suppress(shutil.Error):  # of sockets
            shutil.copytree(self._server.folder, self._folder / "database")
        self._server.close()

    def _restart(self, rng: random.Random, *, kill: bool) -> None:
        self._server.stop(kill=kill)
        time.sleep(rng.uniform(0.1, 3.0))
        self._server.start()


def _ray(disk: Disk) -> Storage:
    from faulting.cluster import OnRay

    return OnRay(disk)


STORAGES: dict[str, Callable[[Disk], Storage]] = {
    "journal": lambda disk: Storage(f"{disk.folder}/study.journal"),
    "sqlite": lambda disk: Storage(f"sqlite:///{disk.folder}/study.db"),
    "postgresql": lambda disk: Database("postgresql", disk.folder.parent),
    "mariadb": lambda disk: Database("mariadb", disk.folder.parent),
    "redis": lambda disk: Database("redis", disk.folder.parent),
    "ray": _ray,
}
