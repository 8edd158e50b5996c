"""The definition of a study, as `Definition.lines` stored it with the study."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lenet_search.errors import ResultError
from lenet_search.storage import DEFINITION
from lenet_search.storage.facts import fact
from lenet_search.study import METRICS, write_study
from lenet_search.study.stored import stored_reference, stored_space

if TYPE_CHECKING:
    import optuna
    from optuna.study._frozen import FrozenStudy


def definition_of(study: "optuna.Study | FrozenStudy") -> Mapping[str, str] | None:
    """The stored definition, values in TOML by key; None for a study of another tool.

    Raises:
        ResultError: what is stored is no definition.
    """
    lines: Any = fact(study, DEFINITION)
    if lines is None:
        return None
    texts = isinstance(lines, dict) and all(isinstance(text, str) for each in lines.items() for text in each)
    if problem := _problem(tuple(lines.items())) if texts else "expected a table of texts":
        raise ResultError(
            f"the definition that is stored with study {study.study_name!r} is damaged: {problem}; its trials are not: "
            "Optuna and optuna-dashboard still show them"
        )
    return lines  # type: ignore[no-any-return]


def stored_value(lines: Mapping[str, str], key: str) -> Any:
    """The value of a key of a definition; None if the definition does not have it."""
    return tomllib.loads(f"value = {lines[key]}")["value"] if key in lines else None


@lru_cache
def _problem(items: tuple[tuple[str, str], ...]) -> str:
    """What readers would stumble over; "" if nothing. Asked again and again of the same few studies."""
    lines = dict(items)
    try:
        metric = stored_value(lines, "study.metric")
        if metric is not None and metric not in METRICS:
            return f"study.metric: received {metric!r}"
        for key in ("study.sampler", "study.pruner"):
            table = stored_value(lines, key)
            if not isinstance(table, dict) or not isinstance(table.get("kind"), str):
                return f"{key}: received {table!r}"
        if type(seed := stored_value(lines, "study.seed")) is not int:
            return f"study.seed: received {seed!r}"
        stored_space(lines)
        stored_reference(lines)
        write_study(lines)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        return str(error) or type(error).__name__
    return ""
