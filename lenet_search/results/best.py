"""The best trials of a study."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lenet_search.errors import ResultError
from lenet_search.look.intervals import Estimate, grain_of, is_share, mean_of, share_of
from lenet_search.recipe import FIELDS
from lenet_search.storage import DEFINITION
from lenet_search.storage.confirmed import SUFFIX, is_beside
from lenet_search.storage.definitions import definition_of, stored_value
from lenet_search.storage.facts import fact
from lenet_search.storage.trials import carries_run, has_several_runs, run_of, runs_of

NOTHING_YET = "No trial is complete yet."
NOTHING_SEARCHED = "This study searched no hyperparameters."
_metrics: WeakKeyDictionary[optuna.Study, str] = WeakKeyDictionary()  # it never changes, and is asked for every trial
MOST_NUMBERS = 10  # trial numbers that a sentence lists


@dataclass(frozen=True)
class Row:
    """One row of the table of best trials."""

    rank: int
    number: int
    estimate: Estimate
    seconds: float
    params: dict[str, Any]


def pick_study(storage: BaseStorage, name: str | None = None) -> optuna.Study:
    """The study named `name`, else the only one, else the one with the most recent trial.

    Studies of other tools in the same storage are returned only by name, or if there are no others.

    Raises:
        ResultError: there is no such study (the message lists those that exist), it is a confirmation, or it has
            several objectives.
    """
    found = storage.get_all_studies()
    ids = {study.study_name: study._study_id for study in found}
    if not ids:
        raise ResultError("The storage contains no study yet. Start one with: lenet-search run --study digits")
    if name is None:
        own = [study.study_name for study in found if fact(study, DEFINITION) is not None]
        name = max(own or ids, key=lambda each: (_newest(storage, ids[each]), ids[each]))
    elif name not in ids:
        raise ResultError(f"The storage contains no study named {name!r}. Available: {', '.join(sorted(ids))}")
    study = optuna.load_study(study_name=name, storage=storage)
    if is_beside(study):
        raise ResultError(
            f"Study {name!r} is the confirmation of study {name.removesuffix(SUFFIX)!r}, and shown with it: name that "
            "one."
        )
    if len(study.directions) > 1:
        raise ResultError(f"Study {name!r} has {len(study.directions)} objectives; lenet-search did not create it.")
    return study


def _newest(storage: BaseStorage, study_id: int) -> datetime:
    trials = storage.get_all_trials(study_id, deepcopy=False)
    return max((trial.datetime_start for trial in trials if trial.datetime_start), default=datetime.min)


def metric_of(study: optuna.Study) -> str:
    """The metric of the study, one of `study.METRICS`."""
    if study not in _metrics:
        metric = stored_value(definition_of(study) or {}, "study.metric")
        if metric is not None:
            _metrics[study] = str(metric)
    if study in _metrics:
        return _metrics[study]
    return "val_accuracy" if study.direction == StudyDirection.MAXIMIZE else "val_loss"


def complete_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The complete trials that lenet-search ran, with a finite value, best first, and older first among equals."""
    return [trial for trial in ranked_trials(study) if carries_run(trial)]


def foreign_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The trials with a result that another tool added. The sampler learns from them; nothing else is known of them."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    return [trial for trial in study.get_trials(deepcopy=False, states=states) if not carries_run(trial)]


