"""What lenet-search stores of a study for programs: its definition, images, parents, confirmation.

These are system attributes: a dashboard lists user attributes, for people. In version 0.1.0, they were among those.
"""

from typing import TYPE_CHECKING, Any

import optuna

from lenet_search.storage import DATA_FOLDERS

if TYPE_CHECKING:
    from optuna.study._frozen import FrozenStudy


def fact(study: "optuna.Study | FrozenStudy", name: str, default: Any = None) -> Any:
    """A fact, or `default` if it is not stored."""
    return facts(study).get(name, default)


def facts(study: "optuna.Study | FrozenStudy") -> dict[str, Any]:
    """All facts by name, among other attributes."""
    if isinstance(study, optuna.Study):
        return {**study.user_attrs, **study._storage.get_study_system_attrs(study._study_id)}
    return {**study.user_attrs, **study.system_attrs}


def data_folders(study: "optuna.Study | FrozenStudy") -> dict[str, str]:
    """The folder in which the file of each data set was found, by its name; empty where that is not known."""
    stored = fact(study, DATA_FOLDERS)
    found = stored.items() if isinstance(stored, dict) else ()
    return {name: folder for name, folder in found if isinstance(folder, str)}


def store_fact(study: optuna.Study, name: str, value: Any) -> None:
    """Store a fact, in place of an earlier one."""
    study._storage.set_study_system_attr(study._study_id, name, value)
