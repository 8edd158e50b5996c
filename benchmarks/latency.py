"""How many epochs and trials a database takes at some distance, written in batches and by plain Optuna calls.

    python benchmarks/latency.py
    python benchmarks/latency.py --round-trips 0 20 --slots 16 --epochs 8 --json

PostgreSQL is started on this machine, behind a line whose round trips take as long as `--round-trips` says. One stack
of `--slots` trials is asked for, reported for `--epochs` epochs and told, by the real ledger with its sampler and
pruner; nothing is trained. `plain` writes each note in its own transaction, as Optuna does.

Needs the dev extra, and PostgreSQL from Debian's packages.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from lenet_search import study
from lenet_search.run import Curve
from lenet_search.search.ledger import Ledger
from lenet_search.search.replicates import TrialJob
from lenet_search.storage import open_storage

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from servers import PostgreSQL
from slow_line import SlowLine


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="cifar", help="name or path of a study file (default: cifar)")
    parser.add_argument("--slots", type=int, default=8, help="trials side by side (default: 8)")
    parser.add_argument("--epochs", type=int, default=4, help="epochs of every trial (default: 4)")
    parser.add_argument(
        "--round-trips", type=float, nargs="+", default=[0, 5, 50], metavar="MS", help="in ms (default: 0 5 50)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser.parse_args()


def main() -> None:
    """Measure both ways at every distance, in turn."""
    options = arguments()
    definition = study.read(options.study, overrides=[f"train.epochs={options.epochs}"], name="latency")
    server = PostgreSQL()
    results = []
    try:
        server.start()
        for milliseconds in options.round_trips:
            for batched in (False, True):
                with SlowLine(server.port, milliseconds / 1000) as line, tempfile.TemporaryDirectory() as folder:
                    url = server.new().replace(f":{server.port}/", f":{line.port}/")
                    storage = open_storage(url, create=True, batched=batched)
                    ledger = Ledger(definition, storage, Path(folder), options.slots)
                    measured = measure(ledger, options.slots, options.epochs, lambda line=line: line.questions)
                results.append({"round_trip_ms": milliseconds, "batched": batched, **measured})
    finally:
        server.close()
    report(options, results)
    if options.json:
        settings = {name: value for name, value in vars(options).items() if name != "json"}
        print(json.dumps({**settings, "results": results}))


def measure(ledger: Ledger, slots: int, epochs: int, questions: Callable[[], int]) -> dict[str, float]:
    """Seconds and round trips for an epoch of the stack, and for beginning and ending one trial."""

    def now() -> np.ndarray:
        return np.array([time.monotonic(), questions()])

    began = now()
    jobs = [job for _ in range(slots) if (job := ledger.ask()) is not None]
    asked = now()
    for _ in range(epochs):
        for job in jobs:
            train(job)
            ledger.report(job, job.run.curve[ledger.definition.metric][-1])
        ledger.flush()
    reported = now()
    for job in jobs:
        ledger.complete(job, job.run.curve[ledger.definition.metric][-1], None)
    told = now()
    took = {"epoch": (reported - asked) / epochs, "ask": (asked - began) / slots, "tell": (told - reported) / slots}
    return {
        f"{name}_{unit}": float(value)
        for name, values in took.items()
        for unit, value in zip(("seconds", "round_trips"), values, strict=True)
    }


def train(job: TrialJob) -> None:
    """Note an epoch of a trial, better than the last one, so that no pruner ends it."""
    run = job.run
    run.images, run.device, run.versions = {"name": "made up"}, "none", {"keras": "0"}
    run.add(run.epochs, dict.fromkeys(Curve.NAMES, 1 - 0.5**run.epochs), finite=True, seconds=1.0)


def report(options: argparse.Namespace, results: list[dict[str, Any]]) -> None:
    """A table for people."""
    made = Table(title=f"Seconds and round trips: a stack of {options.slots} slots, {options.epochs} epochs")
    for heading in ("round trip", "way", "epoch of the stack", "ask for a trial", "tell a trial"):
        made.add_column(heading, justify="left" if heading == "way" else "right")
    for each in results:
        made.add_row(
            f"{each['round_trip_ms']:g} ms",
            "batched" if each["batched"] else "plain",
            *(
                f"{each[f'{call}_seconds']:.2f} s, {each[f'{call}_round_trips']:.0f}"
                for call in ("epoch", "ask", "tell")
            ),
        )
    Console(stderr=options.json).print(made)


if __name__ == "__main__":
    main()
