"""A journal, and workers on a Ray cluster whose nodes come and go. All its nodes are on this machine."""

import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from faulting.disk import Disk
from faulting.processes import environment, kill, pause, running, send
from faulting.storages import NotInstalled, Storage
from lenet_search.crew.fleet.cluster import ON_LOOPBACK, QUIET

NODES, CORES = 2, 2
HERE = {"node_ip_address": "127.0.0.1", "num_gpus": 0}
# A node that does not answer is declared dead after 2 s: some pauses are longer, and some are not.
SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}


class OnRay(Storage):
    """A head without cores, which stays, and nodes that do not. Nodes keep their images on the disk that can be full.

    Args:
        disk: has the journal, too
    """

    def __init__(self, disk: Disk) -> None:
        super().__init__(f"{disk.folder}/study.journal")
        self._folder = disk.folder.parent
        os.environ.update(QUIET | ON_LOOPBACK | {"RAY_TMPDIR": str(self._folder)})  # read when Ray is imported
        try:
            from ray.cluster_utils import Cluster
        except ImportError as error:
            raise NotInstalled(f"{error}: pip install 'lenet-search[ray]'") from error
        self._disk = disk
        self._cluster: Any = Cluster()
        self._caches: dict[Any, Path] = {}  # by node
        self._cluster.add_node(num_cpus=0, include_dashboard=False, _system_config=SOON, **HERE)
        self.mend()
        self.options = ("--ray", self._cluster.address)
        self.faults = {
            "node killed": self._kill_nodes,
            "node shut down": self._shut_down,
            "node paused": lambda rng: pause([_raylet(node).pid for node in self._nodes()], rng),
            "actor killed": lambda rng: kill(running(self._folder)["actor"], rng),
            "actor paused": lambda rng: pause(running(self._folder)["actor"], rng),
        }

    def mend(self) -> None:
        """Add nodes for those that have left, which a node also does after a long pause."""
        alive = set(self._cluster.global_state._live_node_ids())
        for node in self._nodes():
            if _raylet(node).poll() is not None or node.node_id not in alive:
                self._remove(node)
        while len(self._nodes()) < NODES:
            cache = self._disk.folder / f"node-{time.monotonic_ns()}"
            own = environment(self._folder) | {"XDG_CACHE_HOME": str(cache)}
            self._caches[self._cluster.add_node(num_cpus=CORES, env_vars=own, **HERE)] = cache

    def close(self) -> None:
        """End all nodes, the head last."""
        for node in self._nodes():
            self._remove(node)
        self._cluster.shutdown()

    def _nodes(self) -> list[Any]:
        return list(self._caches)

    def _kill_nodes(self, rng: random.Random) -> None:
        """A machine that vanishes takes all with it; of a node whose raylet dies, the rest ends by itself."""
        for node in rng.sample(self._nodes(), rng.choice((1, 1, NODES))):
            raylet = _raylet(node).pid
            if rng.random() < 0.5:
                for pid in _below(raylet):
                    send(pid, signal.SIGKILL)
            send(raylet, signal.SIGKILL)
        time.sleep(rng.uniform(0.1, 3.0))

    def _shut_down(self, rng: random.Random) -> None:
        self._remove(rng.choice(self._nodes()), graceful=True)
        time.sleep(rng.uniform(0.1, 3.0))

    def _remove(self, node: Any, *, graceful: bool = False) -> None:
        self._cluster.remove_node(node, allow_graceful=graceful)
        shutil.rmtree(self._caches.pop(node), ignore_errors=True)


def _raylet(node: Any) -> Any:
    return node.all_processes["raylet"][0].process


def _below(pid: int) -> list[int]:
    """All processes below one."""
    children = []
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        children += [int(child) for child in each.read_text().split()]
    return children + [below for child in children for below in _below(child)]
