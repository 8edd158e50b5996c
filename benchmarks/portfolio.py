"""Choose the recipes of `study.portfolio`: each adds most to those before it, over several data sets.

    python benchmarks/portfolio.py FOLDER --data DATA
    python benchmarks/portfolio.py FOLDER --data DATA --images 2000 --trials 8 --epochs 2 --each 2 --size 2

1. One search per data set: `--trials` trials of `--epochs` epochs on `--images` images, in the same wide space. The
   data sets are digits, MNIST and CIFAR-10, and of the latter two the halves with the first and the last five classes.
2. Candidates are the best `--each` trials of each search, no two of the same activation, optimizer and schedule.
3. Every candidate trains on every data set. Its regret there is how far its validation accuracy is below that of the
   best candidate, in units of the distance between the best candidate and the median one, and at most 1.
4. The portfolio begins with the candidate of the lowest mean regret; each next one lowers most the mean, over the data
   sets, of the lowest regret so far (Feurer et al. 2022, Auto-Sklearn 2.0, algorithm 1).
5. To see what it is worth on other images, a portfolio of 8 is chosen from the candidates and figures of all data sets
   but one and its halves. On that one, it is compared with the best of 8 random trials, on average, out of the 12 with
   which its own search began, and with the whole search.

Everything is kept in FOLDER; run again, the command goes on. It prints a table, and writes FOLDER/portfolio.toml, which
is `lenet_search/study/portfolio.toml`, and without-FAMILY.toml, what is chosen without a data set and its halves.
"""

import argparse
import itertools
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search import Study
from lenet_search.data import load
from lenet_search.recipe import FIELDS, Value
from lenet_search.recipe import Images as Wanted
from lenet_search.study.toml_text import value_text

SPACE = """
[study]
trials  = {trials}
seed    = {seed}
sampler = {{ kind = "TPESampler", n_startup_trials = {random} }}
pruner  = {{ kind = "{pruner}" }}

[data]
validation = {validation}

[train]
epochs    = {epochs}
precision = "auto"

[model]
network     = "lenet5"
activation  = {{ choices = ["relu", "elu", "silu", "tanh"] }}
pooling     = "max"
initializer = {{ choices = ["glorot_uniform", "he_normal", "lecun_normal", "orthogonal"] }}

[regularize]
l2      = {{ low = 1e-8, high = 1e-2, log = true }}
dropout = {{ low = 0.0, high = 0.5 }}

[augment]
flip   = {{ choices = [0.0, 0.5] }}
shift  = {{ low = 0, high = 4 }}
rotate = {{ low = 0.0, high = 15.0 }}
cutout = {{ low = 0, high = 8, step = 4 }}

[loss]
label_smoothing = {{ low = 0.0, high = 0.1 }}

[optimizer]
kind                  = {{ choices = ["sgd", "rmsprop", "adam", "adamw", "nadam", "lion"] }}
sgd.learning_rate     = {{ low = 3e-3, high = 0.1, log = true }}
sgd.momentum          = {{ low = 0.5, high = 0.98 }}
sgd.nesterov          = true
rmsprop.learning_rate = {{ low = 2e-4, high = 5e-3, log = true }}
adam.learning_rate    = {{ low = 3e-4, high = 1e-2, log = true }}
adamw.learning_rate   = {{ low = 3e-4, high = 1e-2, log = true }}
adamw.weight_decay    = {{ low = 1e-4, high = 0.3, log = true }}
nadam.learning_rate   = {{ low = 3e-4, high = 1e-2, log = true }}
lion.learning_rate    = {{ low = 5e-5, high = 1e-3, log = true }}

[schedule]
kind                   = {{ choices = ["constant", "exponential", "linear", "cosine", "one_cycle"] }}
exponential.decay_rate = {{ low = 0.6, high = 0.95 }}
linear.warmup          = {{ low = 0.0, high = 0.2 }}
cosine.warmup          = {{ low = 0.0, high = 0.2 }}
one_cycle.warmup       = {{ low = 0.1, high = 0.4 }}
"""
TRIED = 8  # recipes that are compared with as many random trials
RANDOM = 12  # trials with which a search begins
HALVES = {"first": range(5), "last": range(5, 10)}
Images = tuple[np.ndarray, np.ndarray]
Accuracies = Mapping[str, Sequence[float]]  # of the candidates, by data set


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder for the searches and results")
    parser.add_argument("--data", type=Path, required=True, help="folder with mnist.npz and cifar10.npz")
    parser.add_argument("--images", type=int, default=10_000, help="training images at most (default: 10000)")
    parser.add_argument("--trials", type=int, default=24, help="trials of a search (default: 24)")
    parser.add_argument("--epochs", type=int, default=8, help="epochs of every trial (default: 8)")
    parser.add_argument("--each", type=int, default=4, help="candidates from each search (default: 4)")
    parser.add_argument("--size", type=int, default=12, help="recipes of the portfolio (default: 12)")
    return parser.parse_args()


