"""Which sampler and which pruner find more in the same training: searches that differ in nothing else.

    python benchmarks/samplers.py FOLDER --study digits --budget 800
    python benchmarks/samplers.py FOLDER --study mnist --set data.limit=6000 --budget 400 --data DATA
    python benchmarks/samplers.py FOLDER --study digits --budget 40 --searches 2 --seeds 2 --methods tpe,random

Each method searches the study `--searches` times, each time from another seed, the same for all methods, until its
trials have trained `--budget` epochs; nothing that ended later counts. Pruners are tried with TPE, and so is a start
from eight recipes (`portfolio`), those of `--portfolio`: a file of `portfolio.py` that has not seen these images. A
search has one worker with `--slots` trials side by side: two commands with other `--methods` can share two cores and a
folder. The best recipe of every search then trains on `--seeds` fresh seeds, the same for all: their mean is what the
search was worth. Methods are compared in pairs of searches from the same seed, by Student's t and Holm over all pairs.

Everything is kept in FOLDER; run again, the command goes on. It prints two tables, and writes samplers.html (the best
value so far by trained epochs, mean and 95 % interval over the searches) and samplers.json there.
"""

import argparse
import dataclasses
import itertools
import json
import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import plotly.graph_objects as go
from optuna.trial import FrozenTrial, TrialState
from plotly.subplots import make_subplots

from lenet_search import Study
from lenet_search.api.inputs import shown as view_or
from lenet_search.crew.signals import Interrupted
from lenet_search.errors import LenetSearchError, ResultError, StudyFileError
from lenet_search.experiments.confirm import FIRST_SEED
from lenet_search.experiments.finish import finish
from lenet_search.experiments.task import Task
from lenet_search.look.intervals import Difference, Estimate, holm, mean_of, paired_by_seed
from lenet_search.look.progress import Silent
from lenet_search.look.theme import METRICS, PALETTE, faded, titled
from lenet_search.look.waterfall import difference_text
from lenet_search.recipe import Recipe
from lenet_search.storage.definitions import definition_of
from lenet_search.storage.kept import Kept
from lenet_search.storage.trials import carries_run, run_of, runs_of
from lenet_search.study import differences, portfolio
from lenet_search.study.portfolio import recipes_in
from lenet_search.whole import replace_text

TPE = '{ kind = "TPESampler" }'
NONE = '{ kind = "NopPruner" }'
NONE_SET = f"pruner={NONE}"
METHODS: Mapping[str, tuple[str, ...]] = {  # what each sets in [study]
    "tpe": (f"sampler={TPE}", NONE_SET),
    "tpe-joint": ('sampler={ kind = "TPESampler", multivariate = true, group = true }', NONE_SET),
    "tpe-liar": ('sampler={ kind = "TPESampler", constant_liar = true }', NONE_SET),
    "random": ('sampler={ kind = "RandomSampler" }', NONE_SET),
    "sobol": ('sampler={ kind = "QMCSampler", scramble = true, warn_independent_sampling = false }', NONE_SET),
    "cma-es": ('sampler={ kind = "CmaEsSampler", warn_independent_sampling = false }', NONE_SET),
    "gp": ('sampler={ kind = "GPSampler", warn_independent_sampling = false }', NONE_SET),
    "auto": ('sampler={ kind = "hub:samplers/auto_sampler" }', NONE_SET),
    "median": (f"sampler={TPE}", 'pruner={ kind = "MedianPruner", n_startup_trials = 10, n_warmup_steps = 3 }'),
    "hyperband": (f"sampler={TPE}", 'pruner={ kind = "HyperbandPruner" }'),
    "halving": (f"sampler={TPE}", 'pruner={ kind = "SuccessiveHalvingPruner" }'),
    "wilcoxon": (f"sampler={TPE}", 'pruner={ kind = "WilcoxonPruner", n_startup_steps = 3 }', "seeds=2"),
    "portfolio": (f"sampler={TPE}", NONE_SET, "portfolio=8"),
}
EARLY = 0.2  # part of the budget that does not set the scale of a plot
LEVELS = 20  # parts of the budget at which the best so far is shown
Steps = list[tuple[int, float]]  # epochs trained so far, and the best value since then


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder for the searches and results")
    parser.add_argument("--study", default="digits", help="name or path of a study (default: digits)")
    parser.add_argument("--budget", type=positive, default=800, help="epochs of a search (default: 800)")
    parser.add_argument("--searches", type=positive, default=10, help="searches of each method (default: 10)")
    parser.add_argument("--seeds", type=positive, default=4, help="fresh seeds of each winner (default: 4)")
    parser.add_argument("--slots", type=positive, default=8, help="trials side by side (default: 8)")
    usual = ",".join(method for method in METHODS if method != "portfolio")
    parser.add_argument("--methods", default=usual, help="comma-separated (default: all but portfolio)")
    parser.add_argument("--portfolio", type=Path, help="file with recipes, for the method of that name")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a value; repeatable")
    parser.add_argument("--data", type=Path, help="folder with the images")
    options = parser.parse_args()
    options.methods = options.methods.split(",")
    if "portfolio" in options.methods:
        try:
            recipes_in(options.portfolio)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            parser.error("--portfolio: expected a file with recipes of portfolio.py, for the method of that name")
    if options.folder.exists() and not options.folder.is_dir():
        parser.error(f"FOLDER: {options.folder} is no folder")
    if unknown := set(options.methods) - METHODS.keys():
        parser.error(f"--methods: there is no {min(unknown)!r}; expected some of {','.join(METHODS)}")
    return options


