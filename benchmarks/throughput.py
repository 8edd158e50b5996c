"""Trials per hour of this tool and of other methods, on the same machine, data, space and epochs.

    python benchmarks/throughput.py --study cifar --trials 16 --epochs 4 --data FOLDER
    python benchmarks/throughput.py --study cifar --trials 16 --epochs 4 --data FOLDER --against all --repeat 5
    python benchmarks/throughput.py --overhead --study cifar --trials 16 --epochs 4 --data FOLDER

The first command runs one study with several methods, without pruning, so every trial has the same number of epochs:
`lenet-search run`, and the methods that `--against` names, which are

    lenet_search_float32  this tool with `train.precision` float32, even if the device has a faster one
    ordinary              the objective of `plain.py`, one trial after another (Optuna and Keras)
    ordinary_parallel     the same in one process per core, each with one thread, sharing one journal
    ordinary_bfloat16     the ordinary objective under Keras's policy mixed_bfloat16; the others compute in float32
    tuned                 the objective in its tuned style, one trial after another
    keras_tuner           KerasTuner, one trial after another (`with_keras_tuner.py`)
    keras_tuner_parallel  KerasTuner's distributed mode, one worker per core
    ray_tune              Ray Tune with its Optuna searcher, one worker per core (`with_ray_tune.py`)

or `all` that are installed (pip install -c constraints.txt -e '.[benchmarks]'). All of them fit the same Keras model.
Times are those of complete processes, including start-up and compilation. With `--repeat` the methods take turns; the
speedup is the median of the speedups of all turns.
"""

import argparse
import contextlib
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import command_line
import ways
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(ways.HERE.parent))  # this checkout's package, as `environment` gives it to the others

from lenet_search.errors import LenetSearchError
from lenet_search.machine import usable_cores


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="cifar", help="name or path of a study file (default: cifar)")
    parser.add_argument("--trials", type=int, default=16, help="trials per method (default: 16)")
    parser.add_argument("--epochs", type=int, help="epochs of every trial (default: as the study says)")
    parser.add_argument("--limit", type=int, help="use only the first n training images")
    parser.add_argument("--data", type=Path, help="folder searched for NAME.npz before downloading")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    parser.add_argument("--repeat", type=int, default=1, help="number of turns (default: 1)")
    parser.add_argument(
        "--against", default=",".join(ways.USUAL), metavar="NAME[,NAME...]",
        help=f"methods to compare with, see above, or all that are installed (default: {','.join(ways.USUAL)})",
    )  # fmt: skip
    parser.add_argument("--cores", type=int, help="processes of the parallel methods (default: one per core)")
    parser.add_argument("--stored", type=int, default=1000, help="trials in the storage for --overhead (default: 1000)")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout, everything else on stderr"
    )
    parser.add_argument("--overhead", action="store_true", help="measure the cost of Optuna and the storage instead")
    options = parser.parse_args()
    options.cores = options.cores or usable_cores()
    try:
        options.ways, missing = ways.chosen(options.against)
    except ValueError as error:
        parser.error(f"--against: {error}")
    if missing:
        print(f"left out, because not installed: {', '.join(missing)} ({command_line.INSTALL})", file=sys.stderr)
    return options


def main() -> None:
    """Run the selected measurement."""
    options = arguments()
    out = Console(stderr=options.json)
    measure = overhead if options.overhead else throughput
    try:
        result = measure(options, out)
    except LenetSearchError as error:  # missing studies or data; the message says what to do
        raise SystemExit(str(error)) from None
    if options.json:
        print(json.dumps(result))


# Trials per hour ------------------------------------------------------------------------------------------------


