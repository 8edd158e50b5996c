"""A Ray cluster: joining it, and the nodes it has."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lenet_search.errors import RunError

PATIENCE = 5.0  # seconds for the head node to accept a connection; Ray itself would try for minutes
INSTALL = "pip install 'lenet-search[ray]'"


@dataclass(frozen=True)
class Node:
    """A node of the cluster: Ray's identifier, a name that no other node has, and what it lends."""

    id: str
    name: str
    cores: int
    gpus: int
    accelerator: str = ""  # "H100"

    def __str__(self) -> str:
        if self.gpus:
            return f"{self.name} ({self.gpus} GPU{'' if self.gpus == 1 else 's'}{self.accelerator and ' '}{self.accelerator})"
        return f"{self.name} ({self.cores} core{'' if self.cores == 1 else 's'})"


class Cluster:
    """The cluster at `address`, HOST:PORT or "auto", which this process joins unless it has done so.

    Raises:
        RunError: Ray is not installed, there is no such cluster, or it cannot be joined.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise RunError(f"--ray needs the package ray, which is not installed: {INSTALL}") from error
        self._joined = not ray.is_initialized()
        if self._joined:
            _join(ray, address)
        self.address: str = ray.get_runtime_context().gcs_address
        self._names: dict[str, str] = {}  # by identifier, of all nodes that were ever seen

    def nodes(self) -> list[Node]:
        """The living nodes, in the order in which they were first seen."""
        import ray

        alive = {each["NodeID"]: each for each in ray.nodes() if each["Alive"]}
        for identifier, each in alive.items():
            self._names.setdefault(identifier, self._new_name(each["NodeManagerHostname"]))
        return [
            _node(identifier, name, alive[identifier]["Resources"])
            for identifier, name in self._names.items()
            if identifier in alive
        ]

    def has(self, node: Node) -> bool:
        """Whether a node is alive."""
        import ray

        return any(each["NodeID"] == node.id and each["Alive"] for each in ray.nodes())

    def leave(self) -> None:
        """Leave the cluster, if this object has joined it."""
        import ray

        if self._joined:
            ray.shutdown()

    def _new_name(self, host: str) -> str:
        """A node's host name, with a number if another node has had it."""
        taken = set(self._names.values())
        names = (host if n == 1 else f"{host}#{n}" for n in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)


def _node(identifier: str, name: str, resources: dict[str, float]) -> Node:
    kinds = [key.partition(":")[2] for key in resources if key.startswith("accelerator_type:")]
    return Node(identifier, name, int(resources.get("CPU", 0)), int(resources.get("GPU", 0)), kinds[0] if kinds else "")


def _join(ray: Any, address: str) -> None:
    given = os.environ.get("RAY_ADDRESS") or address if address == "auto" else address
    if given != "auto":
        _knock(given)
    # Ray's advice to people who program with it, and its reports of its own use, are not for those of this program.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with _signals_kept():
        try:
            ray.init(address=given, log_to_driver=False, logging_level=logging.CRITICAL, include_dashboard=False)
        except ConnectionError as error:
            if given == "auto":
                raise RunError(
                    "--ray auto: no Ray cluster runs on this machine; start one with: ray start --head, or give its "
                    "address as HOST:PORT"
                ) from error
            raise RunError(f"--ray {address}: the Ray cluster cannot be joined: {_first_line(error)}") from error
        except (RuntimeError, ValueError, OSError) as error:  # other versions of Python or Ray; no Ray on this machine
            raise RunError(f"--ray {address}: the Ray cluster cannot be joined: {_first_line(error)}") from error


def _knock(address: str) -> None:
    """Raise an error unless something listens at HOST:PORT."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal() and "/" not in host):
        raise RunError(
            f"--ray: expected auto, or HOST:PORT of a cluster that this machine has joined; received {address!r}"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise RunError(
            f"--ray {address}: no Ray cluster answers there ({error}); start one with: ray start --head --port={port}"
        ) from error


def _first_line(error: Exception) -> str:
    """What Ray says, on one line."""
    return " ".join(str(error).split())[:500] or type(error).__name__


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Keep this program's signal handlers: Ray sets one of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