def positive(text: str) -> int:
    """A whole number from 1.

    Raises:
        ValueError: it is none.
    """
    if int(text) < 1:
        raise ValueError
    return int(text)


def study_of(options: argparse.Namespace, method: str, seed: int) -> Study:
    """One search of a method. The study's own starts are left out: they would be the same recipes for all."""
    changes = [f"study.seed={seed}", "study.reference=false", "study.portfolio=0", "study.trials=1000000"]
    changes += [f"study.{text}" for text in METHODS[method]]
    storage = str(options.folder / f"{method}-{seed}.journal")  # of its own: the watch reads it again and again
    found = Study.read(options.study, (*options.set, *changes), name=f"{method}-{seed}", storage=storage)
    return Study(dataclasses.replace(found.definition, start=()), storage)


class Watch(Silent):
    """Ends a search when its trials have trained the budget, as if its reader had gone."""

    def __init__(self, study: Study, budget: int) -> None:
        self.gone = False
        self._study, self._budget = study, budget

    def ended(self, name: str, state: str, detail: str) -> None:
        """Count again."""
        self.gone = trained(self._study.stored()) >= self._budget


def search(options: argparse.Namespace, study: Study) -> optuna.Study:
    """Search until the budget is trained.

    Raises:
        SystemExit: the folder has a search of this name with other options.
    """
    watch = Watch(study, options.budget)
    with suppress(ResultError):  # no trial yet
        watch.ended("", "", "")
    while not watch.gone:  # a worker that dies again and again ends with an error
        try:
            study.run(data=options.data, workers=1, slots=options.slots, view=watch)
        except Interrupted:
            if not watch.gone:
                raise
    found = study.stored()
    if changed := differences(definition_of(found) or {}, study.definition.lines()):
        raise SystemExit(f"{study.storage} has a search with other options: {'; '.join(changed)}; give another FOLDER")
    done = f"{len(ended(found))} trials, {trained(found)} epochs, over the budget by those that ended last"
    print(f"{found.study_name}: {done}", flush=True)
    return found


