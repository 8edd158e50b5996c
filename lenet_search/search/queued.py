"""Trials that somebody queued, with values that may not be legal in the study."""

from collections.abc import Mapping
from typing import Any

import optuna

from lenet_search.recipe import FIELDS, Value
from lenet_search.space import Space
from lenet_search.study import value_problem

FIXED = "fixed_params"  # trial attribute in which Optuna's `enqueue_trial` keeps the values, as a table


class IllegalValue(ValueError):
    """A queued value that no trial of the study can have."""


def draw(trial: optuna.Trial, space: Space) -> dict[str, Value]:
    """Draw a trial, as `space.sample`.

    Raises:
        IllegalValue: a queued value is not legal in this space.
    """
    queued: Any = trial._fixed_params
    given = {**(queued if isinstance(queued, Mapping) else {FIXED: queued}), **trial.params}
    for path, value in given.items():
        problem = _problem(path, value, given, space)
        if problem:
            raise IllegalValue(f"its queued value {path} = {value!r} is not legal: {problem}")
    try:
        values = space.sample(trial)
    except ValueError as error:
        if given:
            raise IllegalValue(f"its queued values are not legal: {error}") from error
        raise
    for path in given:
        if path not in values:
            kind = f"{FIELDS[path].section}.kind"
            raise IllegalValue(f"its queued value {path} has no effect with {kind} = {values[kind]!r}, which was drawn")
    return values


def _problem(path: str, value: Any, given: Mapping[str, Any], space: Space) -> str:
    """What is wrong with a value; "" if nothing is."""
    field = FIELDS.get(path)
    if field is None:
        return "there is no hyperparameter of this name"
    if field.branch is not None:
        kind = f"{field.section}.kind"
        if field.branch not in space.kinds(field.section):
            return f"no trial of this study has {kind} = {field.branch!r}"
        if given.get(kind, field.branch) != field.branch:
            return f"it has no effect with {kind} = {given[kind]!r}"
    if not field.legal.allows(value):
        return f"expected {field.legal.expected}"
    expected = value_problem(field.legal.convert(value), space.entries[path])
    return "" if expected is None else f"expected {expected}"
