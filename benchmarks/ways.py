"""The search methods that `throughput.py` compares: their commands, requirements and results."""

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import command_line

HERE = Path(__file__).resolve().parent
NO_PRUNING = 'study.pruner={ kind = "NopPruner" }'
NO_PORTFOLIO = "study.portfolio=0"  # the other methods draw all their recipes
LENET_SEARCH = "lenet_search"
USUAL = ("ordinary", "ordinary_parallel")
PATIENCE = 60.0  # seconds for a study that was told to stop


@dataclass(frozen=True)
class Way:
    """A method to run the study: commands that start together, and the package it needs from the benchmarks extra."""

    commands: Callable[[argparse.Namespace, Path], list[list[str]]]
    package: str | None = None

    def installed(self) -> bool:
        """Whether the package is installed."""
        return self.package is None or importlib.util.find_spec(self.package) is not None


@dataclass(frozen=True)
class Trained:
    """The result of a method: seconds of its processes, and the epochs and last metric of each trial."""

    seconds: float
    epochs: list[int]
    values: list[float]


NO_RACE = "--no-confirm"  # a search alone, without the race on fresh seeds with which the shipped studies end


def tool(options: argparse.Namespace, folder: Path, *more: str) -> list[str]:
    """The command of this tool."""
    command = [sys.executable, "-m", "lenet_search", "run", "--study", options.study, "--json", NO_RACE]
    return [*command, *settings(options, folder / "tool.journal"), *more]


def script(options: argparse.Namespace, folder: Path, name: str, *more: str) -> list[str]:
    """The command of a script in this folder."""
    return [sys.executable, str(HERE / name), "--study", options.study, *settings(options, folder / "trials"), *more]


def settings(options: argparse.Namespace, storage: Path) -> list[str]:
    """The options that all methods have."""
    words = ["--trials", str(options.trials), "--storage", str(storage)]
    words += [part for text in overrides(options) for part in ("--set", text)]
    return words + (["--data", str(options.data)] if options.data else [])


def overrides(options: argparse.Namespace) -> list[str]:
    """What all methods change in the study: all recipes are drawn, and none pruned, so that all train equally long."""
    found = [NO_PRUNING, NO_PORTFOLIO, *options.overrides]
    found += [f"train.epochs={options.epochs}"] if options.epochs else []
    return found + ([f"data.limit={options.limit}"] if options.limit else [])


def processes(options: argparse.Namespace, folder: Path, name: str) -> list[str]:
    """The command of a script that starts one process per core, each with one thread."""
    return script(options, folder, name, "--processes", str(options.cores), "--threads", "1")


FLOAT32 = ("--set", "train.precision=float32")
BFLOAT16 = ("--set", "train.precision=mixed_bfloat16")
TUNE = "tensorboardX"  # tells Ray with Tune from Ray alone, which the tests install
WAYS = {
    LENET_SEARCH: Way(lambda o, folder: [tool(o, folder)]),
    "lenet_search_float32": Way(lambda o, folder: [tool(o, folder, *FLOAT32)]),
    "ordinary": Way(lambda o, folder: [script(o, folder, "plain.py")]),
    "ordinary_parallel": Way(lambda o, folder: [script(o, folder, "plain.py", "--threads", "1")] * o.cores),
    "ordinary_bfloat16": Way(lambda o, folder: [script(o, folder, "plain.py", *BFLOAT16)]),
    "tuned": Way(lambda o, folder: [script(o, folder, "plain.py", "--style", "tuned")]),
    "keras_tuner": Way(lambda o, folder: [script(o, folder, "with_keras_tuner.py")], "keras_tuner"),
    "keras_tuner_parallel": Way(lambda o, folder: [processes(o, folder, "with_keras_tuner.py")], "keras_tuner"),
    "ray_tune": Way(
        lambda o, folder: [processes(o, folder, "with_ray_tune.py")], "tensorboardX"
    ),  # which Ray brings with Tune alone
}


def chosen(names: str) -> tuple[dict[str, Way], list[str]]:
    """The methods that `--against` names, this tool first, and those that "all" omits because they are not installed.

    Raises:
        ValueError: a name is unknown, or its method is not installed.
    """
    others = [name for name in WAYS if name != LENET_SEARCH]
    wanted = others if names == "all" else [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in others:
            raise ValueError(f"there is no method {name!r}: expected all, or some of {','.join(others)}")
    missing = [name for name in wanted if not WAYS[name].installed()]
    if missing and names != "all":
        raise ValueError(f"{missing[0]} needs the package {WAYS[missing[0]].package}: {command_line.INSTALL}")
    return {name: WAYS[name] for name in (LENET_SEARCH, *wanted) if name not in missing}, missing


def run(name: str, options: argparse.Namespace, folder: Path) -> Trained:
    """Run a method in an empty folder.

    Raises:
        SystemExit: a command fails (with its output), or the number of trials is wrong.
    """
    commands = WAYS[name].commands(options, folder)
    seconds, said = timed(commands, folder)
    if name.startswith(LENET_SEARCH):
        trained = Trained(seconds, *stored(folder / "tool.journal"))
    else:
        lines = [json.loads(text.splitlines()[-1]) for text in said]
        trained = Trained(seconds, *([one for line in lines for one in line[part]] for part in ("epochs", "values")))
    if len(trained.epochs) != options.trials:
        raise SystemExit(f"{name} ran {len(trained.epochs)} trials instead of {options.trials}")
    return trained


def stored(journal: Path) -> tuple[list[int], list[float]]:
    """Epochs and last metric of each trial in the only study of a journal."""
    import optuna

    from lenet_search.storage import open_storage

    study = optuna.load_study(study_name=None, storage=open_storage(str(journal), create=False))
    curves = [trial.intermediate_values for trial in study.trials]
    return [len(curve) for curve in curves], [curve[max(curve)] for curve in curves if curve]


def timed(commands: list[list[str]], folder: Path) -> tuple[float, list[str]]:
    """Start the commands together; returns the seconds until the last one ended, and the stdout of each.

    Raises:
        SystemExit: a command fails (with its output).
    """
    logs = [(folder / f"{number}.out", folder / f"{number}.err") for number in range(len(commands))]
    started = time.monotonic()
    running = []
    for command, (out, err) in zip(commands, logs, strict=True):
        with out.open("w") as said, err.open("w") as complained:
            running.append(subprocess.Popen(command, stdout=said, stderr=complained, env=environment()))
    codes = [process.wait() for process in running]
    taken = time.monotonic() - started
    for code, command, (out, err) in zip(codes, commands, logs, strict=True):
        if code:
            words = (err.read_text() + out.read_text())[-3000:]
            raise SystemExit(f"{' '.join(command)}\nended with exit code {code}:\n{words}")
    return taken, [out.read_text() for out, _ in logs]


def stop(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """End those of the processes that still run, in order if they can."""
    running = [process for process in running if process.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment() -> dict[str, str]:
    """An environment in which all methods use this checkout's package."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
