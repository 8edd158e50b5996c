"""How many trials per hour: this tool against the ordinary way, on the same machine, data, space and epochs.

    python benchmarks/throughput.py --study cifar --trials 16 --epochs 4 --data FOLDER
    python benchmarks/throughput.py --study cifar --trials 16 --epochs 4 --data FOLDER --against all --repeat 5
    python benchmarks/throughput.py --overhead --study cifar --trials 16 --epochs 4 --data FOLDER

The first compares ways to run one study without pruning, each trial for the same number of epochs: `lenet-search run`
against those that `--against` names, which are

    lenet_search_float32  this tool, but with `train.precision` float32, whatever the device would be faster with
    ordinary              the objective of `plain.py`, one trial after the other (Optuna and Keras)
    ordinary_parallel     the same in as many processes as there are cores, each with one thread, against one journal
    ordinary_bfloat16     the ordinary objective under Keras's policy mixed_bfloat16; the others compute in float32
    tuned                 the objective in its tuned style, one trial after the other
    keras_tuner           KerasTuner, one trial after the other (`with_keras_tuner.py`)
    keras_tuner_parallel  KerasTuner's distributed mode, one worker per core
    ray_tune              Ray Tune with its Optuna searcher, one worker per core (`with_ray_tune.py`)

or `all` that are installed (pip install -c constraints.txt -e '.[benchmarks]'). All of them fit the same Keras model.
Times are those of whole processes, start-up and compilation included. With `--repeat` the ways take turns; the ratio is
the median of the turns' ratios.
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
    parser.add_argument("--trials", type=int, default=16, help="trials of each way (default: 16)")
    parser.add_argument("--epochs", type=int, help="epochs of every trial (default: as the study says)")
    parser.add_argument("--limit", type=int, help="use only the first n training images")
    parser.add_argument("--data", type=Path, help="folder that is looked at first for NAME.npz")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    parser.add_argument("--repeat", type=int, default=1, help="how often each way takes its turn (default: 1)")
    parser.add_argument(
        "--against", default=",".join(ways.USUAL), metavar="NAME[,NAME...]",
        help=f"what to compare with, see above; all takes what is installed (default: {','.join(ways.USUAL)})",
    )  # fmt: skip
    parser.add_argument("--cores", type=int, help="processes of the parallel ways (default: one per core)")
    parser.add_argument("--stored", type=int, default=1000, help="trials in the storage for --overhead (default: 1000)")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object on stdout, everything else on stderr"
    )
    parser.add_argument("--overhead", action="store_true", help="measure what Optuna and storage cost instead")
    options = parser.parse_args()
    options.cores = options.cores or usable_cores()
    try:
        options.ways, missing = ways.chosen(options.against)
    except ValueError as error:
        parser.error(f"--against: {error}")
    if missing:
        print(f"left out, since not installed: {', '.join(missing)} ({command_line.INSTALL})", file=sys.stderr)
    return options


def main() -> None:
    """Measure what was asked for."""
    options = arguments()
    out = Console(stderr=options.json)
    measure = overhead if options.overhead else throughput
    try:
        result = measure(options, out)
    except LenetSearchError as error:  # a study or data that is not there says how to put it right
        raise SystemExit(str(error)) from None
    if options.json:
        print(json.dumps(result))


# Trials per hour ------------------------------------------------------------------------------------------------


def throughput(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Run the ways in turns; trials per hour of each, and how many times as long as this tool they take."""
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
    # Neighbours in time share whatever else the machine does: so ratios are taken turn by turn.
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
    made.add_column("way", no_wrap=True)
    for heading in ("seconds", "trials per hour", "lenet-search is faster by"):
        made.add_column(heading, justify="right")
    for way, done in runs.items():
        taken = with_spread([trained.seconds for trained in done], 1)
        made.add_row(way, taken, f"{rate[way]:,.0f}", f"{with_spread(ratios[way], 2)} times" if way in ratios else "")
    out.print(made)
    return result


def promised(options: argparse.Namespace) -> tuple[int, str]:
    """The epochs that every trial is to be trained for, and the study's metric.

    Raises:
        SystemExit: when trials differ in their epochs, so that the ways could not be compared.
    """
    from lenet_search import study

    definition = study.read(options.study, overrides=ways.overrides(options))
    possible = definition.space.possible("train.epochs")
    if not isinstance(possible, tuple) or len(possible) != 1:
        raise SystemExit(f"{options.study} searches train.epochs: name one number for all trials with --epochs N")
    return int(possible[0]), definition.metric


def median_value(trained: ways.Trained) -> float:
    """The median trial's last metric: the ways train the same if it is about the same."""
    numbers = [value for value in trained.values if not math.isnan(value)]
    return statistics.median(numbers) if numbers else math.nan


def with_spread(values: list[float], digits: int) -> str:
    """The median; of more than one value also the smallest and the largest."""
    low, middle, high = (f"{pick(values):.{digits}f}" for pick in (min, statistics.median, max))
    return f"{middle} ({low} to {high})" if len(values) > 1 else middle


def versions() -> dict[str, str]:
    """Of what was compared, as far as it is installed."""
    found = {}
    for package in ("lenet-search", "tensorflow", "keras", "optuna", "keras-tuner", "ray"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


# Optuna and storage ---------------------------------------------------------------------------------------------


def overhead(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """The share of a run's time that goes to Optuna and the storage, with `--stored` trials in the storage.

    A storage is filled with made-up trials of the study's own space, then `--trials` real ones are run on top of
    them. Timed is everything that the parent does with the Optuna study (asking, reporting, pruning, telling,
    counting), each call from outside once.
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


def fill(definition: Any, url: str, count: int) -> None:
    """Store `count` complete trials of random recipes: as many reports and attributes as real ones have."""
    import random

    import optuna

    from lenet_search.recipe import Recipe
    from lenet_search.search.ledger import Ledger
    from lenet_search.storage import CURVES, Record, open_storage

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
