"""The cost of Optuna and the storage in a search with thousands of trials, without training anything.

    python benchmarks/optuna_share.py
    python benchmarks/optuna_share.py --images-per-second 30000 --workers 2 --pruner HyperbandPruner
    python benchmarks/optuna_share.py --stored 10000 --sqlite --json
    python benchmarks/optuna_share.py --ray --workers 64 --slots 4096 --images-per-second 921.6e6 --seconds 60

A storage is filled with `--stored` simulated trials. Then `--trials` more are searched by the real supervisor, ledger,
sampler, pruner and storage, with workers that only sleep for the time that an engine of `--images-per-second` (all
workers together) would train. Two shares of the run's time are reported, from the first orders to the last:

- waiting: the time from a worker's report of an epoch to its next orders, averaged over the workers. It is the loss to
  Optuna and the storage if the parent has its own core;
- busy: processor time of the parent. If workers occupy all cores, it is the most they can lose.

- trained: the time for which the workers trained, averaged over them, from `--after` seconds on. They do not while they
  wait for orders, or have no runs because the parent cannot draw trials as fast as they end.

The workers are processes that pose as GPUs. With --ray, they are actors of a Ray cluster that is started here, with a
core for each worker that it need not have. The last example is 64 GPUs that take 0.2 s for an epoch of 64 slots.
"""

import argparse
import dataclasses
import json
import math
import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from rich.console import Console
from rich.table import Table
from throughput import fill

from lenet_search import study
from lenet_search.crew.crew import Crew
from lenet_search.crew.launcher import Death
from lenet_search.crew.local import Local
from lenet_search.crew.messages import EpochDone, Load, Orders, Ready, RunEpoch, Setup
from lenet_search.crew.places import Place
from lenet_search.crew.signals import Stop
from lenet_search.crew.staff import Staff
from lenet_search.errors import DefinitionChanged
from lenet_search.look.progress import Silent
from lenet_search.run import Curve
from lenet_search.search.ledger import Ledger
from lenet_search.search.searching import Searching
from lenet_search.storage import open_storage

CALLS = {
    "ask": [(Ledger, "ask")],
    "report": [(optuna.Trial, "report")],
    "should_prune": [(optuna.Trial, "should_prune")],
    "tell": [(Ledger, "complete"), (Ledger, "prune")],
    "flush": [(Ledger, "flush")],
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="cifar", help="name or path of a study file (default: cifar)")
    parser.add_argument("--stored", type=int, default=10_000, help="trials stored at the start (default: 10000)")
    parser.add_argument("--trials", type=int, default=256, help="trials to add (default: 256)")
    parser.add_argument("--slots", type=int, default=64, help="slots of all workers together (default: 64)")
    parser.add_argument("--workers", type=int, default=1, help="workers that share the slots (default: 1)")
    parser.add_argument("--epochs", type=int, default=30, help="epochs of every trial (default: 30)")
    parser.add_argument("--images", type=int, default=45_000, help="images per epoch (default: 45000)")
    parser.add_argument("--images-per-second", type=float, default=2e6, help="simulated speed (default: 2000000)")
    parser.add_argument("--sampler", help="an Optuna sampler (default: as the study says)")
    parser.add_argument("--pruner", help="an Optuna pruner (default: as the study says)")
    parser.add_argument("--sqlite", action="store_true", help="use an SQLite database instead of a journal")
    parser.add_argument("--filled", type=Path, help="storage file with the simulated trials; created if missing")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after this time (default: never)")
    parser.add_argument("--after", type=float, default=0.0, help="seconds until workers count as trained (default: 0)")
    parser.add_argument("--ray", action="store_true", help="use actors of a Ray cluster as workers")
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser.parse_args()


