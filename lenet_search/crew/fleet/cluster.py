"""A Ray cluster: joining it, and the nodes it has."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet_search.errors import RunError

PATIENCE = 5.0  # seconds for the head node to accept a connection; Ray itself would try for minutes
INSTALL = "pip install 'lenet-search[ray]'"
# Ray reads these when it is imported. They turn off advice for people who program with Ray, reports of its use, and the
# ends of its own logs when a node leaves, of which it skips lines that match.
QUIET = {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",
}
JOINING = {"RAY_NUM_REDIS_GET_RETRIES": "2"}  # attempts of up to 40 s each, where something listens that is not Ray
# Ray takes "localhost" for an address that other machines can reach, unless this, which it also reads at its import.
ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@dataclass(frozen=True)
class Node:
    """A node of the cluster: Ray's identifier, a name that no other node has, and what it lends."""

    id: str
    name: str
    cores: int
    gpus: int
    accelerator: str = ""  # "H100"

    def __str__(self) -> str:
        lent, what = (self.gpus, "GPU") if self.gpus else (self.cores, "core")
        model = f" {self.accelerator}" if self.gpus and self.accelerator else ""
        return f"{self.name} ({lent} {what}{'' if lent == 1 else 's'}{model})"


class Cluster:
    """The cluster at `address`, HOST:PORT or "auto", which this process joins unless it has done so.

    Raises:
        RunError: Ray is not installed, there is no such cluster, or it cannot be joined.
    """

    def __init__(self, address: str) -> None:
        os.environ.update(QUIET | JOINING | (ON_LOOPBACK if _listens_only_here(address) else {}) | os.environ)
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
        """The living nodes, in the order in which they were first seen.

        Raises:
            RunError: the cluster does not answer.
        """
        alive = self._alive()
        for identifier, each in alive.items():
            self._names.setdefault(identifier, self._new_name(each["NodeManagerHostname"]))
        return [
            _node(identifier, name, alive[identifier]["Resources"])
            for identifier, name in self._names.items()
            if identifier in alive
        ]

    def has(self, node: Node) -> bool:
        """Whether a node is alive, as far as Ray knows.

        Raises:
            RunError: the cluster does not answer.
        """
        return node.id in self._alive()

    def _alive(self) -> dict[str, dict[str, Any]]:
        import ray

        try:
            return {each["NodeID"]: each for each in ray.nodes() if each["Alive"]}
        except Exception as error:  # of Ray, which raises many kinds
            raise RunError(
                f"the Ray cluster at {self.address} does not answer: {_first_line(error)}. To resume, start it and run "
                "the same command again"
            ) from error

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


def _listens_only_here(address: str) -> bool:
    """Whether a cluster was started for this machine alone: ray start --head --node-ip-address=127.0.0.1."""
    if address == "auto":
        current = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")
        address = os.environ.get("RAY_ADDRESS") or (current.read_text().strip() if current.is_file() else "")
    host, _, port = address.rpartition(":")
    if host not in ("127.0.0.1", "localhost") or not port.isdecimal():
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unconnected:
        try:
            unconnected.connect(("192.0.2.1", 9))  # sends nothing, and tells the address that others would see
            socket.create_connection((unconnected.getsockname()[0], int(port)), PATIENCE).close()
        except (OSError, OverflowError):
            return True
    return False


def _knock(address: str) -> None:
    """Raise an error unless something listens at HOST:PORT."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and "/" not in host and port.isdecimal() and 0 < int(port) < 65536):
        raise RunError(
            f"--ray: expected auto, or HOST:PORT of a cluster that this machine has joined; received {address!r}"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        raise RunError(
            f"--ray {address}: no Ray cluster answers there ({error.strerror or error}); start one there: "
            f"ray start --head --port={port}"
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
