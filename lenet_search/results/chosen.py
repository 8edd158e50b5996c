"""What an export is made of: the run that stands for a study's confirmed winner, else its best trial."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from lenet_search.errors import ResultError
from lenet_search.look.intervals import Estimate, is_share
from lenet_search.look.theme import METRICS
from lenet_search.recipe import Recipe
from lenet_search.results.best import best_trial, complete_trials, estimate_of, metric_of
from lenet_search.results.verdict import quick_of
from lenet_search.run import Run
from lenet_search.storage import artifact_folder
from lenet_search.storage.confirmed import place_of, read_confirmed, runs_folder
from lenet_search.storage.kept import Kept
from lenet_search.storage.trials import load_weights, run_of


@dataclass(frozen=True)
class Chosen:
    """A run with its model.

    run        the run
    title      what it is, in a line
    trial      the trial of the search that had its recipe; None: the search did not try it
    confirmed  its figures on fresh seeds, as in `Confirmation.summary`; None: the study is not confirmed
    model      builds its Keras model
    """

    run: Run
    title: str
    trial: FrozenTrial | None
    confirmed: dict[str, Any] | None
    model: Callable[[], Any]


def chosen(study: optuna.Study, url: str, *, best_seed: bool = False) -> Chosen:
    """The run to export: of the confirmed winner the seed nearest its mean or, on request, the best one.

    Raises:
        ResultError: no trial is complete, or the model is not on this machine.
    """
    best = best_trial(study)
    confirmed = read_confirmed(study)
    if confirmed is None:
        return _of_trial(study, url, best)
    row = next(each for each in confirmed["recipes"] if each["name"] == confirmed["winner"])
    folder = runs_folder(url, study.study_name, confirmed["epochs"]) / row["name"]
    seed = _best_seed(study, row) if best_seed else row["model_seed"]
    run = _run(folder, row, seed)
    file = Kept(folder).model(seed)
    if not file.is_file():
        raise _missing(study, file)
    trials = {trial.number: trial for trial in complete_trials(study)}
    return Chosen(run, _title(study, confirmed, row, seed), trials.get(row["trial"]), row, lambda: _loaded(file))


def confirmed_means(study: optuna.Study) -> dict[int, str]:
    """The means on fresh seeds by trial, with interval, n and verdict, for a table; empty if not confirmed."""
    confirmed = read_confirmed(study)
    if confirmed is None:
        return {}
    share, shown = is_share(confirmed["metric"]), {}
    for row in confirmed["recipes"]:
        if row["trial"] is not None:
            mean = Estimate(row["mean"], row["n"], row["low"], row["high"], "seeds", share)
            shown[int(row["trial"])] = f"{mean}\nn = {row['n']}: {place_of(confirmed, row)}"
    return shown


def confirmed_runs(study: optuna.Study, url: str) -> dict[str, list[Run]]:
    """The runs of each recipe of the confirmation, by its name, the leader first; without those not on this machine.

    Raises:
        ResultError: the file of a run is damaged.
    """
    confirmed = read_confirmed(study)
    if confirmed is None:
        return {}
    folder, found = runs_folder(url, study.study_name, confirmed["epochs"]), {}
    for row in confirmed["recipes"]:
        runs = [_read(folder / row["name"], row, int(seed)) for seed in row["seeds"]]
        found[str(row["name"])] = [run for run in runs if run is not None]
    return {name: runs for name, runs in found.items() if runs}


def headline(study: optuna.Study, trial: FrozenTrial) -> str:
    """One line with the trial, its result, n and the 95 % interval."""
    found = estimate_of(study, trial)
    if found.over == "seeds":
        result = f"{METRICS[metric_of(study)].label} {found}, mean of {found.n} seeds, 95 % interval"
    elif found.bounds():
        result = f"{found.figure()} of {found.n:,} validation images correct (95 % interval {found.bounds()})"
    else:
        result = f"{METRICS[metric_of(study)].label} {found} on {found.n:,} validation images"
    quick = quick_of(study)
    if quick:
        result += f"; {quick.mark}: {quick.why}"
    of = f"{len(complete_trials(study))} complete trials of study {study.study_name}"
    return f"Trial {trial.number}, the best of {of}: {result}."


def _of_trial(study: optuna.Study, url: str, trial: FrozenTrial) -> Chosen:
    run, folder = run_of(trial), artifact_folder(url)
    weights: dict[str, np.ndarray] | None = load_weights(folder, trial)
    if weights is None:
        raise ResultError(
            f"the weights of trial {trial.number}, the best of {study.study_name}, are not in {folder}: copy that "
            "folder from the machine that ran the search, or run more trials; `lenet-search best` shows the recipe "
            "without them"
        )

    def model() -> Any:
        from lenet_search.networks.plain import plain_model

        return plain_model(run.recipe, run.images, weights)

    return Chosen(run, headline(study, trial), trial, None, model)


def _title(study: optuna.Study, confirmed: dict[str, Any], row: dict[str, Any], seed: int) -> str:
    metric = confirmed["metric"]
    mean = Estimate(row["mean"], row["n"], row["low"], row["high"], "seeds", is_share(metric))
    name = "The reference" if row["trial"] is None else f"Trial {row['trial']}"
    quick = quick_of(study)
    mark = f"; {quick.mark}: {quick.why}" if quick else ""
    tied = len(confirmed["tied"])
    what = "the confirmed winner" if tied < 2 else f"chosen among {tied} recipes that cannot be told apart,"
    return (
        f"{name}, {what} of study {study.study_name}: {METRICS[metric].label} {mean}, mean of {row['n']} "
        f"fresh seeds, 95 % interval; the model is that of seed {seed}{mark}."
    )


def _best_seed(study: optuna.Study, row: dict[str, Any]) -> int:
    pick = max if study.direction == optuna.study.StudyDirection.MAXIMIZE else min
    return int(pick(row["seeds"], key=row["seeds"].__getitem__))


def _run(folder: Path, row: dict[str, Any], seed: int) -> Run:
    """The run of a seed of a confirmed recipe."""
    run = _read(folder, row, seed)
    if run is None:
        raise ResultError(
            f"there is no run of seed {seed} in {folder}: copy that folder from the machine that confirmed the study, "
            "or run `lenet-search confirm` here"
        )
    return run


def _read(folder: Path, row: dict[str, Any], seed: int) -> Run | None:
    """The run of a seed of a confirmed recipe; None if it is not on this machine."""
    run = Kept(folder).read(seed)
    if run is not None and not run.is_of(Recipe.from_values(row["values"]), seed):
        raise ResultError(
            f"{folder}: expected runs of the recipe that was confirmed; remove it and run `lenet-search confirm`"
        )
    return run


def _missing(study: optuna.Study, file: Path) -> ResultError:
    return ResultError(
        f"the model of {study.study_name}'s confirmed recipe is missing: there is no {file}; run `lenet-search confirm`"
    )


def _loaded(file: Path) -> Any:
    from lenet_search.model.evaluate import load_model

    return load_model(file)
