"""A worker: a process that trains trials in stacks of its own, and knows the study only from the parent's orders.

Run as `python -m lenet_search.search.worker DESCRIPTOR`. Its standard input is a lifeline: when the parent is gone,
however it went, it closes, and the worker leaves within the moment, in the middle of an epoch if need be.
"""

import os
import signal
import sys
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from lenet_search import data
from lenet_search.errors import LenetSearchError
from lenet_search.recipe import Images, Recipe
from lenet_search.search.messages import EpochDone, Job, Measuring, Orders, Ready, Setup, TrialEpoch, Trouble
from lenet_search.storage import CURVES
from lenet_search.structure import Structure, structure_of

if TYPE_CHECKING:
    from lenet_search.engine import EpochResult, Stack

MOST_STACKS = 16  # a space with many shapes must not fill the memory: each takes about 30 MB per size it ran in


@dataclass
class Bench:
    """A stack, and which trial sits in which of its slots."""

    stack: "Stack"
    images: dict[str, Any]
    jobs: dict[int, "Loaded"] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """A trial in a slot, and the stack's clock when it got there."""

    number: int
    epochs: int
    clock: int


class Worker:
    """Keeps a bench per structure, fills free slots from the trials that wait, and runs an epoch of each in turn."""

    def __init__(self, pipe: "Connection[Any, Any]", setup: Setup, ready: Ready) -> None:
        self._pipe = pipe
        self._setup = setup
        self._ready = ready
        self._slots = ready.slots
        self._precision = ready.precision
        self._waiting: deque[tuple[Job, Recipe, Structure]] = deque()
        self._benches: OrderedDict[Structure, Bench] = OrderedDict()  # the one used last comes last
        self._splits: dict[Images, data.Split] = {}

    def serve(self) -> None:
        """Train until the parent hangs up."""
        while True:
            if not self._busy():
                self._obey()
            self._fill()
            for bench in self._busy():
                if bench.jobs:  # orders after another bench's epoch may have emptied it
                    self._epoch(bench)

    def _busy(self) -> list[Bench]:
        return [bench for bench in self._benches.values() if bench.jobs]

    def _obey(self) -> None:
        """Wait for orders and carry them out, except for loading, which `_fill` does."""
        orders: Orders = self._pipe.recv()
        if orders.measure:
            self._measure(orders.measure)
        pruned = set(orders.prune)
        self._waiting = deque(entry for entry in self._waiting if entry[0].number not in pruned)
        for bench in self._busy():
            for slot in [slot for slot, job in bench.jobs.items() if job.number in pruned]:
                self._empty(bench, slot)
        for job in orders.new:
            recipe = Recipe.from_values(job.values).settled(self._precision)
            self._waiting.append((job, recipe, structure_of(recipe, self._setup.space)))

    def _measure(self, sharing: int) -> None:
        """Find the size of stacks, and say so."""
        from lenet_search.engine.remembered import memory
        from lenet_search.engine.slots import chosen

        def tell(text: str) -> None:
            self._pipe.send(Measuring(text))

        size = chosen(self._setup.space, self._precision, self._split, sharing, memory(), tell)
        self._slots = size.slots
        self._pipe.send(replace(self._ready, slots=size.slots, size=size.words))

    def _fill(self) -> None:
        """Load waiting trials, in order, where there is a slot for them; the others go on waiting."""
        still: deque[tuple[Job, Recipe, Structure]] = deque()
        for job, recipe, structure in self._waiting:
            bench = self._bench(structure)
            if bench.stack.free:
                clock = bench.stack.clock
                slot = bench.stack.load(recipe, job.seed)
                bench.jobs[slot] = Loaded(job.number, recipe.train.epochs, clock)
            else:
                still.append((job, recipe, structure))
        self._waiting = still

    def _bench(self, structure: Structure) -> Bench:
        from lenet_search.engine import Stack

        if structure not in self._benches:
            idle = [known for known, bench in self._benches.items() if not bench.jobs]
            if len(self._benches) >= MOST_STACKS and idle:
                del self._benches[idle[0]]
            split = self._split(structure.images)
            self._benches[structure] = Bench(Stack(structure, split, self._slots), split.describe())
        self._benches.move_to_end(structure)
        return self._benches[structure]

    def _split(self, wanted: Images) -> data.Split:
        if wanted not in self._splits:
            self._splits[wanted] = data.load(wanted, self._setup.data_folder)
        return self._splits[wanted]

    def _epoch(self, bench: Bench) -> None:
        """One epoch of all of a bench's trials; then the parent is told, and says what to do."""
        results = bench.stack.epoch()
        epochs = tuple(self._account(bench, slot, result) for slot, result in results.items())
        self._pipe.send(EpochDone(epochs, bench.images, self._room()))
        self._obey()
        self._fill()

    def _account(self, bench: Bench, slot: int, result: "EpochResult") -> TrialEpoch:
        """A slot's epoch as the parent hears of it; a trial that ended leaves its slot."""
        job = bench.jobs[slot]
        ended = result.finite and result.epoch == job.epochs
        weights = bench.stack.weights(slot) if ended else None
        if ended or not result.finite:
            self._empty(bench, slot)
        measured = {name: float(getattr(result, name)) for name in CURVES}
        return TrialEpoch(job.number, job.clock, result.epoch, measured, result.images, result.finite, weights)

    def _empty(self, bench: Bench, slot: int) -> None:
        bench.stack.unload(slot)
        del bench.jobs[slot]

    def _room(self) -> int:
        """How many trials this worker could take now.

        As many as there are free slots in stacks that run anyway. Trials of several structures share a worker,
        so it holds up to twice the slots of a stack; more would be drawn long before they could be trained.
        """
        busy = self._busy()
        free = sum(bench.stack.free for bench in busy) if busy else self._slots
        held = sum(len(bench.jobs) for bench in busy) + len(self._waiting)
        return max(0, min(free, self._slots - len(self._waiting), 2 * self._slots - held))


def main(descriptor: int) -> None:
    """Serve the parent at the other end of the pipe `descriptor` until it hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent decides
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    pipe: Connection[Any, Any] = Connection(descriptor)
    try:
        setup: Setup = pipe.recv()
        try:
            from lenet_search.engine import device

            device.configure(setup.threads)
            # What suits a CPU is known; GPUs differ too much for a constant, so one is measured, and remembered.
            measured = setup.slots == "auto" or (setup.slots is None and device.is_gpu())
            slots = 0 if measured else int(setup.slots or device.default_slots())
            asked = setup.space.possible("train.precision")
            precision = device.best_precision() if isinstance(asked, tuple) and "auto" in asked else "float32"
            ready = Ready(device.describe(), device.is_gpu(), slots, precision, device.versions())
            pipe.send(ready)
            Worker(pipe, setup, ready).serve()
        except LenetSearchError as error:
            pipe.send(Trouble(type(error).__name__, str(error)))
    except (EOFError, ConnectionError):
        pass  # the parent has hung up


def _leave_with_parent() -> None:
    os.read(0, 1)  # nothing is ever written; `sys.stdin` has a lock that would be missed at exit
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
