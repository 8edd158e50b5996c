"""A study's timeline, seen from outside: from the command to its first epoch, its last epoch and its last line.

    python benchmarks/timeline.py --trials 100 --epochs 30 --data FOLDER --goals goals.json
    python benchmarks/timeline.py --trials 100 --epochs 30 --data FOLDER --until-first-epoch

Runs `lenet-search run` in a process of its own, without pruning and without the race on fresh seeds, and reads in the
study's journal when epochs are reported. `--goals`, from `goals.py --json`, has the engine's own rate to compare with.
Where one of the packages that the command needs is missing (typer, plotly, optuna-dashboard), the study runs
through `lenet_search.search` instead, without showing progress and without notes for a dashboard.
"""

import argparse
import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import command_line
from ways import NO_PRUNING, NO_RACE, environment, stop

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # this checkout's package

from measure import targets  # noqa: E402
from measure.journal import Journal  # noqa: E402

FOR_THE_COMMAND = ("typer", "plotly", "optuna_dashboard")
API = """
import json, sys
from pathlib import Path
from lenet_search import search, study
from lenet_search.look.progress import Silent
given = json.loads(sys.argv[1])
definition = study.read(given["study"], overrides=given["overrides"])
summary = search.run(definition, view=Silent(), data_folder=given["data"] and Path(given["data"]), **given["run"])
print(json.dumps(summary.to_json()))
"""
LOOK = 0.02  # seconds between two looks into the journal


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = command_line.parser(__doc__, "timeline.journal")
    parser.set_defaults(storage=None, trials=100)
    parser.add_argument("--slots", type=int, help="as in run")
    parser.add_argument("--workers", type=int, default=1, help="as in run (default: 1, which --goals is about)")
    parser.add_argument("--goals", type=Path, metavar="FILE", help="output of goals.py --json")
    parser.add_argument("--until-first-epoch", action="store_true", help="stop the study there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the timeline there")
    return parser.parse_args(given)


def command(options: argparse.Namespace, overrides: list[str], storage: Path) -> list[str]:
    """What is timed."""
    if all(importlib.util.find_spec(name) for name in FOR_THE_COMMAND):
        line = [sys.executable, "-m", "lenet_search", "run", "--study", options.study, NO_RACE]
        line += ["--trials", str(options.trials), "--workers", str(options.workers), "--storage", str(storage)]
        line += [part for text in overrides for part in ("--set", text)]
        line += ["--slots", str(options.slots)] if options.slots else []
        return line + (["--data", str(options.data)] if options.data else [])
    run = {"storage": str(storage), "trials": options.trials, "workers": options.workers, "slots": options.slots}
    given = {"study": options.study, "overrides": overrides, "data": options.data and str(options.data), "run": run}
    return [sys.executable, "-c", API, json.dumps(given)]


def watched(line: list[str], storage: Path, *, until_first_epoch: bool) -> tuple[Journal, float, int]:
    """Run a study; returns its journal with seconds since the command, the seconds of all, and its exit status."""
    journal, stopped = Journal(storage), False
    started = time.perf_counter()
    process = subprocess.Popen(line, env=environment())
    try:
        while process.poll() is None:
            journal.look(time.perf_counter() - started)
            if until_first_epoch and journal.reports and not stopped:
                process.send_signal(signal.SIGTERM)  # it freezes its runs and ends
                stopped = True
            time.sleep(LOOK)
    finally:
        stop([process])
    seconds = time.perf_counter() - started
    journal.look(seconds)
    return journal, seconds, 0 if stopped else process.returncode


def told(options: argparse.Namespace, journal: Journal, seconds: float, images: int) -> dict[str, Any]:
    """Print the timeline; returns it."""
    first, last = journal.reports[0], journal.reports[-1]
    print(f"first epoch      {first:8.1f} s after the command", flush=True)
    found: dict[str, Any] = {"first_epoch_seconds": first}
    if options.until_first_epoch:
        return found
    whole = f"; goal {targets.STUDY:.0f} s for 100 trials of 30 epochs on an H100" if options.study == "cifar" else ""
    print(f"last epoch       {last:8.1f} s")
    print(f"last line        {seconds:8.1f} s ({journal.complete} of {options.trials} trials complete{whole})")
    later = [moment for moment in journal.reports if moment > first]
    tenths = [journal.reports[(len(journal.reports) - 1) * i // 10] for i in range(1, 11)]
    print("tenths of the epochs, s: " + ", ".join(f"{moment:.1f}" for moment in tenths))
    found |= {"last_epoch_seconds": last, "seconds": seconds, "complete": journal.complete, "tenths_seconds": tenths}
    if later:
        rate = len(later) * images / (last - first)
        found["images_per_second"] = rate
        print(f"between first and last epoch, {rate:,.0f} trial-images/s", end="")
        if engine := targets.engine_rate(options.goals, options.slots):
            share = found["share"] = rate / engine[1]
            print(f": {share:.0%} of the engine's own {engine[1]:,.0f} ({engine[0]})", end="")
            print(f"; goal {targets.STUDY_SHARE:.0%}", end="")
        print(flush=True)
    return found


def main() -> None:
    """Run the study and print its timeline."""
    options = arguments()
    definition = command_line.read(options)
    split = command_line.images(definition, options.data)
    batch = definition.space.possible("train.batch_size")
    if not isinstance(batch, tuple) or len(batch) != 1:
        raise SystemExit("train.batch_size is searched: expected one value, such as --set train.batch_size=128")
    images = len(split.y_train) // batch[0] * batch[0]
    overrides = [NO_PRUNING, *options.overrides]
    overrides += [f"train.epochs={options.epochs}"] if options.epochs else []
    overrides += [f"data.limit={options.limit}"] if options.limit else []
    with tempfile.TemporaryDirectory() as folder:
        storage = options.storage or Path(folder) / "study.journal"
        if storage.exists():
            raise SystemExit(f"{storage}: expected a new file, for a study that begins")
        line = command(options, overrides, storage)
        if "-m" not in line:
            print(f"through Python: one of {', '.join(FOR_THE_COMMAND)} is missing", flush=True)
        journal, seconds, status = watched(line, storage, until_first_epoch=options.until_first_epoch)
    if not journal.reports:
        raise SystemExit(f"no epoch was reported; the study ended with status {status} after {seconds:.1f} s")
    found = told(options, journal, seconds, images)
    if options.json:
        options.json.write_text(json.dumps(found), encoding="utf-8")
    if status:
        raise SystemExit(f"the study ended with status {status}")


if __name__ == "__main__":
    main()
