"""Faults at random: a search is killed, stopped and starved, and afterwards its books must balance.

    python benchmarks/faults.py STORAGE [MINUTES]

STORAGE is `journal`, `sqlite` or `postgresql` (a server of its own, from Debian's package). For MINUTES (20 unless
said), one or two processes search a study of tiny images, each with two workers. Every few seconds, one of these
happens, by the numbers of `--seed`:

    parent     SIGKILL, SIGTERM, SIGINT or SIGUSR1 to a searching process; it is started again
    pause      SIGSTOP to a searching process or a worker, and SIGCONT up to three seconds later
    worker     SIGKILL to a worker
    disk       the disk is full for up to three seconds (as root: a file system of its own, in memory)
    database   the server is killed (kill -9) or restarted; PostgreSQL only

Whenever the trials are done, the study gets more. At the end a last search, left alone, finishes what is open. Then

    total      as many trials have ended as were asked for, and none runs or waits
    once       no two trials that ended have the same parameters (the sampler draws real numbers at random)
    whole      every trial that ended carries its run, with a value for each epoch, and reports that agree with it
    value      a trial's value is that of its run's last epoch
    again      values are reproduced by training again from what is stored, for `--again` of the trials

Exit code 1 if a book does not balance; what was wrong is printed, and the folder is kept.
"""

import argparse
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
EPOCHS, STEP = 12, 24  # epochs of a trial; trials that the study gets at a time
TINY = """
[study]
sampler = {{ kind = "RandomSampler" }}
pruner  = {{ kind = "MedianPruner", n_startup_trials = 8, n_warmup_steps = 6 }}
[data]
name = "{data}"
validation = 300
[train]
epochs = {epochs}
batch_size = 50
precision = "float32"
[model]
network = "lenet5"
[regularize]
dropout = {{ low = 0.0, high = 0.5 }}
[optimizer]
kind = "adam"
adam.learning_rate = {{ low = 1e-4, high = 1e-2, log = true }}
"""
NEAR = 0.02  # by how much a loss may differ when it is trained again beside fewer others, which rounds differently


def main() -> None:
    """Run the search among faults, and check its books."""
    options = arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # of this process, which trains again at the end
    out = Console()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    disk = Disk(folder / "disk")
    server = None
    try:
        if options.storage == "postgresql":
            sys.path.insert(0, str(HERE.parent))
            from tests.servers import PostgreSQL

            server = PostgreSQL()
            server.start()
        own = {"journal": f"{disk.folder}/study.journal", "sqlite": f"sqlite:///{disk.folder}/study.db"}
        url = own.get(options.storage) or server.new()
        search = Search(disk.folder, url)
        happened = torment(search, disk, server, 60.0 * options.minutes, random.Random(options.seed), out)
        seconds = search.finish()
        problems, facts = check(search, options.again)
    finally:
        disk.close()
        if server is not None:
            server.close()
    made = Table(title=f"{options.storage}, {options.minutes:g} minutes of faults, then {seconds:.0f} s in peace")
    made.add_column("what")
    made.add_column("count", justify="right")
    for name, count in (*happened.items(), *facts.items()):
        made.add_row(name, str(count))
    out.print(made)
    for problem in problems:
        out.print(f"[bold red]{problem}")
    if options.json:
        print(json.dumps({"storage": options.storage, "faults": happened, **facts, "problems": problems}))
    if problems:
        raise SystemExit(f"the books do not balance; see {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    out.print("The books balance.")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storage", choices=["journal", "sqlite", "postgresql"])
    parser.add_argument("minutes", nargs="?", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--again", type=int, default=10, help="trials to train again")
    parser.add_argument("--json", action="store_true", help="print the result as one object, too")
    return parser.parse_args()


class Disk:
    """A folder that can be full: a small file system in memory, where this process may mount one."""

    SIZE = 192 << 20

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", str(folder)]
        self.own = os.geteuid() == 0 and subprocess.run(mounted, capture_output=True, check=False).returncode == 0
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room."""
        with suppress(OSError), self._filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
                file.flush()

    def free(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Copy what is there beside it, and unmount it."""
        self.free()
        if self.own:
            shutil.copytree(self.folder, self.folder.parent / "kept", dirs_exist_ok=True)
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)


