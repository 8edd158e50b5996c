"""The parent's side of an actor: it fetches what the actor's workers send, and hands it to the crew."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import Pipe
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from lenet_search.crew.fleet.cluster import Node
from lenet_search.crew.fleet.host import MESSAGES, Ended, versions
from lenet_search.crew.fleet.shipping import Shipping
from lenet_search.crew.launcher import Death
from lenet_search.crew.messages import Orders, Setup, Trouble
from lenet_search.crew.places import Place
from lenet_search.data.delivered import Wanted
from lenet_search.errors import RunError

# Seconds in which Ray declares a node dead that does not answer: five checks, 3 s apart, of up to 10 s each, by its
# defaults. Runs of its workers wait that long for another worker.
TO_LEAVE = 45.0


class Courier:
    """Carries messages between an actor and the crew, on a thread of its own.

    Args:
        actor: the actor, a `Host`
        node: where it runs
        shipping: brings images to nodes
        is_there: whether a node is alive, as far as Ray knows
    """

    def __init__(self, actor: Any, node: Node, shipping: Shipping, is_there: Callable[[Node], bool]) -> None:
        self.node = node
        self.lost = False  # whether the actor is gone
        self.processes: dict[int, RemoteProcess] = {}
        self._actor = actor
        self._shipping = shipping
        self._is_there = is_there
        self._closing = threading.Event()
        self._given: set[Wanted] = set()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def start(self, number: int, place: Place, environment: Mapping[str, str], log: Path) -> "RemoteProcess":
        """Start a worker, once it is told its set-up."""
        process = RemoteProcess(number, place, environment, log, self)
        self.processes[number] = process
        return process

    def call(self, method: str, *given: Any, group: str | None = None) -> Any:
        """Call a method of the actor, on a thread of `group` there; a reference to its answer."""
        return getattr(self._actor, method).options(concurrency_group=group).remote(*given)

    def parcels(self, message: Orders) -> list[Any]:
        """The images that a message requires and the actor was not given yet."""
        new = [wanted for wanted in self._shipping.needed(message) if wanted not in self._given]
        self._given.update(new)
        return [self._shipping.parcel(wanted) for wanted in new]

    def begin_to_close(self) -> Any:
        """Ask the actor to remove its files; a reference to its answer."""
        self._closing.set()
        return self.call("close")

    def close(self) -> None:
        """End the actor and the thread."""
        import ray

        ray.kill(self._actor)
        self._thread.join()  # it must not call Ray once the command has left the cluster

    def _carry(self) -> None:
        import ray

        try:
            self._compare(ray.get(self.call("versions")))
            while not self._closing.is_set():
                for number, message in ray.get(self.call("poll", group=MESSAGES)):
                    process = self.processes.get(number)
                    if process is not None:
                        process.deliver(message)
        except Exception as error:  # of Ray, which raises many kinds; an actor that failed once is not used again
            self._lose(error)
            self.lost = True

    def _compare(self, theirs: Mapping[str, str]) -> None:
        """Raise an error, and tell the crew, if other versions run on the node."""
        ours = versions()
        if theirs != ours:
            here, there = (", ".join(f"{name} {version}" for name, version in each.items()) for each in (ours, theirs))
            self._trouble(f"node {self.node.name} of the Ray cluster has {there}; expected {here}, as on this machine")
            raise RuntimeError("other versions")

    def _lose(self, error: Exception) -> None:
        """Tell the crew that all workers of the actor are gone."""
        if "No module named 'lenet_search" in str(error):
            self._trouble(
                f"node {self.node.name} of the Ray cluster has no lenet-search; on each node: pip install "
                f"'lenet-search[ray]=={versions()['lenet-search']}'"
            )
        death = self._why(error)
        for process in list(self.processes.values()):
            process.deliver(Ended(death, str(error).encode()))

    def _why(self, error: Exception) -> Death:
        """Whether the actor died alone, or its node has left; Ray takes some time to tell."""
        from ray.exceptions import ActorDiedError

        deadline = time.monotonic() + (0.0 if isinstance(error, ActorDiedError) else TO_LEAVE)
        while self._there():
            if time.monotonic() >= deadline or self._closing.wait(TO_LEAVE / 100):
                said = " ".join(str(error).split())[:300]
                return Death(f"a worker's Ray actor on node {self.node.name} died: {said}")
        return Death(f"node {self.node.name} has left the cluster", innocent=True)

    def _there(self) -> bool:
        """Whether the node is there; nothing is known of it as long as the cluster does not answer."""
        try:
            return self._is_there(self.node)
        except RunError:  # which the crew meets, too
            return True

    def _trouble(self, text: str) -> None:
        for process in list(self.processes.values()):
            process.deliver(bytes(ForkingPickler.dumps(Trouble("RunError", text))))


class RemoteProcess:
    """A worker on another machine; a `crew.launcher.Link`."""

    def __init__(self, number: int, place: Place, environment: Mapping[str, str], log: Path, courier: Courier) -> None:
        self.pipe, self._inbox = Pipe(duplex=False)
        self._number = number
        self._place = place
        self._environment = environment
        self._log = log
        self._courier = courier
        self._death: Death | None = None

    def send(self, message: Setup | Orders) -> None:
        """Send a message; the set-up, which is the first, starts the worker.

        Raises:
            DataError: its images cannot be read here any more.
        """
        data = bytes(ForkingPickler.dumps(message))
        if isinstance(message, Setup):
            self._courier.call("start", self._number, self._place, self._environment, data)
        else:
            self._courier.call("send", self._number, data, self._courier.parcels(message))

    def ask_to_leave(self) -> None:
        """Ask the worker to freeze its runs and leave. Its last message is a `Froze`."""
        self._courier.call("ask_to_leave", self._number)

    def kill(self) -> None:
        """End the worker now, without saving anything."""
        self._courier.processes.pop(self._number, None)
        if not self._courier.lost:
            self._courier.call("kill", self._number)
        self.pipe.close()

    def death(self) -> Death:
        """Why the worker died."""
        return self._death or Death("a worker stopped responding")

    def deliver(self, message: bytes | Ended) -> None:
        """Hand a message to the crew, or the news that the worker has died. Called on the courier's thread."""
        with contextlib.suppress(OSError):  # the crew has no more interest in it
            if isinstance(message, Ended):
                self._death = message.death
                self._log.write_bytes(message.log)
                self._inbox.close()
            else:
                self._inbox.send_bytes(message)
