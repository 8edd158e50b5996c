"""The actor on a node: it starts workers there, and passes messages between them and the parent."""

import contextlib
import os
import queue
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

from lenet_search import __version__
from lenet_search.crew.launcher import Death
from lenet_search.crew.messages import Trouble
from lenet_search.crew.places import Place
from lenet_search.crew.process import Process
from lenet_search.data.delivered import Wanted, is_kept, keep, offer

POLL = 10.0  # seconds after which `poll` answers, even if there is nothing to tell
MESSAGES = "messages"  # the thread for `poll`
LOG = 100_000  # bytes of a dead worker's log that are sent


@dataclass(frozen=True)
class Ended:
    """A worker has died: why, and the end of its log."""

    death: Death
    log: bytes


@dataclass(frozen=True)
class Parcel:
    """Images for a node: what they answer, their digest, and a reference to the arrays in Ray's object store."""

    wanted: Wanted
    digest: str
    reference: Sequence[Any]  # in a list, which Ray passes as it is: a node that has them already fetches nothing


def versions() -> dict[str, str]:
    """What must be the same on all machines, since they exchange Python objects."""
    return {"Python": ".".join(map(str, sys.version_info[:2])), "lenet-search": __version__}


class Host:
    """Workers on one device of this node, by number: one, and for some time one that retires.

    Ray calls `poll` in one thread, and everything else in another.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lenet-search-"))
        self._processes: dict[int, Process] = {}
        self._killed: set[int] = set()
        self._outbox: queue.SimpleQueue[tuple[int, bytes | Ended]] = queue.SimpleQueue()

    def versions(self) -> dict[str, str]:
        """As `versions`, on this node."""
        return versions()

    def start(self, number: int, place: Place, environment: Mapping[str, str], setup: bytes) -> None:
        """Start a worker, and give it its set-up. Its GPU is the one that Ray has assigned to this actor."""
        if number in self._killed:  # Ray promises no order
            return
        if place.gpu is not None:
            place = replace(place, gpu=os.environ.get("CUDA_VISIBLE_DEVICES", place.gpu))
        log = self._folder / f"worker-{number}.log"
        with self._reporting(number):
            self._start(number, place, environment, log)
        self.send(number, setup)

    def _start(self, number: int, place: Place, environment: Mapping[str, str], log: Path) -> None:
        process = self._launch(place, log, {**environment, "LENET_SEARCH_DATA": str(self._folder)})
        self._processes[number] = process
        threading.Thread(target=self._collect, args=[number, process, log], daemon=True).start()

    def send(self, number: int, message: bytes, parcels: Sequence[Parcel] = ()) -> None:
        """Pass a message on to a worker, once the images that it needs are here."""
        with self._reporting(number):
            for parcel in parcels:
                if not is_kept(parcel.digest):
                    import ray

                    keep(ray.get(parcel.reference[0]), parcel.digest)
                offer(parcel.wanted, parcel.digest, self._folder)
        if number in self._processes:
            with contextlib.suppress(OSError):  # it has died, and `_collect` notices
                self._processes[number].pipe.send_bytes(message)

    def ask_to_leave(self, number: int) -> None:
        """Ask a worker to freeze its runs and leave."""
        if number in self._processes:
            self._processes[number].ask_to_leave()

    def kill(self, number: int) -> None:
        """End a worker now."""
        self._killed.add(number)
        if number in self._processes:
            self._processes.pop(number).kill()

    def poll(self) -> list[tuple[int, bytes | Ended]]:
        """What the workers have sent since the last call, in order; waits until there is something, or `POLL`."""
        try:
            found = [self._outbox.get(timeout=POLL)]
        except queue.Empty:
            return []
        while not self._outbox.empty():
            found.append(self._outbox.get())
        return found

    def close(self) -> None:
        """End all workers, and remove their files."""
        for number in list(self._processes):
            self.kill(number)
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def _reporting(self, number: int) -> Iterator[None]:
        """Tell the parent of an error, as of the death of the worker: it waits for no answer of these calls."""
        try:
            yield
        except OSError as error:  # a full disk is not the fault of a run, and there for the next worker, too
            trouble = Trouble("RunError", f"node {os.uname().nodename} could not go on: {error}")
            self._outbox.put((number, bytes(ForkingPickler.dumps(trouble))))
        except Exception as error:  # of Ray, which raises many kinds
            self.kill(number)
            self._outbox.put((number, Ended(Death(f"a worker could not be served: {error}"), b"")))

    def _launch(self, place: Place, log: Path, environment: Mapping[str, str]) -> Process:
        return Process(place, log, environment)

    def _collect(self, number: int, process: Process, log: Path) -> None:
        """Put a worker's messages into the outbox until it dies."""
        try:
            while True:
                self._outbox.put((number, process.pipe.recv_bytes()))
        except (EOFError, OSError):
            if number not in self._killed:
                self._outbox.put((number, Ended(process.death(), log.read_bytes()[-LOG:])))