def throughput(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Run the methods in turns; trials per hour of each, and the speedup of this tool over the others."""
    runs: dict[str, list[ways.Trained]] = {way: [] for way in options.ways}
    epochs, metric = promised(options)
    for turn in range(options.repeat):
        for way, done in runs.items():
            with tempfile.TemporaryDirectory() as folder:
                trained = ways.run(way, options, Path(folder))
            done.append(trained)
            short = options.trials * epochs - sum(trained.epochs)  # lenet-search ends a trial that diverges
            out.print(
                f"turn {turn + 1}: {way} took {trained.seconds:.1f} s for {options.trials} trials of {epochs} epochs"
                f"{f', {short} epochs fewer' if short else ''}; median {metric} {median_value(trained):.3f}",
                style="dim",
            )
    seconds = {way: [trained.seconds for trained in done] for way, done in runs.items()}
    rate = {way: options.trials * 3600 / statistics.median(taken) for way, taken in seconds.items()}
    ours = seconds.pop(ways.LENET_SEARCH)
    # The load of the machine changes over time, so ratios are computed within turns.
    ratios = {way: [theirs / our for theirs, our in zip(taken, ours, strict=True)] for way, taken in seconds.items()}
    result = {
        "study": options.study, "trials": options.trials, "epochs": options.epochs, "limit": options.limit,
        "cores": options.cores, "repeat": options.repeat, "seconds": {ways.LENET_SEARCH: ours, **seconds},
        "trials_per_hour": rate,
        "ratio_to": {way: statistics.median(of_turns) for way, of_turns in ratios.items()},
        "ratio_spread": {way: [min(of_turns), max(of_turns)] for way, of_turns in ratios.items()},
        "epochs_trained": {way: [sum(trained.epochs) for trained in done] for way, done in runs.items()},
        f"median_{metric}": {way: [median_value(trained) for trained in done] for way, done in runs.items()},
        "versions": versions(),
    }  # fmt: skip
    made = Table(title=f"{options.study}: {options.trials} trials of {epochs} epochs, turns: {options.repeat}")
    made.add_column("method", no_wrap=True)
    for heading in ("seconds", "trials per hour", "speedup of lenet-search"):
        made.add_column(heading, justify="right")
    for way, done in runs.items():
        taken = with_spread([trained.seconds for trained in done], 1)
        made.add_row(way, taken, f"{rate[way]:,.0f}", f"{with_spread(ratios[way], 2)} times" if way in ratios else "")
    out.print(made)
    return result


def promised(options: argparse.Namespace) -> tuple[int, str]:
    """The number of epochs of every trial, and the study's metric.

    Raises:
        SystemExit: trials differ in their epochs, so the methods could not be compared.
    """
    from lenet_search import study

    definition = study.read(options.study, overrides=ways.overrides(options))
    possible = definition.space.possible("train.epochs")
    if not isinstance(possible, tuple) or len(possible) != 1:
        raise SystemExit(f"{options.study} searches train.epochs: choose one number for all trials with --epochs N")
    return int(possible[0]), definition.metric


def median_value(trained: ways.Trained) -> float:
    """The last metric of the median trial. It should be about the same for all methods."""
    numbers = [value for value in trained.values if not math.isnan(value)]
    return statistics.median(numbers) if numbers else math.nan


def with_spread(values: list[float], digits: int) -> str:
    """The median and, if there are several values, the smallest and the largest."""
    low, middle, high = (f"{pick(values):.{digits}f}" for pick in (min, statistics.median, max))
    return f"{middle} ({low} to {high})" if len(values) > 1 else middle


def versions() -> dict[str, str]:
    """The versions of the compared packages that are installed."""
    found = {}
    for package in ("lenet-search", "tensorflow", "keras", "optuna", "keras-tuner", "ray"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


# Optuna and storage ---------------------------------------------------------------------------------------------


def overhead(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """The share of a run's time that Optuna and the storage take, with `--stored` trials in the storage.

    A storage is filled with simulated trials of the study's space; then `--trials` real ones are added. Timed is
    everything that the parent does with the Optuna study (asking, reporting, pruning, telling, counting); nested calls
    are counted once.
    """
    from lenet_search import search, study
    from lenet_search.search.ledger import Ledger

    own_pruner = [
        text for text in ways.overrides(options) if text != ways.NO_PRUNING
    ]  # its cost belongs to the measurement
    definition = study.read(options.study, overrides=own_pruner, name="overhead")
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "overhead.journal"
        fill(definition, str(journal), options.stored)
        out.print(f"{options.stored} simulated trials are stored; running {options.trials} real ones", style="dim")
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
    made = Table(title=f"{options.trials} trials of {options.study} with {options.stored} stored trials")
    for heading in ("call", "seconds", "share of the run"):
        made.add_column(heading, justify="left" if heading == "call" else "right")
    for name, spent in result["seconds_by_call"].items():
        made.add_row(name, f"{spent:.2f}", f"{spent / taken:.2%}")
    made.add_section()
    made.add_row("Optuna and storage, total", f"{clock.total:.2f}", f"{clock.total / taken:.2%}")
    made.add_row("whole run", f"{taken:.2f}", "100 %")
    out.print(made)
    return result


class Stopwatch:
    """Adds up the time of calls; nested calls are not counted twice."""

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


def fill(definition: Any, url: str, count: int) -> None:
    """Store `count` complete trials of random recipes, with the reports and attributes of real ones."""
    import random

    import optuna

    from lenet_search.recipe import Recipe
    from lenet_search.run import Curve, Run
    from lenet_search.search.ledger import Ledger
    from lenet_search.storage import open_storage
    from lenet_search.storage.trials import attributes_of

    storage = open_storage(url, create=True)
    made_up = Ledger(definition, storage, Path(), count)
    drawn = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    luck = random.Random(0)
    trials = []
    for number in range(count):
        trial = drawn.ask()
        recipe = Recipe.from_values(definition.space.sample(trial))
        final = luck.betavariate(6, 4)
        curve = [final * (1 - math.exp(-(epoch + 1) / 3)) for epoch in range(recipe.train.epochs)]
        run = Run(
            recipe, number, {"validation": 5000}, [(0, len(curve))], Curve.constant(curve), device="made up",
            versions={"lenet-search": "0"}, seconds=1.0,
        )  # fmt: skip
        trials.append(
            optuna.create_trial(
                params=trial.params,
                distributions=trial.distributions,
                value=curve[-1],
                intermediate_values=dict(enumerate(curve, 1)),
                user_attrs=attributes_of(run),
            )
        )
    made_up.study.add_trials(trials)
    made_up.beat(over=True)


if __name__ == "__main__":
    main()