def ranked_trials(study: optuna.Study) -> list[FrozenTrial]:
    """All complete trials with a finite value, best first, and older first among equals."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    sign = -1.0 if study.direction == StudyDirection.MAXIMIZE else 1.0
    finite = [
        (sign * trial.value, trial.number, trial)
        for trial in trials
        if trial.value is not None and math.isfinite(trial.value)
    ]
    return [trial for _, _, trial in sorted(finite, key=lambda each: each[:2])]


def passed_over(study: optuna.Study) -> str:
    """A sentence about the trials that another tool added, or "" if there are none."""
    trials = foreign_trials(study)
    if not trials:
        return ""
    numbers = ", ".join(str(trial.number) for trial in trials[:MOST_NUMBERS])
    more = ", ..." if len(trials) > MOST_NUMBERS else ""
    ranked = ranked_trials(study)
    best = ", the best of all among them" if ranked and ranked[0] in trials else ""
    one = len(trials) == 1
    return (
        f"Passed over: trial{'' if one else 's'} {numbers}{more}{best}, which another tool added and which "
        f"{'has' if one else 'have'} no recipe to show or to export."
    )


def best_trial(study: optuna.Study) -> FrozenTrial:
    """The best complete trial.

    Raises:
        ResultError: no trial is complete yet.
    """
    trials = complete_trials(study)
    if not trials:
        states = [trial.state.name.lower() for trial in study.get_trials(deepcopy=False)]
        counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states))) or "no trials"
        foreign = passed_over(study)
        to_do = "Resume it with a larger --trials or --timeout."
        if "running" in states:
            to_do = "Wait for its first trial, or name another study with --study."
        raise ResultError(
            f"Study {study.study_name!r} has no complete trial {'of its own' if foreign else 'yet'} ({counts}). "
            f"{foreign or to_do}"
        )
    return trials[0]


def top_rows(study: optuna.Study, n: int) -> list[Row]:
    """The best `n` complete trials as table rows, best first."""
    return [
        Row(rank, trial.number, estimate_of(study, trial), _seconds(trial), ordered(trial.params))
        for rank, trial in enumerate(complete_trials(study)[:n], start=1)
    ]


def _seconds(trial: FrozenTrial) -> float:
    return sum(run.seconds for run in runs_of(trial))


def estimate_of(study: optuna.Study, trial: FrozenTrial) -> Estimate:
    """A complete trial's value on the validation images or, if it has several seeds, their mean."""
    return estimate_at(trial, float(trial.value or 0.0), metric_of(study), validation_images(study))


def estimate_at(trial: FrozenTrial, value: float, metric: str, images: int) -> Estimate:
    """A value of a trial, on `images` validation images.

    That of a complete trial with several seeds is their mean, with Student's interval. The means that pruners saw on
    the way have none.
    """
    if not has_several_runs(trial):
        return estimate(metric, value, images)
    if trial.state != TrialState.COMPLETE:
        return Estimate(value, len(runs_of(trial)), None, None, "seeds", is_share(metric))
    values = [run.curve[metric][-1] for run in runs_of(trial)]
    return mean_of(values, share=is_share(metric), grain=grain_of(metric, images))


def what_intervals_cover(found: Sequence[Estimate]) -> str:
    """'n = 5,000 images', 'over seeds', or both if trials differ."""
    images = max((each.n for each in found if each.over == "images"), default=0)
    parts = ["over seeds"] if any(each.over == "seeds" for each in found) else []
    return " or, of one seed, ".join([*parts, *([f"n = {images:,} images"] if images else [])])


def estimate(metric: str, value: float, images: int) -> Estimate:
    """A value of `metric`, measured on `images` validation images.

    Only an accuracy on one or more images has an interval. That of a balanced accuracy depends on the accuracy in each
    class, and a trial does not store these.
    """
    if metric == "val_accuracy" and images:
        return share_of(value, images)
    return Estimate(value, images, None, None, "images", share=is_share(metric))


def validation_images(study: optuna.Study) -> int:
    """The number of validation images, which all trials of a study share; 0 if no trial is complete."""
    trials = complete_trials(study)
    return int(run_of(trials[0]).images.get("validation", 0)) if trials else 0


def searched(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Every hyperparameter that the trials drew, in the order of `FIELDS`."""
    return ordered({path: spread for trial in trials for path, spread in trial.distributions.items()})


def ordered(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters in the order of `FIELDS`, followed by unknown names."""
    places = {path: place for place, path in enumerate(FIELDS)}
    return {path: params[path] for path in sorted(params, key=lambda each: (places.get(each, len(places)), each))}