def ended(study: optuna.Study) -> list[FrozenTrial]:
    """Complete and pruned trials in the order in which they ended."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return sorted((trial for trial in trials if carries_run(trial)), key=lambda trial: trial.datetime_complete)


def epochs_of(trial: FrozenTrial) -> int:
    """The epochs that a trial has trained, over all its seeds."""
    return sum(run.epochs for run in runs_of(trial))


def trained(study: optuna.Study) -> int:
    """The epochs of all trials that have ended."""
    return sum(map(epochs_of, ended(study)))


class Within(NamedTuple):
    """What a search has found within its budget: the best value so far by trained epochs, and the best trial."""

    steps: Steps
    trials: int
    best: FrozenTrial


def within(study: optuna.Study, budget: int) -> Within:
    """What counts of a search: the trials that ended within the budget.

    Raises:
        SystemExit: none of them is complete.
    """
    steps: Steps = []
    epochs, count, best = 0, 0, None
    for trial in ended(study):
        epochs += epochs_of(trial)
        if epochs > budget:
            break
        count += 1
        if trial.state == TrialState.COMPLETE and (best is None or is_better(study, trial.value, best.value)):
            best = trial
            steps.append((epochs, trial.value))
    if best is None:
        raise SystemExit(f"{study.study_name}: no trial is complete after {budget} epochs; give a larger --budget")
    return Within(steps, count, best)


def is_better(study: optuna.Study, value: float, other: float) -> bool:
    """Whether a value is better, by the direction of the study."""
    return value > other if study.direction == optuna.study.StudyDirection.MAXIMIZE else value < other


def confirm(options: argparse.Namespace, winners: Mapping[str, Recipe], metric: str) -> dict[str, Estimate]:
    """Train the winners on fresh seeds. The mean of each, by name."""
    seeds = tuple(range(FIRST_SEED, FIRST_SEED + options.seeds))
    tasks = [Task(name, name, recipe, None, seeds) for name, recipe in winners.items()]
    kept = {task.name: Kept(options.folder / "winners" / task.name) for task in tasks}
    results = finish(
        tasks, kept, name="the winners", test=False, view=view_or(None), metric=metric, data_folder=options.data
    )
    return {result.name: result.mean(metric) for result in results}


def compared(worth: Mapping[str, Mapping[int, float]], *, maximize: bool) -> list[tuple[str, str, Difference, float]]:
    """Both methods of each pair, the first minus the second, and p after Holm, the surest first.

    Args:
        worth: by method, what each of its searches was worth, by seed
        maximize: whether higher values are better
    """
    pairs = []
    for one, other in itertools.combinations(worth, 2):
        difference = paired_by_seed(worth[other], worth[one], maximize=maximize)
        assert difference is not None
        pairs.append((one, other, difference))
    adjusted = holm([difference.p for *_, difference in pairs])
    return sorted(((*pair, p) for pair, p in zip(pairs, adjusted, strict=True)), key=lambda pair: pair[3])


def at(steps: Steps, epochs: float) -> float | None:
    """The best value after so many epochs; None before the first trial was complete."""
    place = bisect_right(steps, epochs, key=lambda step: step[0])
    return steps[place - 1][1] if place else None


def panels(methods: Sequence[str]) -> dict[str, list[str]]:
    """The methods that differ in their sampler, in their pruner, or in how they begin; plain TPE is in all of these."""
    pruning = [method for method in methods if NONE_SET not in METHODS[method]]
    starting = [method for method in methods if method == "portfolio"]
    plain = [method for method in methods if method == "tpe"]
    found = {
        "samplers, without a pruner": [method for method in methods if method not in (*pruning, *starting)],
        "pruners, with TPE": [*plain, *pruning] if pruning else [],
        "a portfolio, with TPE": [*plain, *starting] if starting else [],
    }
    return {title: shown for title, shown in found.items() if shown}


def figure(found: Mapping[str, Sequence[Steps]], budget: int, metric: str) -> go.Figure:
    """The best so far by method: the mean over the searches, from where all have one, with its interval as a band."""
    shown, sides = METRICS[metric], panels(list(found))
    drawn = make_subplots(1, len(sides), subplot_titles=list(sides), shared_yaxes=True, horizontal_spacing=0.04)
    seen: list[float] = []
    for column, methods in enumerate(sides.values(), 1):
        for place, method in enumerate(methods):
            color = PALETTE[place % len(PALETTE)]
            means = mean_by_level(found[method], budget, share=shown.unit == "%")
            epochs = [epoch for epoch, _ in means]
            upper = [shown.factor * (mean.value if mean.high is None else mean.high) for _, mean in means]
            lower = [shown.factor * (mean.value if mean.low is None else mean.low) for _, mean in means]
            later = sum(epoch < EARLY * budget for epoch in epochs)  # how it began would set the scale
            seen += [*upper[later:], *lower[later:]]
            at_side: dict[str, Any] = {"row": 1, "col": column}
            common: dict[str, Any] = {"legendgroup": f"{column} {method}", "mode": "lines"}
            beside = f"legend{column}" if column > 1 else "legend"
            drawn.add_scatter(
                x=[*epochs, *epochs[::-1]], y=[*upper, *lower[::-1]], fill="toself", fillcolor=faded(color, 0.08),
                line={"width": 0}, showlegend=False, hoverinfo="skip", **common, **at_side,
            )  # fmt: skip
            drawn.add_scatter(
                x=epochs, y=[shown.factor * mean.value for _, mean in means], name=method,
                legend=beside, line={"color": color, "width": 2.5}, **common, **at_side,
            )  # fmt: skip
    n = max(map(len, found.values()))
    titled(drawn, "Best so far by trained epochs", f"means of {n} searches with 95 % intervals as bands", height=520)
    for column, axis in enumerate(drawn.select_xaxes(), 1):
        corner = {"yanchor": "bottom", "y": 0.02, "xanchor": "right", "x": axis.domain[1]}
        drawn.update_layout({f"legend{column}" if column > 1 else "legend": corner})
    margin = 0.03 * (max(seen) - min(seen))
    drawn.update_layout(margin_t=110).update_xaxes(title_text="epochs trained by the search")
    drawn.update_yaxes(range=[min(seen) - margin, max(seen) + margin])
    return drawn.update_yaxes(title_text=shown.title, col=1)


def mean_by_level(searches: Sequence[Steps], budget: int, *, share: bool) -> list[tuple[float, Estimate]]:
    """Parts of the budget, from where every search has a complete trial, and the mean of the best so far."""
    means: list[tuple[float, Estimate]] = []
    for level in range(1, LEVELS + 1):
        values = [at(steps, budget * level / LEVELS) for steps in searches]
        if None not in values:
            means.append((budget * level / LEVELS, mean_of(values, share=share)))
    return means


def table(
    found: Mapping[str, Sequence[Steps]],
    trials: Mapping[str, Sequence[int]],
    worth: Mapping[str, Mapping[int, float]],
    metric: str,
) -> str:
    """What the searches of each method have found and what it was worth, in Markdown, the best first."""
    shown = METRICS[metric]
    rows = [
        "| method | searches | trials each | best in the search | on fresh seeds (95 % interval) |",
        "|---|--:|--:|--:|---|",
    ]

    def mean(values: Sequence[float]) -> Estimate:
        return mean_of(list(values), share=shown.unit == "%")

    ranked = sorted(worth, key=lambda method: -shown.factor * statistics.mean(worth[method].values()))
    for method in ranked if shown.unit == "%" else ranked[::-1]:
        best = shown.text(mean([steps[-1][1] for steps in found[method]]).value)
        confirmed = shown.interval(mean(list(worth[method].values())))
        count = statistics.mean(trials[method])
        rows.append(f"| {method} | {len(found[method])} | {count:.0f} | {best} | {confirmed} |")
    return "\n".join(rows)


def pairs_table(pairs: Sequence[tuple[str, str, Difference, float]], searches: int, metric: str) -> str:
    """The differences of methods, better if positive, in Markdown."""
    unit = "in points " if METRICS[metric].unit == "%" else ""
    rows = [f"| pair | difference {unit}(95 % interval, n = {searches} searches) | p (Holm) |", "|---|---|--:|"]
    for one, other, difference, p in pairs:
        rows.append(f"| {one} - {other} | {difference_text(difference.to_json(), metric)} | {p:.3f} |")
    return "\n".join(rows)


def main() -> None:
    """Search, confirm, compare."""
    options = arguments()
    if options.portfolio is not None:
        portfolio.FILE = options.portfolio  # before anything has read the recipes that ship
    try:
        compare(options)
    except LenetSearchError as error:  # images are missing, or too few
        raise SystemExit(str(error)) from None


def compare(options: argparse.Namespace) -> None:
    """All of it, with these options."""
    options.folder.mkdir(parents=True, exist_ok=True)
    searches: dict[str, dict[int, optuna.Study]] = {}
    for method in options.methods:
        try:
            studies = {seed: study_of(options, method, seed) for seed in range(options.searches)}
        except StudyFileError as error:  # a package that is missing, or a sampler that does not suit the space
            print(f"{method} is left out: {str(error).splitlines()[0]}")
            continue
        metric = studies[0].definition.metric
        searches[method] = {seed: search(options, study) for seed, study in studies.items()}
    if not searches:
        raise SystemExit("no method is left")
    maximize = studies[0].definition.direction == "maximize"
    counted = {
        (method, seed): within(study, options.budget) for method, by in searches.items() for seed, study in by.items()
    }
    names = {key: f"{'-'.join(map(str, key))}-trial-{each.best.number}" for key, each in counted.items()}
    confirmed = confirm(options, {names[key]: run_of(each.best).recipe for key, each in counted.items()}, metric)
    found = {method: [counted[method, seed].steps for seed in by] for method, by in searches.items()}
    worth = {method: {seed: confirmed[names[method, seed]].value for seed in by} for method, by in searches.items()}
    trials = {method: [counted[method, seed].trials for seed in by] for method, by in searches.items()}
    pairs = compared(worth, maximize=maximize)
    print(f"\n{table(found, trials, worth, metric)}\n\n{pairs_table(pairs, options.searches, metric)}")
    replace_text(options.folder / "samplers.html", figure(found, options.budget, metric).to_html())
    content = {"study": options.study, "budget": options.budget, "set": options.set, "found": found, "worth": worth}
    replace_text(options.folder / "samplers.json", json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
