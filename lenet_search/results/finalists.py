"""The recipes that a confirmation races: the best of a study, and the reference that it has to beat."""

from typing import NamedTuple

import optuna
from optuna.trial import FrozenTrial, TrialState

from lenet_search.recipe import Recipe
from lenet_search.results.best import best_trial, complete_trials
from lenet_search.storage.confirmed import read_confirmed
from lenet_search.storage.definitions import definition_of
from lenet_search.storage.trials import carries_run, run_of, runs_of
from lenet_search.study.stored import stored_reference


class Found(NamedTuple):
    """A recipe of the search: the number of the best trial that had it, that trial's value, and the recipe."""

    number: int
    value: float
    recipe: Recipe


def best_recipes(study: optuna.Study) -> list[Found]:
    """All recipes of complete trials, the best first, each once.

    Raises:
        ResultError: no trial is complete.
    """
    best_trial(study)  # raises a readable error if there is none yet
    found: dict[Recipe, Found] = {}
    for trial in complete_trials(study):
        recipe = run_of(trial).recipe
        found.setdefault(recipe, Found(trial.number, float(trial.value or 0.0), recipe))
    return list(found.values())


def epochs_of_search(study: optuna.Study) -> int:
    """How many epochs the trials of a study have trained, over all their seeds."""
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    trials = study.get_trials(deepcopy=False, states=ended)
    return sum(run.epochs for trial in trials if carries_run(trial) for run in runs_of(trial))


def winner_of(study: optuna.Study) -> Recipe:
    """The confirmed recipe, else that of the best trial.

    Raises:
        ResultError: no trial is complete.
    """
    confirmed = read_confirmed(study)
    if confirmed is not None:
        values = {recipe["name"]: recipe["values"] for recipe in confirmed["recipes"]}
        return Recipe.from_values(values[confirmed["winner"]])
    return run_of(best_trial(study)).recipe


def winner_name(study: optuna.Study) -> str:
    """The name of `winner_of`'s recipe, as in the race: "trial-12" or "reference"."""
    confirmed = read_confirmed(study)
    return f"trial-{best_trial(study).number}" if confirmed is None else str(confirmed["winner"])


def confirmed_epochs(study: optuna.Study) -> int | None:
    """The epochs of every recipe in the confirmation, if they differ from those of the search."""
    confirmed = read_confirmed(study)
    return None if confirmed is None else confirmed["epochs"]


def reference_of(study: optuna.Study) -> Recipe | None:
    """The study's first `[[start]]`, else its defaults, in the precision of its trials; None for a foreign study."""
    lines = definition_of(study)
    if lines is None:
        return None
    return stored_reference(lines).settled(run_of(best_trial(study)).recipe.train.precision)


def reference_trial(study: optuna.Study) -> FrozenTrial | None:
    """The best complete trial that had the reference's recipe; None if there is none."""
    reference = reference_of(study)
    return next((trial for trial in complete_trials(study) if run_of(trial).recipe == reference), None)
