"""What the confirmation of a study found, as a study beside it in the storage: NAME.confirm.

It has a trial for each recipe of the race, with its seeds as intermediate values, so that a dashboard shows it, and the
result as an attribute. It is written again as a whole after each confirmation; runs and models are files.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_search.errors import ResultError
from lenet_search.storage import artifact_folder
from lenet_search.storage.facts import fact, store_fact
from lenet_search.study import METRICS
from lenet_search.whole import as_name

if TYPE_CHECKING:
    import optuna

CONFIRMED = "lenet-search confirmed"
SUFFIX = ".confirm"
NONE = type(None)
NUMBER = (int, float, NONE)
# What is read of a confirmation and of each of its recipes, and the types that it may have.
SUMMARY: Mapping[str, tuple[type, ...]] = {"metric": (str,), "winner": (str,), "tied": (list,), "epochs": (int, NONE)}
ROW: Mapping[str, tuple[type, ...]] = {
    "name": (str,), "trial": (int, NONE), "mean": NUMBER, "n": (int,), "low": NUMBER, "high": NUMBER, "state": (str,),
    "seeds": (dict,), "model_seed": (int, NONE),
}  # fmt: skip


def runs_folder(url: str, study: str, epochs: int | None) -> Path:
    """The folder with the runs of a confirmation, a folder for each recipe; `epochs` if they differ from the search."""
    folder = artifact_folder(url) / "confirm" / as_name(study)
    return folder if epochs is None else folder / f"{epochs}-epochs"


def check_room(study: "optuna.Study") -> None:
    """Check that no study of another origin has the name under which the confirmation is stored.

    Raises:
        ResultError: there is one.
    """
    for each in study._storage.get_all_studies():
        if each.study_name == study.study_name + SUFFIX and fact(each, CONFIRMED) is None:
            raise ResultError(
                f"the storage contains a study {each.study_name!r} that is not a confirmation: the confirmation of "
                f"{study.study_name!r} would take its place; rename or delete one of them"
            )


def write_confirmed(study: "optuna.Study", summary: Mapping[str, Any]) -> None:
    """Store a confirmation (`Confirmation.summary()`) of a study in its storage."""
    import optuna
    from optuna.trial import TrialState

    name, storage = study.study_name + SUFFIX, study._storage
    check_room(study)
    if name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=name, storage=storage)
    made = optuna.create_study(study_name=name, storage=storage, direction=study.direction)
    store_fact(made, CONFIRMED, dict(summary))  # first: a study that is written in part is known as ours
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        made.set_metric_names([summary["metric"]])
    trials = {trial.number: trial for trial in study.get_trials(deepcopy=False)}
    for recipe in summary["recipes"]:
        searched = trials.get(recipe["trial"])
        made.add_trial(
            optuna.create_trial(
                state=TrialState.FAIL if recipe["mean"] is None else TrialState.COMPLETE,
                value=recipe["mean"],
                params={} if searched is None else searched.params,
                distributions={} if searched is None else searched.distributions,
                intermediate_values=dict(enumerate(recipe["seeds"].values(), start=1)),
                user_attrs={key: recipe[key] for key in ("name", "trial", "searched", "n", "low", "high", "state")},
            )
        )


def read_confirmed(study: "optuna.Study") -> dict[str, Any] | None:
    """The confirmation of a study; None if it was not confirmed yet.

    Raises:
        ResultError: what is stored is no confirmation.
    """
    storage, name = study._storage, study.study_name + SUFFIX
    for each in storage.get_all_studies():
        if each.study_name == name:
            found: dict[str, Any] | None = fact(each, CONFIRMED)
            if found is not None and (problem := _problem(found)):
                raise ResultError(
                    f"the confirmation in the study {name!r} is damaged: {problem}; run `lenet-search confirm` again"
                )
            return found
    return None


def _problem(summary: Any) -> str:
    """What a stored confirmation lacks, or what is no value for it; "" if nothing."""
    if not isinstance(summary, dict):
        return "expected a table"
    rows = summary.get("recipes")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "recipes: expected a list of tables"
    for table, fields in ((summary, SUMMARY), *((row, ROW) for row in rows)):
        for field, legal in fields.items():
            value = table.get(field, ...)
            if not isinstance(value, legal) or isinstance(value, bool):
                return f"{field}: received {'nothing' if value is ... else repr(value)[:100]}"
    names = [row["name"] for row in rows]
    if summary["winner"] not in names or any(name != as_name(name) for name in names):
        return "the winner is none of the recipes, or a recipe's name is no name of a folder"
    if summary["metric"] not in METRICS:
        return f"metric: received {summary['metric']!r}"
    return ""
