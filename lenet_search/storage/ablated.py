"""What the ablations of a study found, as attributes of the study itself: one with choices put back, one along a path.

They are system attributes, which dashboards do not list, and outlive the confirmation, which is written anew each time.
The recipe is stored with them, so that a report can tell an ablation of another winner.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lenet_search.errors import ResultError
from lenet_search.storage.shapes import MEAN, Shape, misfit, recipe_values
from lenet_search.study import METRICS

if TYPE_CHECKING:
    import optuna

    from lenet_search.recipe import Recipe

STEP: Shape = {**MEAN, "choice": str, "before": dict, "after": dict, "verdict": str}
SUMMARY: Shape = {
    "study": str, "metric": str, "path": bool, "winner": MEAN, "reference": MEAN,
    "verdict": str, "steps": [STEP], "values": recipe_values,
}  # fmt: skip
ABLATED = {False: "lenet-search ablation", True: "lenet-search path"}  # by whether it follows a path


def write_ablated(study: "optuna.Study", summary: Mapping[str, Any], winner: "Recipe") -> None:
    """Store an ablation (`Ablation.summary()`) of the recipe `winner` with its study, in place of an earlier one."""
    stored = {**summary, "values": winner.values()}
    study._storage.set_study_system_attr(study._study_id, ABLATED[bool(summary["path"])], stored)


def read_ablated(study: "optuna.Study") -> list[dict[str, Any]]:
    """The ablations of a study, each with the winner's `values`, the one without a path first; none, one or two.

    Raises:
        ResultError: what is stored is no ablation.
    """
    attributes = study._storage.get_study_system_attrs(study._study_id)
    found = [attributes[name] for name in ABLATED.values() if name in attributes]
    for each in found:
        if problem := _problem(each):
            raise ResultError(
                f"an ablation of study {study.study_name!r} is damaged: {problem}; run `lenet-search ablate` again, "
                "with --path if it followed a path"
            )
    return found


def _problem(summary: Any) -> str:
    """What a stored ablation lacks, or what is no value for it; "" if nothing."""
    if problem := misfit(summary, SUMMARY):
        return problem
    if any(step["n"] and step["mean"] is None for step in summary["steps"]):
        return "steps: a mean over seeds is missing"
    return "" if summary["metric"] in METRICS else f"metric: received {summary['metric']!r}"
