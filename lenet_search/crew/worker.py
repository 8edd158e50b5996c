"""A worker: a process that trains runs in stacks, on its parent's orders.

`crew/process.py` starts it with `main(descriptor)`; `crew/messages.py` describes the messages.
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from lenet_search import data, keras_settings
from lenet_search.crew.bench import Bench, Benches
from lenet_search.crew.messages import Built, FromWorker, Froze, Measuring, Orders, PartDone, Ready, Setup, Trouble
from lenet_search.crew.signals import SIGNALS
from lenet_search.crew.testing import model_file, test
from lenet_search.errors import LenetSearchError
from lenet_search.machine import memory_was_short
from lenet_search.recipe import Images, Recipe
from lenet_search.space import Space

TELL_EVERY = 1.0  # seconds between two messages about an epoch that is under way


class Worker:
    """Fills the slots of its stacks with the runs it receives, and trains an epoch of each stack in turn.

    Changing a stack or sending a message requires the lock. The lock is free while an epoch is computed and while the
    worker waits for orders, so `leave`, on another thread, never waits for long.
    """

    def __init__(self, pipe: "Connection[Any, Any]", setup: Setup, ready: Ready) -> None:
        self._pipe = pipe
        self._setup = setup
        self._ready = ready
        self._splits: dict[Images, data.Split] = {}
        self._benches = Benches(setup.space, ready.slots, self._split)
        self._lock = threading.Lock()

    def serve(self) -> None:
        """Train until the parent closes the pipe."""
        with self._lock:
            while True:
                if not self._benches.busy():
                    self._obey()
                for bench in self._benches.busy():
                    if bench.runs:  # orders after another bench's epoch may have emptied it
                        self._epoch(bench)

    def leave(self) -> None:
        """Freeze all runs, as they were after their last whole epoch, and end the process."""
        with self._lock:
            started = perf_counter()
            self._pipe.send(Froze(self._benches.freeze(), perf_counter() - started, last=True))
            os._exit(0)

    def _obey(self) -> None:
        """Wait for orders and carry them out."""
        with self._unlocked():
            orders: Orders = self._pipe.recv()
        if orders.measure:
            self._measure(orders)
        self._benches.drop(set(orders.drop))
        for load in orders.load:
            self._benches.add(load)
        self._fill()
        if orders.freeze:
            started = perf_counter()
            states = self._benches.freeze()
            self._send(Froze(states, perf_counter() - started))
        for order in orders.test:
            with self._unlocked():
                tested = test(order, self._setup.data_folder)
            self._send(tested)
        for each in orders.build:
            with self._unlocked():
                model = model_file(Recipe.from_values(each.values), each.images, each.weights)
            self._send(Built(model))

    def _measure(self, orders: Orders) -> None:
        """Determine the size of stacks, and report it."""
        from lenet_search.engine.remembered import memory
        from lenet_search.engine.slots import chosen

        def tell(text: str) -> None:
            self._send(Measuring(text))

        space = self._setup.space
        assert isinstance(space, Space)
        size = chosen(space, orders.precision, self._split, orders.measure, memory(), tell)
        self._benches.slots = size.slots
        self._send(replace(self._ready, slots=size.slots, size=size.words))

    def _epoch(self, bench: Bench) -> None:
        """Train all runs of a stack for one epoch, report it, and obey the parent's orders."""
        try:
            with self._unlocked():
                computed = bench.stack.compute(self._teller(bench))
        except Exception as error:
            if not memory_was_short(error):
                raise
            self._send(self._benches.halve(bench))
            self._fill()
            return
        self._send(self._benches.take(bench, computed))
        self._obey()

    def _teller(self, bench: Bench) -> Callable[[float], None]:
        """Tells the parent now and then how far an epoch of a stack is that begins now."""
        numbers = tuple(each.load.number for each in bench.runs.values())
        told = perf_counter()

        def tell(share: float) -> None:
            nonlocal told
            if perf_counter() - told >= TELL_EVERY:
                told = perf_counter()
                with self._lock:
                    self._send(PartDone(numbers, share))

        return tell

    def _fill(self) -> None:
        for refused in self._benches.fill():
            self._send(refused)

    def _split(self, wanted: Images) -> data.Split:
        if wanted not in self._splits:
            self._splits[wanted] = data.load(wanted, self._setup.data_folder)
        return self._splits[wanted]

    def _send(self, message: FromWorker) -> None:
        self._pipe.send(message)

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()


class Lifeline:
    """Watches standard input on its own thread, see `crew/messages.py`."""

    worker: Worker | None = None

    def watch(self) -> None:
        """Leave when a byte arrives or the input closes. Reads the descriptor: `sys.stdin`'s lock blocks the exit."""
        if os.read(0, 1) and self.worker is not None:
            self.worker.leave()
        os._exit(0)


def main(descriptor: int) -> None:
    """Serve the parent at the other end of the pipe `descriptor` until it closes the pipe."""
    for number in SIGNALS:  # Ctrl-C and queues signal every process; only the parent acts on it
        signal.signal(number, signal.SIG_IGN)
    keras_settings.set_aside()
    # Keras imports scikit-learn, if it is installed, for wrappers that no worker uses: an eighth of a worker's start.
    sys.modules["sklearn"] = None  # type: ignore[assignment]
    lifeline = Lifeline()
    threading.Thread(target=lifeline.watch, daemon=True).start()
    pipe: Connection[Any, Any] = Connection(descriptor)
    try:
        setup: Setup = pipe.recv()
        try:
            ready = _ready(setup)
            gc.freeze()  # spares collections TensorFlow's million objects: they take 0.09 s instead of 0.27
            pipe.send(ready)
            lifeline.worker = Worker(pipe, setup, ready)
            lifeline.worker.serve()
        except LenetSearchError as error:
            pipe.send(Trouble(type(error).__name__, str(error)))
        except OSError as error:  # a full disk is not the fault of a run
            if isinstance(error, ConnectionError):
                raise
            pipe.send(Trouble("RunError", f"a worker could not go on: {error}"))
    except (EOFError, ConnectionError):
        pass  # the parent has closed the pipe


def _ready(setup: Setup) -> Ready:
    """Initialize the device, and describe it."""
    from lenet_search.engine import device
    from lenet_search.engine.slots import Size, default

    device.configure(setup.threads)
    match setup.slots:
        case None:
            size = default(setup.runs)
        case "auto":
            size = Size(0, "")  # measured once there are images
        case int():
            size = Size(setup.slots, "")
    precision = device.best_precision() if setup.probe else ""
    return Ready(device.describe(), device.is_gpu(), size.slots, precision, device.versions(), size.words)
