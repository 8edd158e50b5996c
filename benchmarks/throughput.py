"""How many trials per hour: this tool against the ordinary way, on the same machine, data, space and epochs.

    python benchmarks/throughput.py --study cifar --trials 16 --epochs 4 --data FOLDER
    python benchmarks/throughput.py --memory --study digits
    python benchmarks/throughput.py --overhead --study cifar --trials 16 --epochs 4 --data FOLDER

The first compares three ways to run one study without pruning: `lenet-search run`; the ordinary objective of
`plain.py`, one trial after the other; and the same objective in as many processes as there are cores, each with one
thread, against one journal. `--tuned` adds the objective in its tuned style, one trial after the other on all cores.
Times are those of whole processes, start-up and compilation included. With `--repeat` the ways take turns, and medians
are reported.
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lenet_search.search.devices import usable_cores

HERE = Path(__file__).resolve().parent
NO_PRUNING = 'study.pruner={ kind = "NopPruner" }'


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="cifar", help="name or path of a study file (default: cifar)")
    parser.add_argument("--trials", type=int, help="trials of each way (default: 16, with --memory 200)")
    parser.add_argument("--epochs", type=int, help="epochs of every trial (default: as the study says)")
    parser.add_argument("--limit", type=int, help="use only the first n training images")
    parser.add_argument("--data", type=Path, help="folder that is looked at first for NAME.npz")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    parser.add_argument("--repeat", type=int, default=1, help="how often each way takes its turn (default: 1)")
    parser.add_argument("--tuned", action="store_true", help="compare with the tuned objective too")
    parser.add_argument("--cores", type=int, help="processes of the parallel ordinary way (default: one per core)")
    parser.add_argument("--stored", type=int, default=1000, help="trials in the storage for --overhead (default: 1000)")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout, everything else on stderr"
    )
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--memory", action="store_true", help="measure the memory of this tool's workers instead")
    other.add_argument("--overhead", action="store_true", help="measure what Optuna and storage cost instead")
    options = parser.parse_args()
    options.trials = options.trials or (200 if options.memory else 16)
    options.cores = options.cores or usable_cores()
    return options


def main() -> None:
    """Measure what was asked for."""
    options = arguments()
    sys.path.insert(0, str(HERE.parent))  # this checkout's package, as `environment` gives it to the others
    out = Console(stderr=options.json)
    measure = memory if options.memory else overhead if options.overhead else throughput
    result = measure(options, out)
    if options.json:
        print(json.dumps(result))


# Trials per hour ------------------------------------------------------------------------------------------------


def throughput(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Run the ways in turns; trials per hour of each and the ratios."""
    ways: dict[str, Callable[[Path], list[list[str]]]] = {
        "lenet_search": lambda folder: [tool(options, folder)],
        "ordinary": lambda folder: [plain(options, folder)],
        "ordinary_parallel": lambda folder: [plain(options, folder, "--threads", "1")] * options.cores,
    }
    if options.tuned:
        ways["tuned"] = lambda folder: [plain(options, folder, "--style", "tuned")]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(options.repeat):
        for way, commands in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                taken = timed(commands(Path(folder)), Path(folder))
            seconds[way].append(taken)
            out.print(f"turn {turn + 1}: {way} took {taken:.1f} s for {options.trials} trials", style="dim")
    rate = {way: options.trials * 3600 / statistics.median(taken) for way, taken in seconds.items()}
    ratios = {way: rate["lenet_search"] / rate[way] for way in ways if way != "lenet_search"}
    result = {
        "study": options.study, "trials": options.trials, "epochs": options.epochs, "limit": options.limit,
        "cores": options.cores, "repeat": options.repeat, "seconds": seconds,
        "trials_per_hour": rate, "ratio_to": ratios,
    }  # fmt: skip
    made = Table(title=f"{options.study}: {options.trials} trials of {options.epochs or 'its own'} epochs")
    for heading in ("way", "seconds (median)", "trials per hour", "lenet-search is faster by"):
        made.add_column(heading, justify="left" if heading == "way" else "right")
    for way in ways:
        ratio = f"{ratios[way]:.2f} times" if way in ratios else ""
        made.add_row(way, f"{statistics.median(seconds[way]):.1f}", f"{rate[way]:,.0f}", ratio)
    out.print(made)
    return result


