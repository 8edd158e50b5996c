"""Workers on the nodes of a Ray cluster: one actor per GPU or core, on the nodes that there are at the time."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from lenet_search.crew.fleet.cluster import Cluster, Node
from lenet_search.crew.fleet.courier import Courier, RemoteProcess
from lenet_search.crew.fleet.host import MESSAGES, Host
from lenet_search.crew.fleet.shipping import Shipping
from lenet_search.crew.messages import Setup
from lenet_search.crew.places import Place
from lenet_search.crew.process import settings
from lenet_search.errors import RunError
from lenet_search.look.progress import View

TO_CLOSE = 2.0  # seconds for all actors to remove their files at the end


class Fleet:
    """Starts workers on the nodes of a Ray cluster.

    If a node has GPUs, they are the places of all nodes, else the cores are. Nodes may come and go.

    Args:
        address: HOST:PORT, or "auto" for the cluster that runs on this machine
        workers: largest number of workers; None: as many as there are places
        setup: what workers need to know
        view: hears of the nodes

    Raises:
        RunError: Ray is not installed, or there is no such cluster.
    """

    host: type[Host] = Host

    def __init__(self, address: str, workers: int | None, setup: Setup, view: View) -> None:
        self._cluster = Cluster(address)
        self._workers = workers
        self._view = view
        self._shipping = Shipping(setup.space, setup.data_folder)
        self._couriers: list[tuple[Place, Courier]] = []
        self._numbers = count(1)
        self._nodes: list[Node] = []
        self._unusable: set[Node] = set()
        self._on_gpus: bool | None = None  # what a place is; None until there is a node
        self._environment = settings()
        self._look()
        nodes = ", ".join(map(str, self._nodes)) or "no node yet; waiting for one"
        view.opening("Cluster", f"Ray at {self._cluster.address}: {nodes}")

    @property
    def most(self) -> int:
        """As many as there are places, or as asked for."""
        places = len(self.places())
        return places if self._workers is None else min(self._workers, places)

    def places(self) -> Sequence[Place]:
        """The GPUs or cores of all nodes, the first of each node first."""
        self._look()
        return list(_spread([node for node in self._nodes if node not in self._unusable], bool(self._on_gpus)))

    def start(self, place: Place, log: Path) -> RemoteProcess:
        """Start a worker on an actor that has none, or beside one that retires."""
        return self._courier(place).start(next(self._numbers), place, self._environment, log)

    def do_without(self, place: Place) -> str:
        """Use a node no more."""
        self._unusable.update(node for node in self._nodes if node.name == place.node)
        if self._unusable.issuperset(self._nodes):
            raise RunError(
                "the GPUs of the Ray cluster cannot be used; on each node: pip install 'lenet-search[ray,gpu]' (for "
                "JAX 'jax[cuda12]')"
            )
        return (
            f"the GPU of node {place.node} cannot be used; training on the other nodes. To use it: pip install "
            "'lenet-search[ray,gpu]' there (for JAX 'jax[cuda12]')"
        )

    def close(self) -> None:
        """End all actors, and leave the cluster."""
        import ray

        couriers, self._couriers = [courier for _, courier in self._couriers], []
        if couriers:
            answers = [courier.begin_to_close() for courier in couriers]
            ray.wait(answers, num_returns=len(answers), timeout=TO_CLOSE)
        for courier in couriers:
            courier.close()
        self._cluster.leave()

    def _look(self) -> None:
        """See which nodes there are."""
        known = set(self._nodes)
        self._nodes = self._cluster.nodes()
        if self._on_gpus is None and self._nodes:
            self._on_gpus = any(node.gpus for node in self._nodes)
            return
        for node in self._nodes:
            if node not in known:
                self._view.note(f"node {node} has joined")

    def _courier(self, place: Place) -> Courier:
        """The actor of a place with the fewest workers, a new one if all have some and the place has room."""
        for where, courier in list(self._couriers):
            if courier.lost:
                self._couriers.remove((where, courier))
                courier.close()
        here = [courier for where, courier in self._couriers if where == place]
        fewest = min(here, key=lambda courier: len(courier.processes), default=None)
        if fewest is None or (fewest.processes and len(here) < list(self.places()).count(place)):
            node = next(node for node in self._nodes if node.name == place.node)
            fewest = Courier(_actor(self.host, place, node), node, self._shipping, self._cluster.has)
            self._couriers.append((place, fewest))
        return fewest


def _spread(nodes: Sequence[Node], on_gpus: bool) -> Iterator[Place]:
    """The places of nodes in turns, so that few workers are spread over many nodes."""
    for index in range(max((node.gpus if on_gpus else node.cores for node in nodes), default=0)):
        for node in nodes:
            if on_gpus and index < node.gpus:
                yield Place(str(index), max(1, node.cores // node.gpus), node.name)
            elif not on_gpus and index < node.cores:
                yield Place(None, 1, node.name)


def _actor(host: type[Host], place: Place, node: Node) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return (
        ray.remote(concurrency_groups={MESSAGES: 1})(host)
        .options(
            num_cpus=0 if place.gpu is not None else 1,
            num_gpus=0 if place.gpu is None else 1,
            max_restarts=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
        )
        .remote()
    )