def main() -> None:
    """Fill a storage, add trials, and report."""
    options = arguments()
    out = Console(stderr=options.json)
    changes = [f"train.epochs={options.epochs}"]
    changes += [
        f"study.{part}={{ kind = '{kind}' }}" for part in ("sampler", "pruner") if (kind := vars(options)[part])
    ]
    definition = study.read(options.study, overrides=changes, name="share")
    # What a study tries first would wait as trial 0 behind all simulated ones.
    definition = dataclasses.replace(definition, start=(), reference=False, portfolio=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "share.storage"
        address = f"sqlite:///{file}" if options.sqlite else str(file)
        if options.filled is None or not options.filled.exists():
            out.print(f"storing {options.stored} simulated trials", style="dim")
            fill(definition, address, options.stored)
            if options.filled is not None:
                shutil.copy(file, options.filled)
        else:
            shutil.copy(options.filled, file)
        began = time.monotonic()
        storage = open_storage(address, create=False, batched=True)
        try:
            ledger = Ledger(definition, storage, Path(folder), options.stored + options.trials)
        except DefinitionChanged:
            raise SystemExit(
                f"{options.filled} was filled for another study, sampler, pruner or number of epochs: choose another "
                "file with --filled"
            ) from None
        opened = time.monotonic() - began
        result = {"opening_seconds": opened, **measure(options, ledger, Path(folder))}
    report(options, result, out)
    if options.json:
        settings = {name: value for name, value in vars(options).items() if name not in ("filled", "json")}
        print(json.dumps({**settings, **result}))


def measure(options: argparse.Namespace, ledger: Ledger, folder: Path) -> dict[str, Any]:
    """Search with sleeping workers."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in CALLS}
    for name, methods in CALLS.items():
        for owner, method in methods:
            setattr(owner, method, timed(getattr(owner, method), spent[name]))
    slots = max(1, options.slots // options.workers)
    setup = Setup(ledger.definition.space, 1, slots, None)
    launcher = launcher_for(options, setup)
    crew = Crew(Staff(launcher, setup), Silent(), Stop())
    cpu = time.process_time()
    crew.run(Searching(ledger, Silent(), slots), time.monotonic() + options.seconds)
    cpu = time.process_time() - cpu
    sleepers = [each for each in launcher.diaries if not math.isnan(each.began)]
    begin, end = min(each.began for each in sleepers), max(each.ended for each in sleepers)
    seconds, settled = end - begin, begin + options.after
    slept = sum(to - max(since, settled) for each in sleepers for since, to in each.slept if to > settled)
    return {
        "seconds": seconds,
        "trained_share": slept / options.workers / (end - settled),
        "waiting_share": statistics.mean(each.waited for each in sleepers) / seconds,
        "busy_share": cpu / seconds,
        "epochs_in_vain": crew.pace.vain,
        "reports_per_second": len(spent["report"]) / seconds,
        "calls": {
            name: {
                "count": len(times),
                "median_ms": 1e3 * statistics.median(wall for wall, _ in times),
                "median_cpu_ms": 1e3 * statistics.median(cpu for _, cpu in times),
                "total_seconds": sum(wall for wall, _ in times),
                "total_cpu_seconds": sum(cpu for _, cpu in times),
            }
            for name, times in spent.items()
            if times
        },
    }


def timed(call: Callable[..., Any], spent: list[tuple[float, float]]) -> Callable[..., Any]:
    """The same call; its seconds and its seconds of processor time are added to `spent`."""

    def timed_call(*given: Any, **named: Any) -> Any:
        began, cpu = time.perf_counter(), time.thread_time()
        try:
            return call(*given, **named)
        finally:
            spent.append((time.perf_counter() - began, time.thread_time() - cpu))

    return timed_call


@dataclasses.dataclass
class Diary:
    """What a sleeper did, in seconds: `began` and `ended` on the monotonic clock, which a machine's processes share."""

    began: float = math.nan
    ended: float = math.nan
    slept: list[tuple[float, float]] = dataclasses.field(default_factory=list)  # from and to, as if it trained
    waited: float = 0.0  # for orders


class Sleepers(Local):
    """Starts sleepers, each of which pretends to train `images_per_second` in epochs of `images`.

    They are processes, as workers are: a thread would wait for the parent's lock each time it wakes.
    """

    def __init__(self, workers: int, images: int, images_per_second: float) -> None:
        super().__init__(workers)
        self._places = [dataclasses.replace(place, gpu=str(n)) for n, place in enumerate(self._places)]
        self.diaries: list[Diary] = []
        self._speed = images, images_per_second
        self._started: list[Sleeper] = []

    def start(self, place: Place, log: Path) -> "Sleeper":
        """Start a sleeper."""
        self._started.append(Sleeper(SpawnProcess, *self._speed))
        return self._started[-1]

    def close(self) -> None:
        """Read the diaries; the sleepers have ended."""
        self.diaries = [each.diary for each in self._started]


def launcher_for(options: argparse.Namespace, setup: Setup) -> Any:
    """Sleepers, with --ray in actors; its `diaries` tell what they did, once it is closed."""
    images, rate = options.images, options.images_per_second / options.workers
    if not options.ray:
        return Sleepers(options.workers, images, rate)
    from lenet_search.crew.fleet.cluster import QUIET

    os.environ.update(QUIET)
    import ray
    from ray.cluster_utils import Cluster

    from lenet_search.crew.fleet.fleet import Fleet
    from lenet_search.crew.fleet.host import Host
    from lenet_search.crew.fleet.shipping import Shipping

    class SleepingHost(Host):
        """Starts sleepers."""

        def __init__(self) -> None:
            super().__init__()
            self._started: list[Sleeper] = []

        def _launch(self, place: Place, log: Path, environment: Any) -> Any:
            self._started.append(Sleeper(threading.Thread, images, rate))
            log.touch()
            return self._started[-1]

        def diaries(self) -> list[Diary]:
            return [each.diary for each in self._started]

    class NoImages(Shipping):
        """Sleepers need none."""

        def needed(self, message: Orders) -> list[Any]:
            return []

    class SleepingFleet(Fleet):
        """Keeps the diaries when it is closed."""

        host = SleepingHost

        def __init__(self) -> None:
            head = {"num_cpus": options.workers, "num_gpus": 0, "include_dashboard": False}
            cluster = Cluster(initialize_head=True, head_node_args=head)
            super().__init__(cluster.address, options.workers, setup, Silent())
            self._shipping = NoImages(None, None)
            self._started = cluster
            self.diaries: list[Diary] = []

        def close(self) -> None:
            if self._couriers:
                answers = [courier.call("diaries") for _, courier in self._couriers]
                self.diaries = [diary for each in ray.get(answers) for diary in each]
            super().close()
            self._started.shutdown()

    return SleepingFleet()


class Sleeper:
    """A process, or a thread of one, that sleeps instead of training.

    Args:
        kind: which of the two to start
        images: images per epoch
        images_per_second: how many it pretends to train
    """

    def __init__(
        self, kind: "type[SpawnProcess] | type[threading.Thread]", images: int, images_per_second: float
    ) -> None:
        self.pipe, theirs = Pipe()
        self._diary = Diary()
        self._last_words, last_words = Pipe(duplex=False)
        self._is_thread = kind is threading.Thread
        kind(target=sleep, args=(theirs, last_words, self._diary, images, images_per_second), daemon=True).start()
        if not self._is_thread:
            theirs.close()

    @property
    def diary(self) -> Diary:
        """What it has done; a process tells it when it has ended."""
        diary: Diary = self._diary if self._is_thread else self._last_words.recv()
        return diary

    def send(self, message: Setup | Orders) -> None:
        """As to a worker."""
        self.pipe.send(message)

    def ask_to_leave(self) -> None:
        """It has nothing to freeze."""

    def kill(self) -> None:
        """As a worker's."""
        self.pipe.close()

    def death(self) -> Death:
        """It never dies."""
        return Death("a sleeper ended")


def sleep(
    pipe: "Connection[Any, Any]",
    last_words: "Connection[Any, Any]",
    diary: Diary,
    images: int,
    images_per_second: float,
) -> None:
    """A sleeper's life, until its parent closes the pipe; then it sends its diary."""
    slots = pipe.recv().slots
    running: dict[int, tuple[Load, int]] = {}
    ceilings: dict[int, float] = {}
    pipe.send(Ready("made up", True, slots, versions={"keras": "0"}))
    try:
        while True:
            idle = not running
            asked = time.monotonic()
            orders: Orders = pipe.recv()
            now = time.monotonic()
            if not idle:
                diary.waited += now - asked
            elif math.isnan(diary.began):
                diary.began = now
            diary.ended = now
            for number in orders.drop:
                del running[number]
            running |= {job.number: (job, 0) for job in orders.load}
            ceilings |= {job.number: random.Random(job.number).betavariate(6, 4) for job in orders.load}
            if not running:
                continue
            time.sleep(len(running) * images / images_per_second)
            diary.slept.append((now, time.monotonic()))
            running = {number: (job, epoch + 1) for number, (job, epoch) in running.items()}
            done = [made_up_epoch(job, epoch, ceilings[job.number], images) for job, epoch in running.values()]
            running = {n: each for n, each in running.items() if each[1] < each[0].values["train.epochs"]}
            pipe.send(EpochDone(tuple(done), {"name": "made up"}, slots - len(running)))
    except (EOFError, OSError):
        last_words.send(diary)  # the search is over


def made_up_epoch(load: Load, epoch: int, ceiling: float, images: int) -> RunEpoch:
    """What a worker would report of an epoch."""
    value = ceiling * (1 - math.exp(-epoch / 3))
    weights = {"all": np.zeros(62_006, np.float32)} if epoch == load.values["train.epochs"] else None
    measured = dict.fromkeys(Curve.NAMES, value)
    return RunEpoch(load.number, epoch - 1, epoch, measured, images, True, weights)


def report(options: argparse.Namespace, result: dict[str, Any], out: Console) -> None:
    """A table for people."""
    made = Table(title=f"{options.trials} trials of {options.study} with {options.stored} stored trials")
    for heading in ("call", "count", "median ms", "median CPU ms", "seconds", "CPU seconds"):
        made.add_column(heading, justify="left" if heading == "call" else "right")
    for name, each in result["calls"].items():
        made.add_row(
            name,
            f"{each['count']}",
            *(f"{each[key]:.2f}" for key in ("median_ms", "median_cpu_ms", "total_seconds", "total_cpu_seconds")),
        )
    made.add_section()
    made.add_row("whole run", "", "", "", f"{result['seconds']:.1f}")
    made.add_row("workers training", "", "", "", f"{result['trained_share']:.1%}")
    made.add_row("workers waiting", "", "", "", f"{result['waiting_share']:.1%}")
    made.add_row("parent busy", "", "", "", "", f"{result['busy_share']:.1%}")
    out.print(made)
    out.print(f"Pruned trials trained {result['epochs_in_vain']} epochs in vain.")
    out.print(f"Opening the storage took {result['opening_seconds']:.1f} s.")


if __name__ == "__main__":
    main()
