"""Preempts a search at random moments, restarts it each time, and checks the books after every stop.

    python benchmarks/preempt.py                        # 20 preemptions, on a journal
    python benchmarks/preempt.py --times 50 --seed 1 --storage sqlite:///study.db

A run is stopped by SIGTERM or SIGUSR1, as a cluster announces it, or by SIGKILL, as a spot machine vanishes: while it
starts, while it trains, or while it ends. Every epoch that a worker delivers is noted. After each stop,

- a trial goes on with the epoch after the last one that is in its frozen file, and leaves none out;
- after a signal that can be handled, that is the last epoch delivered: none is trained twice;
- no trial is lost, doubled, or given other parameters.

At the end every trial is complete, with a curve as long as it should be. The exit status is 1 if anything is wrong.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # this checkout's package

from lenet_search.errors import LenetSearchError  # noqa: E402
from lenet_search.frozen import read_frozen  # noqa: E402
from lenet_search.search.frozen_trials import FROZEN  # noqa: E402
from lenet_search.storage import artifact_folder, open_storage  # noqa: E402
from lenet_search.storage.trials import noted, run_of  # noqa: E402

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL)
STUDY = """
[study]
sampler = { kind = "RandomSampler" }
[data]
name = "tiny"
[train]
batch_size = 32
[regularize]
dropout = { low = 0.0, high = 0.5 }
[optimizer]
kind = "adam"
adam.learning_rate = { low = 1e-4, high = 1e-2, log = true }
"""
# Runs in a process of its own; each epoch delivered is a line "trial epoch" of the log.
SEARCH = """
import sys
from lenet_search.errors import LenetSearchError
from lenet_search.search import Interrupted, run
from lenet_search.search.ledger import Ledger
from lenet_search.study import read

url, trials, epochs = sys.argv[1:]
log = open("epochs.log", "a", buffering=1)
report = Ledger.report

def noting(self, job, value):
    log.write(f"{job.trial.number} {job.run.epochs}\\n")
    return report(self, job, value)

Ledger.report = noting
try:
    run(read("small.toml", overrides=[f"train.epochs={epochs}"]), storage=url, trials=int(trials), workers=1, slots=2,
        freeze_every=0.5)
except Interrupted as error:
    sys.exit(error.exit_code)
