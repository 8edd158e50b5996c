"""How much memory workers take over a whole search: many structures, each of which is compiled as its own program.

    python benchmarks/memory.py                              # 200 trials, nearly each of another structure
    python benchmarks/memory.py --against FOLDER --repeat 3  # another checkout of this repository too, in turns
    python benchmarks/memory.py --study digits               # a study as it stands, without pruning

Memory is what the largest worker has resident (Linux), 500 MiB of TensorFlow's own code included, which all workers
share. The report compares the largest value after a mark with the value at the mark: when each worker has met 20
structures on average, or, in a study with fewer, when a quarter of the trials have begun.
"""

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import ways
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(ways.HERE.parent))  # this checkout's package

from lenet_search.machine import usable_cores
from lenet_search.storage import open_storage

STRUCTURAL = ("model.width", "model.activation", "model.pooling", "train.batch_size")
MANY = [  # 640 structures
    "model.width={choices=[0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2,1.3,1.4,1.5,1.6,1.7,1.8,1.9,2.0]}",
    "model.activation={choices=['tanh','relu','elu','gelu','silu']}", "model.pooling={choices=['average','max']}",
    "train.batch_size={choices=[16,32,48,64]}", "study.sampler={kind='RandomSampler',seed=1}",
]  # fmt: skip
MARK = 20  # structures per worker, after which memory should no longer grow


class Course(NamedTuple):
    """A search: its pace, and the memory of its largest worker in MiB."""

    trials_per_hour: float
    structures: int  # that its trials had, all together
    at_mark: float
    highest_after: float
    ratio: float


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", help="name or path of a study file (default: digits, with many structures)")
    parser.add_argument("--trials", type=int, default=200, help="of each search (default: 200)")
    parser.add_argument("--epochs", type=int, help="of every trial (default: 2, of a --study as it says)")
    parser.set_defaults(limit=None)
    parser.add_argument("--data", type=Path, help="folder searched for NAME.npz before downloading")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    parser.add_argument("--workers", type=int, default=usable_cores(), help="processes (default: one per core)")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout to measure in turns")
    parser.add_argument("--repeat", type=int, default=1, help="searches of each checkout (default: 1)")
    parser.add_argument("--quick", action="store_true", help="four trials on few images, to see that it works")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, everything else on stderr")
    options = parser.parse_args()
    if options.against and not (options.against / "lenet_search").is_dir():
        parser.error(f"--against: expected a checkout with the package lenet_search, received {options.against}")
    if options.study is None:
        options.study, options.epochs = "digits", options.epochs or 2
        options.overrides = [*MANY, *options.overrides]
    if options.quick:
        options.trials, options.epochs, options.limit, options.workers = 4, 1, 500, 1
    return options


def main() -> None:
    """Measure the searches in turns, and report medians."""
    options = arguments()
    out = Console(stderr=options.json)
    checkouts = [ways.HERE.parent, *([options.against.resolve()] if options.against else [])]
    courses: dict[Path, list[Course]] = {folder: [] for folder in checkouts}
    for _ in range(options.repeat):
        for folder, done in courses.items():
            done.append(search(options, folder))
            out.print(f"{folder}: {done[-1]}", style="dim")
    made = Table(title=f"{options.trials} trials on {options.workers} workers, medians of {options.repeat}")
    for heading in ("checkout", "trials/hour", "structures", "MiB at the mark", "highest MiB after", "ratio"):
        made.add_column(heading, justify="right")
    for folder, done in courses.items():
        *middle, ratio = map(statistics.median, zip(*done, strict=True))
        made.add_row(str(folder), *(f"{value:.0f}" for value in middle), f"{ratio:.2f}")
    out.print(made)
    if options.json:
        print(json.dumps({str(folder): [course._asdict() for course in done] for folder, done in courses.items()}))


def search(options: argparse.Namespace, checkout: Path) -> Course:
    """Run a search by the package in `checkout`; ends the benchmark with what the search said if it fails."""
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        command = ways.tool(options, Path(folder), "--workers", str(options.workers))
        if not (checkout / "lenet_search" / "study" / "confirming.py").is_file():  # a version without the option
            command.remove(ways.NO_RACE)
        if not (checkout / "lenet_search" / "study" / "portfolio.py").is_file():
            place = command.index(ways.NO_PORTFOLIO)
            del command[place - 1 : place + 1]
        environment = os.environ | {"PYTHONPATH": str(checkout)}
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
        while process.poll() is None:
            samples.append((time.time(), max(map(resident, workers_of(process.pid)), default=0.0)))
            time.sleep(0.25)
        seconds = time.monotonic() - started
        if process.returncode:
            log.seek(0)
            raise SystemExit(f"{checkout}: exit code {process.returncode}:\n{log.read()[-3000:]}")
        begun = trials_begun(Path(folder) / "tool.journal")
    met = [len({structure for _, structure in begun[: place + 1]}) for place in range(len(begun))]
    enough = (place for place, count in enumerate(met) if count >= MARK * options.workers)
    mark = begun[next(enough, len(begun) // 4)][0]
    later = [size for moment, size in samples if moment >= mark and size]
    return Course(3600 * len(begun) / seconds, met[-1], later[0], max(later), max(later) / later[0])


def trials_begun(journal: Path) -> list[tuple[float, Any]]:
    """When each trial began, in seconds since 1970, and what it does not share with trials of other structures."""
    storage = open_storage(str(journal), create=False)
    (study,) = storage.get_all_studies()
    trials = storage.get_all_trials(study._study_id)
    begun = [(t.datetime_start.timestamp(), tuple(t.params.get(name) for name in STRUCTURAL)) for t in trials]
    return sorted(begun, key=lambda each: each[0])


def workers_of(parent: int) -> list[int]:
    """The worker processes of a run."""
    found = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            if re.search(r"lenet_search\.\w+\.worker", Path(f"/proc/{child}/cmdline").read_text()):
                found.append(int(child))
    return found


def resident(pid: int) -> float:
    """Resident memory in MiB, 0 for a process that has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError):
        return 0.0


if __name__ == "__main__":
    main()
