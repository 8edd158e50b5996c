"""The answer of a study in a few sentences, from the same numbers as its tables."""

import statistics

import optuna

from lenet_search.look.intervals import Estimate
from lenet_search.look.quick import Quick, images_left_out
from lenet_search.look.theme import METRICS, Shown
from lenet_search.look.words import counted
from lenet_search.results.best import NOTHING_YET, complete_trials, estimate_of, metric_of
from lenet_search.results.finalists import reference_trial
from lenet_search.results.importance import importance
from lenet_search.storage.confirmed import read_confirmed
from lenet_search.storage.trials import run_of


def verdict(study: optuna.Study) -> list[str]:
    """What is best, by how much, how sure that is, and what mattered; one sentence each, the most important first."""
    trials = complete_trials(study)
    if not trials:
        return [NOTHING_YET]
    best = estimate_of(study, trials[0])
    of = f"the best of {len(trials)} complete trials" if len(trials) > 1 else "the only complete trial"
    sentences = [f"Trial {trials[0].number}, {of}, {_reached(METRICS[metric_of(study)], best)}."]
    if len(trials) > 1:
        sentences.append(_gain(study, trials, best))
    if len(trials) > 1 and best.low is not None:
        equals = sum((trial.value or 0.0) >= best.low for trial in trials[1:])
        others = counted(equals, "other trial") if equals else "No other trials"
        sentences.append(f"{others} {'lies' if equals == 1 else 'lie'} within the best one's interval.")
    sentences.append(importance(study).verdict)
    confirmed = read_confirmed(study)
    if confirmed is not None:
        searched, *more = sentences
        return [*confirmed["verdict"], f"In the search: {searched[0].lower()}{searched[1:]}", *more]
    sentences.append(
        "The best value is optimistic, because these images selected it: confirm it with other seeds "
        "(lenet-search confirm)."
    )
    return sentences


def quick_of(study: optuna.Study) -> Quick:
    """Whether the study's values come from a part of the images only."""
    trials = complete_trials(study)
    if not trials:
        return Quick()
    run = run_of(trials[0])
    return Quick.check(images_left_out(run.recipe.data.limit, run.images))


def _reached(metric: Shown, best: Estimate) -> str:
    interval = f" (95 % interval {best.bounds()})" if best.bounds() else ""
    over = f"on {best.n:,} images" if best.over == "images" else f"over {best.n} seeds"
    return f"has a {metric.label} of {metric.text(best.value or 0.0)}{interval} {over}"


def _gain(study: optuna.Study, trials: list[optuna.trial.FrozenTrial], best: Estimate) -> str:
    reference = reference_trial(study)
    first = reference or min(trials, key=lambda trial: trial.number)
    median = Estimate(statistics.median(trial.value or 0.0 for trial in trials), best.n, None, None, "", best.share)
    middle = f"the median is {median.figure()}{_apart(best, median)}"
    if first.number == trials[0].number:
        return f"None beats the {'reference' if reference else 'first'}; {middle}."
    start = estimate_of(study, first)
    name = "reference" if reference else "first one"
    return f"The {name} (trial {first.number}) reaches {start.figure()}{_apart(best, start)}; {middle}."


def _apart(best: Estimate, other: Estimate) -> str:
    apart = abs((best.value or 0.0) - (other.value or 0.0))
    if not apart:
        return ", as good"
    return f", {100 * apart:.2f} points worse" if best.share else f", {apart:.4f} worse"