"""


@dataclass
class Preemptions:
    """What was found: how often each signal stopped a run, and what is wrong."""

    stopped: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    again: int = 0  # epochs delivered more than once, which only SIGKILL may cause
    problems: list[str] = field(default_factory=list)


def preempt(folder: Path, url: str, times: int, seed: int, trials: int, epochs: int) -> Preemptions:
    """Run a search of `trials` trials in `folder`, preempting it `times` times, and then to its end."""
    rng, found = random.Random(seed), Preemptions()
    _write_study(folder)
    parameters: dict[int, Any] = {}
    frozen: dict[int, int] = {}  # epochs in each trial's file after the last stop
    for session in range(times + 1):
        before = _delivered(folder)
        process = _start(folder, url, trials, epochs)
        number = rng.choice(SIGNALS) if session < times else None
        if number is not None:
            _wait(rng, process, folder, len(before))
            process.send_signal(number)
        output, _ = process.communicate(timeout=600)
        new = _delivered(folder)[len(before) :]
        name = signal.Signals(number).name if number is not None else "the end"
        found.stopped[name] += 1
        if number is None and process.returncode:
            found.problems.append(f"the last run failed: {output[-500:]}")
        found.problems += [f"{session} ({name}): {problem}" for problem in _resumed(new, frozen)]
        stored = _trials(folder, url)
        frozen = _frozen(folder, url, stored)
        last: dict[int, int] = {}
        for trial, epoch in new:
            last[trial] = epoch
        if number is not signal.SIGKILL:
            running = {each.number for each in stored if not each.state.is_finished()}
            lost = {trial for trial, epoch in last.items() if trial in running and frozen.get(trial, 0) != epoch}
            found.problems += [f"{session} ({name}): trial {trial} was not frozen at once" for trial in sorted(lost)]
        for each in stored:
            if parameters.setdefault(each.number, each.params or None) not in (None, each.params):
                found.problems.append(f"{session} ({name}): trial {each.number} has other parameters")
            parameters[each.number] = each.params or None
    found.problems += _books(_trials(folder, url), trials, epochs)
    delivered = _delivered(folder)
    found.delivered, found.again = len(delivered), len(delivered) - len(set(delivered))
    if set(delivered) != {(trial, epoch) for trial in range(trials) for epoch in range(1, epochs + 1)}:
        found.problems.append("epochs are missing")
    return found


def _write_study(folder: Path) -> None:
    (folder / "small.toml").write_text(STUDY)
    rng = np.random.default_rng(0)
    labels = np.arange(240) % 3
    images = rng.integers(0, 80, (240, 32, 32), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 10 * label : 8 + 10 * label] += 150
    np.savez(folder / "tiny.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)


def _start(folder: Path, url: str, trials: int, epochs: int) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LENET_SEARCH_DATA": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", SEARCH, url, str(trials), str(epochs)]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _wait(rng: random.Random, process: "subprocess.Popen[str]", folder: Path, before: int) -> None:
    """Wait for a random moment: a time after the start in every fourth run, else some epochs and a moment more."""
    if rng.random() < 0.25:
        time.sleep(rng.uniform(0, 6))
        return
    wanted = before + rng.randint(1, 30)
    while process.poll() is None and len(_delivered(folder)) < wanted:
        time.sleep(0.02)
    time.sleep(rng.uniform(0, 0.2))


def _delivered(folder: Path) -> list[tuple[int, int]]:
    """(trial, epoch) for each epoch that a worker has delivered, in order."""
    path = folder / "epochs.log"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(trial), int(epoch)) for trial, epoch in (line.split() for line in lines)]


def _resumed(new: list[tuple[int, int]], frozen: dict[int, int]) -> list[str]:
    """What is wrong with the epochs of a run: each trial goes on where its file stands, one epoch after the other."""
    problems, last = [], dict(frozen)
    for trial, epoch in new:
        if epoch != last.get(trial, 0) + 1:
            problems.append(f"trial {trial}: epoch {epoch} after {last.get(trial, 0)}")
        last[trial] = epoch
    return problems


def _trials(folder: Path, url: str) -> list[Any]:
    import optuna

    try:
        study = optuna.load_study(study_name="small", storage=open_storage(_inside(folder, url), create=False))
    except (KeyError, LenetSearchError):  # stopped before the study was created
        return []
    return study.get_trials(deepcopy=False)


def _inside(folder: Path, url: str) -> str:
    return f"sqlite:///{folder}/{url.removeprefix('sqlite:///')}" if "://" in url else str(folder / url)


def _frozen(folder: Path, url: str, trials: list[Any]) -> dict[int, int]:
    place, found = artifact_folder(_inside(folder, url)) / FROZEN, {}
    for trial in trials:
        name = noted(trial, FROZEN)
        if name is not None and (frozen := read_frozen(place / name)) is not None:
            found[trial.number] = frozen[0].epochs
    return found


def _books(trials: list[Any], total: int, epochs: int) -> list[str]:
    """What is wrong at the end."""
    problems = []
    if [(trial.number, trial.state.name) for trial in trials] != [(number, "COMPLETE") for number in range(total)]:
        problems.append(f"trials: {[(trial.number, trial.state.name) for trial in trials]}")
    if len({str(trial.params) for trial in trials}) < total:
        problems.append("two trials have the same parameters")
    for trial in trials:
        if trial.state.name == "COMPLETE":
            run = run_of(trial)
            lengths = run.epochs, len(trial.intermediate_values), sum(length for _, length in run.clocks)
            if lengths != (epochs,) * 3:
                problems.append(f"trial {trial.number}: {lengths} epochs in curve, reports and clocks, not {epochs}")
    return problems


def main() -> None:
    """Preempt, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="preemptions (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of signals and moments (default: 0)")
    parser.add_argument("--storage", default="study.journal", help="a file's name, or sqlite:///NAME")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = preempt(Path(folder), options.storage, options.times, options.seed, trials=6, epochs=120)
    stops = ", ".join(f"{count} x {name}" for name, count in found.stopped.items())
    print(f"{stops}; {found.delivered} epochs delivered, {found.again} of them again; "
          f"{time.monotonic() - started:.0f} s")  # fmt: skip
    for problem in found.problems:
        print(problem)
    sys.exit(1 if found.problems else 0)


if __name__ == "__main__":
    main()