class Search:
    """The study, and the processes that search it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.total = STEP
        self.parents: list[subprocess.Popen[bytes]] = []
        self.codes: Counter[int] = Counter()
        rng = np.random.default_rng(0)
        labels = np.arange(1800) % 3
        images = rng.integers(0, 90, (1800, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 + 8 * label : 8 + 8 * label] += 40
        np.savez(folder / "tiny.npz", x_train=images, y_train=labels)
        text = TINY.format(data=folder / "tiny.npz", epochs=EPOCHS)
        (folder / "faults.toml").write_text(text)

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """Start a searching process; its output is appended to a log."""
        command = [sys.executable, "-m", "lenet_search", "run", "--study", "faults.toml", "--storage", self.url,
                   "--trials", str(self.total), "--workers", "2", "--freeze-every", "1", *more]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(HERE.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
        with (self.folder.parent / "search.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.parents.append(process)
        return process

    def tend(self, wanted: int) -> None:
        """Take away ended processes, and keep `wanted` running. Where one has ended well, there is more to do."""
        for process in [each for each in self.parents if each.poll() is not None]:
            self.parents.remove(process)
            self.codes[process.returncode] += 1
            if process.returncode == 0:
                self.total += STEP
        while len(self.parents) < wanted:
            self.start()

    def workers(self) -> list[int]:
        """The process ids of all workers."""
        found = []
        for parent in self.parents:
            with suppress(OSError):
                found += [
                    int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
                ]
        return found

    def finish(self) -> float:
        """End the processes, and let a last one finish the study in peace; returns its seconds."""
        for process in self.parents:
            with suppress(OSError):
                os.kill(process.pid, signal.SIGCONT)
            process.terminate()
            process.wait(120)
        self.parents.clear()
        started = time.monotonic()
        for _ in range(3):  # a parent that was killed a moment ago is believed alive for a while
            if self.start().wait(900) == 0:
                break
        self.parents.clear()
        return time.monotonic() - started


def torment(
    search: Search, disk: Disk, server: Any, seconds: float, rng: random.Random, out: Console
) -> dict[str, int]:
    """Search for `seconds` among faults; returns how often each happened."""
    faults: dict[str, Callable[[], None]] = {
        "parent killed": lambda: strike(search, signal.SIGKILL),
        "parent told to stop": lambda: strike(search, rng.choice([signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])),
        "parent paused": lambda: pause([each.pid for each in search.parents], rng),
        "worker killed": lambda: hit(search.workers(), signal.SIGKILL, rng),
        "worker paused": lambda: pause(search.workers(), rng),
    }
    if disk.own:
        faults["disk full"] = lambda: fill(disk, rng)
    if server is not None:
        faults["database killed"] = lambda: restart(server, rng, kill=True)
        faults["database restarted"] = lambda: restart(server, rng, kill=False)
    happened = dict.fromkeys(faults, 0)
    started, told = time.monotonic(), 0.0
    while (gone := time.monotonic() - started) < seconds:
        search.tend(wanted=1 + (int(gone) // 60) % 2)  # every other minute, two of them
        time.sleep(rng.uniform(1.0, 9.0))  # a command takes three seconds until it trains
        name = rng.choice(sorted(faults))
        faults[name]()
        happened[name] += 1
        if gone - told > 60:
            told = gone
            out.print(
                f"{gone / 60:.0f} min: {sum(happened.values())} faults, {search.total} trials asked for", style="dim"
            )
    return happened


def strike(search: Search, number: int) -> None:
    """Send a signal to one of the parents, and wait for its end."""
    if search.parents:
        process = search.parents[0]
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)


def hit(pids: list[int], number: int, rng: random.Random) -> None:
    """Send a signal to one of several processes, if there are any."""
    if pids:
        with suppress(OSError):
            os.kill(rng.choice(pids), number)


def pause(pids: list[int], rng: random.Random) -> None:
    """Stop a process for a while."""
    if pids:
        pid = rng.choice(pids)
        with suppress(OSError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(rng.uniform(0.2, 3.0))
            os.kill(pid, signal.SIGCONT)


def fill(disk: Disk, rng: random.Random) -> None:
    """Fill the disk for a while."""
    disk.fill()
    time.sleep(rng.uniform(0.2, 3.0))
    disk.free()


def restart(server: Any, rng: random.Random, *, kill: bool) -> None:
    """Kill or stop the server, and start it again after a while."""
    server.stop(kill=kill)
    time.sleep(rng.uniform(0.1, 3.0))
    server.start()


def check(search: Search, again: int) -> tuple[list[str], dict[str, int]]:
    """What is wrong with the study, and its counts."""
    import optuna
    from optuna.trial import TrialState

    from lenet_search.storage import open_storage
    from lenet_search.storage.trials import carries_run, run_of

    storage = open_storage(search.url, create=False)
    study = optuna.load_study(study_name="faults", storage=storage)
    trials = study.get_trials(deepcopy=False)
    states = Counter(trial.state.name for trial in trials)
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    problems = []
    if len(ended) != search.total or states["RUNNING"] or states["WAITING"]:
        problems.append(f"total: expected {search.total} ended trials and none open; found {dict(states)}")
    same = Counter(tuple(sorted(trial.params.items())) for trial in ended)
    problems += [f"once: {count} trials have {dict(params)}" for params, count in same.items() if count > 1]
    runs = {}
    for trial in ended:
        if not carries_run(trial):
            problems.append(f"whole: trial {trial.number} ({trial.state.name}) carries no run")
            continue
        run = runs[trial.number] = run_of(trial)
        reported = {epoch + 1: value for epoch, value in enumerate(run.curve["val_accuracy"])}
        if any(not math.isclose(reported.get(e, math.nan), v) for e, v in trial.intermediate_values.items()):
            problems.append(f"whole: trial {trial.number} reported {trial.intermediate_values}, its run has {reported}")
        if len(trial.intermediate_values) != run.epochs or sum(epochs for _, epochs in run.clocks) != run.epochs:
            problems.append(f"whole: trial {trial.number} has {len(trial.intermediate_values)} reports, {run.clocks}")
        if trial.state == TrialState.COMPLETE and (run.epochs != EPOCHS or trial.value != reported[EPOCHS]):
            problems.append(f"value: trial {trial.number} has {trial.value}, its run {run.curve['val_accuracy']}")
    stretched = sorted(runs.values(), key=lambda run: -len(run.clocks))[:again]  # those that were interrupted most
    problems += [problem for run in stretched if (problem := differs(run))]
    facts = {name.lower(): count for name, count in sorted(states.items())}
    facts["interrupted and resumed"] = sum(len(run.clocks) > 1 for run in runs.values())
    facts["stretches of the most interrupted"] = max((len(run.clocks) for run in runs.values()), default=0)
    facts["trained again"] = len(stretched)
    facts |= {f"exit code {code}": count for code, count in sorted(search.codes.items())}
    return problems, facts


def differs(run: Any) -> str:
    """Train a run again from its recipe, seed and clocks; how it differs, or nothing."""
    from lenet_search import data
    from lenet_search.engine import Stack
    from lenet_search.space import Space
    from lenet_search.structure import structure_of

    split = data.load(run.recipe.images)
    structure = structure_of(run.recipe, Space.from_recipe(run.recipe))
    state, losses = None, []
    for clock, epochs in run.clocks:
        stack = Stack(structure, split, 1, clock)
        slot = stack.load(run.recipe, run.seed) if state is None else stack.thaw(run.recipe, len(losses), state)
        losses += [stack.epoch()[slot].val_loss for _ in range(epochs)]
        state = stack.freeze(slot)
    far = float(np.max(np.abs(np.array(losses) - run.curve["val_loss"])))
    return f"again: seed {run.seed} has losses that differ by {far:.3f}" if far > NEAR else ""


if __name__ == "__main__":
    main()