def overrides(options: argparse.Namespace) -> list[str]:
    """What all ways change in the study file: no pruning, so that all run the same number of epochs."""
    found = [NO_PRUNING, *options.overrides]
    found += [f"train.epochs={options.epochs}"] if options.epochs else []
    return found + ([f"data.limit={options.limit}"] if options.limit else [])


def tool(options: argparse.Namespace, folder: Path, *more: str) -> list[str]:
    """The command of this tool."""
    command = [sys.executable, "-m", "lenet_search", "run", "--study", options.study, "--trials", str(options.trials)]
    command += ["--storage", str(folder / "tool.journal"), "--json", *more]
    command += [part for text in overrides(options) for part in ("--set", text)]
    return command + (["--data", str(options.data)] if options.data else [])


def plain(options: argparse.Namespace, folder: Path, *more: str) -> list[str]:
    """The command of the ordinary way."""
    command = [sys.executable, str(HERE / "plain.py"), "--study", options.study, "--trials", str(options.trials)]
    command += ["--storage", str(folder / "plain.journal"), *more]
    command += [part for text in overrides(options) for part in ("--set", text)]
    return command + (["--data", str(options.data)] if options.data else [])


def timed(commands: list[list[str]], folder: Path) -> float:
    """Seconds until the last of the commands, started together, has ended.

    Raises:
        SystemExit: if one of them fails, with what it said.
    """
    logs = [folder / f"{number}.log" for number in range(len(commands))]
    started = time.monotonic()
    running = []
    for command, log in zip(commands, logs, strict=True):
        with log.open("w") as said:
            running.append(subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment()))
    codes = [process.wait() for process in running]
    taken = time.monotonic() - started
    for code, command, log in zip(codes, commands, logs, strict=True):
        if code:
            raise SystemExit(f"{' '.join(command)}\nended with exit code {code}:\n{log.read_text()[-3000:]}")
    return taken


def environment() -> dict[str, str]:
    """The package of this checkout, for all ways."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}


# Memory ---------------------------------------------------------------------------------------------------------


def memory(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Memory of each worker over a run: the last quarter of its samples against the first, medians in MiB."""
    samples: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        process = subprocess.Popen(tool(options, Path(folder)), stdout=log, stderr=subprocess.STDOUT, env=environment())
        while process.poll() is None:
            for pid in workers_of(process.pid):
                if (size := resident(pid)) is not None:
                    samples.setdefault(pid, []).append(size)
            time.sleep(0.25)
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"the run ended with exit code {process.returncode}:\n{log.read()[-3000:]}")
    workers = {str(pid): quarters(sizes) for pid, sizes in samples.items() if len(sizes) >= 8}
    made = Table(title=f"Memory of the workers over {options.trials} trials of {options.study}, median MiB")
    for heading in ("worker", "1st quarter", "2nd", "3rd", "4th", "4th against 1st"):
        made.add_column(heading, justify="right")
    growth = {pid: sizes[-1] / sizes[0] - 1 for pid, sizes in workers.items()}
    for pid, sizes in workers.items():
        made.add_row(pid, *(f"{size:.0f}" for size in sizes), f"{growth[pid]:+.1%}")
    out.print(made)
    return {"study": options.study, "trials": options.trials, "median_mib_by_quarter": workers, "growth": growth}


def workers_of(parent: int) -> list[int]:
    """The worker processes of a run (Linux)."""
    found = []
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return []
    for child in map(int, children):
        with contextlib.suppress(OSError):
            if "lenet_search.search.worker" in Path(f"/proc/{child}/cmdline").read_text():
                found.append(child)
    return found