def data_sets(folder: Path, images: int) -> dict[str, Images]:
    """Images and labels by name: `images` for training and half as many for validation, or what there is."""
    digits = load(Wanted("digits", 0, padded=False), folder)
    found: dict[str, Images] = {"digits": (digits.x_train, digits.y_train)}
    for name in ("mnist", "cifar10"):
        split = load(Wanted(name, 0, padded=False), folder)
        x, y = split.x_train, split.y_train
        found[name] = x[: images * 3 // 2], y[: images * 3 // 2]
        for half, classes in HALVES.items():
            chosen = np.flatnonzero(np.isin(y, classes))[: images * 3 // 2]
            found[f"{name}-{half}"] = x[chosen], y[chosen] - classes[0]
    return found


def family(name: str) -> str:
    """The data set of which this is a half, or itself."""
    return name.split("-")[0]


def study_of(
    options: argparse.Namespace, name: str, images: Images, starts: Sequence[Mapping[str, Value]] = (), seed: int = 0
) -> Study:
    """A search of a data set, or, with `starts`, a study that trains just them to the end."""
    text = SPACE.format(
        trials=len(starts) or options.trials, seed=seed, random=RANDOM, epochs=options.epochs,
        pruner="NopPruner" if starts else "MedianPruner", validation=len(images[1]) // 3,
    )  # fmt: skip
    for start in starts:
        text += "\n[[start]]\n" + "".join(f"{path} = {value_text(value)}\n" for path, value in start.items())
    file = options.folder / f"{name}.toml"
    file.write_text(text)
    return Study.read(file, arrays=images, storage=str(options.folder / "portfolio.journal"))


def best_of(study: Study, each: int) -> list[dict[str, Value]]:
    """The searched values of a study's best trials, no two of the same activation, optimizer and schedule."""
    found: dict[tuple[Value, ...], dict[str, Value]] = {}
    for best in study.best(10**6):
        values = {
            path: value for path, value in best.recipe.values().items() if path in study.definition.space.searched()
        }
        found.setdefault((values["model.activation"], values["optimizer.kind"], values["schedule.kind"]), values)
    return list(found.values())[:each]


def regrets(accuracies: Accuracies) -> dict[str, list[float]]:
    """Of each candidate on each data set: 0 for the best, 1 for the median and below."""
    found = {}
    for name, values in accuracies.items():
        best, median = max(values), statistics.median(values)
        found[name] = [min(1.0, (best - value) / max(best - median, 1e-9)) for value in values]
    return found


def greedy(regret: Mapping[str, Sequence[float]], candidates: Iterable[int], size: int) -> list[int]:
    """The candidates of the portfolio, in the order in which they are chosen."""
    chosen: list[int] = []
    left = list(candidates)
    while left and len(chosen) < size:

        def mean(one: int) -> tuple[float, float]:
            lowest = [min(values[each] for each in (*chosen, one)) for values in regret.values()]
            return statistics.mean(lowest), statistics.mean(values[one] for values in regret.values())

        chosen.append(min(left, key=mean))
        left.remove(chosen[-1])
    return chosen


def left_out(name: str, accuracies: Accuracies, sources: Sequence[str], size: int) -> list[int]:
    """A portfolio from the candidates and figures of other families than that of `name`."""
    others = {other: values for other, values in accuracies.items() if family(other) != family(name)}
    candidates = [place for place, source in enumerate(sources) if family(source) != family(name)]
    return greedy(regrets(others), candidates, size)


def main() -> None:
    """Search, train the candidates everywhere, choose, and report."""
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    images = data_sets(options.data, options.images)
    searches = {name: study_of(options, name, arrays, seed=seed) for seed, (name, arrays) in enumerate(images.items())}
    for study in searches.values():
        study.run()
    candidates = [(name, values) for name, study in searches.items() for values in best_of(study, options.each)]
    sources, starts = [name for name, _ in candidates], [values for _, values in candidates]
    accuracies: dict[str, list[float]] = {}
    for name, arrays in images.items():
        study = study_of(options, f"{name}-candidates", arrays, starts)
        study.run()
        values = {trial.number: trial.value for trial in study.stored().get_trials(deepcopy=False)}
        accuracies[name] = [values[number] or 0.0 for number in range(len(starts))]
    chosen = greedy(regrets(accuracies), range(len(starts)), options.size)
    print(table(searches, accuracies, sources, chosen))
    (options.folder / "portfolio.toml").write_text(written(chosen, candidates))
    for name in dict.fromkeys(map(family, images)):
        without = left_out(name, accuracies, sources, options.size)
        (options.folder / f"without-{name}.toml").write_text(written(without, candidates))
    figures = {"accuracies": accuracies, "sources": sources, "chosen": chosen, "candidates": starts}
    (options.folder / "portfolio.json").write_text(json.dumps(figures, indent=2) + "\n")


def table(searches: Mapping[str, Study], accuracies: Accuracies, sources: Sequence[str], chosen: Sequence[int]) -> str:
    """What 8 recipes reach on each data set, those of the portfolio and of one that has not seen it, in Markdown."""
    rows = [
        f"| data set | {TRIED} of the portfolio | {TRIED} chosen without it | {TRIED} random trials | its search |",
        "|---|---|---|---|---|",
    ]
    for name, values in accuracies.items():
        trials = searches[name].stored().get_trials(deepcopy=False)
        own = [last(trial) for trial in trials]
        best_of_random = statistics.mean(map(max, itertools.combinations(own[:RANDOM], min(TRIED, len(own[:RANDOM])))))
        without = left_out(name, accuracies, sources, TRIED)
        shown = (
            max(values[one] for one in chosen[:TRIED]), max(values[one] for one in without), best_of_random, max(own),
        )  # fmt: skip
        rows.append(f"| {name} | " + " | ".join(f"{100 * value:.2f} %" for value in shown) + " |")
    return "\n".join(rows)


def last(trial: Any) -> float:
    """The value of a trial; of a pruned one, the last that was reported."""
    return max(trial.intermediate_values.items(), default=(0, 0.0))[1] if trial.value is None else trial.value


def written(chosen: Sequence[int], candidates: Sequence[tuple[str, Mapping[str, Value]]]) -> str:
    """The portfolio as a file: each recipe's kinds, and its values that are not defaults, rounded to three digits."""
    lines = ["# Recipes that a search tries first (`study.portfolio`), chosen by benchmarks/portfolio.py."]
    for place in chosen:
        source, values = candidates[place]
        lines += ["", f"[[recipe]]  # found on {source}"]
        for path, value in values.items():
            rounded = float(f"{value:.3g}") if isinstance(value, float) else value
            if path.endswith(".kind") or rounded != FIELDS[path].default:
                lines.append(f"{path} = {value_text(rounded)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
