"""What the confirmation of a study found, as an attribute of the study, and for dashboards as a study beside it.

The attribute is written in one step. The study beside it, NAME.confirm, has a trial for each recipe of the race, with
its seeds as intermediate values; it is written again as a whole after each confirmation, and has the result, too: it
was its only place in earlier versions. Runs and models are files.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_search.errors import ResultError
from lenet_search.storage import DEFINITION, artifact_folder
from lenet_search.storage.facts import fact, store_fact
from lenet_search.storage.shapes import MEAN, Shape, misfit, recipe_values
from lenet_search.study import METRICS
from lenet_search.whole import as_name

if TYPE_CHECKING:
    import optuna
    from optuna.study._frozen import FrozenStudy

CONFIRMED = "lenet-search confirmed"  # attribute of the study beside
CONFIRMED_OF = "lenet-search confirmation"  # attribute of the study itself
SUFFIX = ".confirm"


def _seeds(value: Any) -> str:
    """What is wrong with values by seed."""
    wrong = [seed for seed in value if not str(seed).isdecimal()] if isinstance(value, dict) else [value]
    return f"received {wrong[0]!r}"[:100] if wrong else misfit(list(value.values()), [(int, float)])


ROW: Shape = {
    **MEAN, "name": str, "trial": (int, None), "state": str, "behind": (None, MEAN), "seeds": _seeds,
    "model_seed": (int, None), "parameters": int, "values": recipe_values,
}  # fmt: skip
SUMMARY: Shape = {
    "study": str, "metric": str, "winner": str, "tied": list, "gain": (None, MEAN), "epochs": (int, None),
    "verdict": [str], "recipes": [ROW],
}  # fmt: skip


def place_of(confirmed: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """What a confirmation says of one of its recipes: "winner", "chosen, ..." if it cannot be told from others, ..."""
    if row["name"] != confirmed["winner"]:
        return str(row["state"])
    return "winner" if len(confirmed["tied"]) < 2 else "chosen, cannot be told apart"


def runs_folder(url: str, study: str, epochs: int | None) -> Path:
    """The folder with the runs of a confirmation, a folder for each recipe; `epochs` if they differ from the search."""
    folder = artifact_folder(url) / "confirm" / as_name(study)
    return folder if epochs is None else folder / f"{epochs}-epochs"


def is_beside(study: "optuna.Study") -> bool:
    """Whether a study is what dashboards show as the confirmation of another, or will be."""
    return fact(study, CONFIRMED) is not None or (
        study.study_name.endswith(SUFFIX)
        and study.study_name.removesuffix(SUFFIX) in {each.study_name for each in study._storage.get_all_studies()}
        and not study.get_trials(deepcopy=False)  # the confirmation that created it was killed before the next step
        and fact(study, DEFINITION) is None
    )


def check_room(study: "optuna.Study") -> None:
    """Check that no study of another origin has the name under which dashboards see the confirmation.

    Raises:
        ResultError: there is one.
    """
    import optuna

    beside = _beside(study)
    if beside is None:
        return
    if not is_beside(optuna.load_study(study_name=beside.study_name, storage=study._storage)):
        raise ResultError(
            f"the storage contains a study {beside.study_name!r} that is not a confirmation: the confirmation of "
            f"{study.study_name!r} would take its place; rename or delete one of them"
        )


def write_confirmed(study: "optuna.Study", summary: Mapping[str, Any]) -> None:
    """Store a confirmation (`Confirmation.summary()`) of a study in its storage."""
    import optuna
    from optuna.trial import TrialState

    storage = study._storage
    check_room(study)
    store_fact(study, CONFIRMED_OF, dict(summary))
    if (before := _beside(study)) is not None:
        storage.delete_study(before._study_id)
    made = optuna.create_study(study_name=study.study_name + SUFFIX, storage=storage, direction=study.direction)
    store_fact(made, CONFIRMED, dict(summary))  # a study that is written in part is known as ours
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
    found: Any = fact(study, CONFIRMED_OF)
    if found is None and (beside := _beside(study)) is not None:
        found = fact(beside, CONFIRMED)
    if found is not None and (problem := problem_of(found)):
        raise ResultError(
            f"the confirmation of study {study.study_name!r} is damaged: {problem}; run `lenet-search confirm` again"
        )
    return found  # type: ignore[no-any-return]


def problem_of(summary: Any) -> str:
    """What a stored confirmation lacks, or what is no value for it; "" if nothing."""
    if problem := misfit(summary, SUMMARY):
        return problem
    names = [row["name"] for row in summary["recipes"]]
    if summary["winner"] not in names or any(name != as_name(name) for name in names):
        return "the winner is none of the recipes, or a recipe's name is no name of a folder"
    if not summary["verdict"]:
        return "verdict: received nothing"
    return "" if summary["metric"] in METRICS else f"metric: received {summary['metric']!r}"


def _beside(study: "optuna.Study") -> "FrozenStudy | None":
    """The study that dashboards show as the confirmation of this one."""
    name = study.study_name + SUFFIX
    return next((each for each in study._storage.get_all_studies() if each.study_name == name), None)
