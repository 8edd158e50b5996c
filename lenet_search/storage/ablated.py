"""What the ablations of a study found, as attributes of the study itself: one with choices put back, one along a path.

They are system attributes, which dashboards do not list, and outlive the confirmation, which is written anew each time.
The recipe is stored with them, so that a report can tell an ablation of another winner.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

    from lenet_search.recipe import Recipe

ABLATED = {False: "lenet-search ablation", True: "lenet-search path"}  # by whether it follows a path


def write_ablated(study: "optuna.Study", summary: Mapping[str, Any], winner: "Recipe") -> None:
    """Store an ablation (`Ablation.summary()`) of the recipe `winner` with its study, in place of an earlier one."""
    stored = {**summary, "values": winner.values()}
    study._storage.set_study_system_attr(study._study_id, ABLATED[bool(summary["path"])], stored)


def read_ablated(study: "optuna.Study") -> list[dict[str, Any]]:
    """The ablations of a study, each with the winner's `values`, the one without a path first; none, one or two."""
    attributes = study._storage.get_study_system_attrs(study._study_id)
    return [attributes[name] for name in ABLATED.values() if name in attributes]