def resident(pid: int) -> float | None:
    """Resident memory in MiB, None for a process that has ended (Linux)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 or None


def quarters(sizes: list[float]) -> list[float]:
    """The median of each quarter of the samples, those before the worker had its images left out.

    A worker's first seconds are TensorFlow's start and the first compilation: they end where its memory first
    reaches 80 % of its median.
    """
    enough = 0.8 * statistics.median(sizes)
    begun = sizes[next(place for place, size in enumerate(sizes) if size >= enough) :]
    edges = [len(begun) * part // 4 for part in range(5)]
    return [statistics.median(begun[low : max(high, low + 1)]) for low, high in itertools.pairwise(edges)]


# Optuna and storage ---------------------------------------------------------------------------------------------


def overhead(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """The share of a run's time that goes to Optuna and the storage, with `--stored` trials in the storage.

    A storage is filled with made-up trials of the study's own space, then `--trials` real ones are run on top of
    them. Timed is everything that the parent does with the Optuna study (asking, reporting, pruning, telling,
    counting), each call from outside once.
    """
    from lenet_search import search, study
    from lenet_search.search.ledger import Ledger

    own_pruner = [text for text in overrides(options) if text != NO_PRUNING]  # its cost belongs to the measurement
    definition = study.read(options.study, overrides=own_pruner, name="overhead")
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "overhead.journal"
        fill(definition, journal, options.stored)
        out.print(f"{options.stored} made-up trials are stored; now {options.trials} real ones", style="dim")
        clock = Stopwatch()
        for name, method in list(vars(Ledger).items()):
            if callable(method) and (name == "__init__" or not name.startswith("_")):
                setattr(Ledger, name, clock.timing(method, name))
        started = time.monotonic()
        summary = search.run(
            definition, storage=str(journal), trials=options.stored + options.trials, data_folder=options.data
        )
        taken = time.monotonic() - started
    result = {
        "study": options.study, "stored": options.stored, "trials": options.trials, "seconds": taken,
        "optuna_and_storage_seconds": clock.total, "share": clock.total / taken,
        "seconds_by_call": dict(sorted(clock.by_name.items(), key=lambda each: -each[1])),
        "trials_per_hour": summary.trials_per_hour,
    }  # fmt: skip
    made = Table(title=f"{options.trials} trials of {options.study} at {options.stored} stored ones")
    for heading in ("call", "seconds", "share of the run"):
        made.add_column(heading, justify="left" if heading == "call" else "right")
    for name, spent in result["seconds_by_call"].items():
        made.add_row(name, f"{spent:.2f}", f"{spent / taken:.2%}")
    made.add_section()
    made.add_row("all of Optuna and storage", f"{clock.total:.2f}", f"{clock.total / taken:.2%}")
    made.add_row("the whole run", f"{taken:.2f}", "100 %")
    out.print(made)
    return result


class Stopwatch:
    """Adds up the time of calls from outside; calls that timed calls make are not counted twice."""

    def __init__(self) -> None:
        self.total = 0.0
        self.by_name: dict[str, float] = {}
        self._inside = False

    def timing(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The same call, timed under `name`."""

        def timed_call(*given: Any, **named: Any) -> Any:
            if self._inside:
                return call(*given, **named)
            self._inside, started = True, time.monotonic()
            try:
                return call(*given, **named)
            finally:
                self._inside, spent = False, time.monotonic() - started
                self.total += spent
                self.by_name[name] = self.by_name.get(name, 0.0) + spent

        return timed_call


def fill(definition: Any, journal: Path, count: int) -> None:
    """Store `count` complete trials of random recipes: as many reports and attributes as real ones have."""
    import math
    import random

    import optuna

    from lenet_search.recipe import Recipe
    from lenet_search.search.ledger import Ledger
    from lenet_search.storage import CURVES, Record, open_storage

    storage = open_storage(str(journal), create=True)
    made_up = Ledger(definition, storage, journal.parent, count)
    drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    luck = random.Random(0)
    trials = []
    for number in range(count):
        trial = drawn.ask()
        recipe = Recipe.from_values(definition.space.sample(trial))
        final = luck.betavariate(6, 4)
        curve = [final * (1 - math.exp(-(epoch + 1) / 3)) for epoch in range(recipe.train.epochs)]
        record = Record(
            recipe=recipe, seed=number, clock=0, versions={"lenet-search": "0"}, device="made up", seconds=1.0,
            curve={name: curve for name in CURVES}, images={"validation": 5000},
        )  # fmt: skip
        trials.append(
            optuna.create_trial(
                params=trial.params,
                distributions=trial.distributions,
                value=curve[-1],
                intermediate_values=dict(enumerate(curve, 1)),
                user_attrs=record.attributes(),
            )
        )
    made_up.study.add_trials(trials)
    made_up.beat(over=True)


if __name__ == "__main__":
    main()
