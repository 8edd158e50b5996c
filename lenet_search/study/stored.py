"""Reads back what `Definition.lines` stored with a study."""

import tomllib
from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import FIELDS, Recipe
from lenet_search.space import Choice, Entry, Range, Space


def stored_space(lines: Mapping[str, str]) -> Space:
    """The space of a stored definition. A hyperparameter that this version does not know is left out.

    Raises:
        ValueError: the lines are no definition.
    """
    entries = {path: _entry(path, _value(text)) for path, text in lines.items() if path in FIELDS}
    return Space({path: entries.get(path, field.default) for path, field in FIELDS.items() if _there(path, entries)})


def stored_reference(lines: Mapping[str, str]) -> Recipe:
    """The recipe that a stored study has to beat: its first `[[start]]`, else the defaults.

    Raises:
        ValueError: the lines are no definition.
    """
    start = _value(lines["start.1"]) if "start.1" in lines else {}
    return Recipe.from_values(stored_space(lines).nearest(start))


def _there(path: str, entries: Mapping[str, Entry]) -> bool:
    """Whether a trial of the study can have the hyperparameter: it is stored, or new and not of a branch."""
    return path in entries or FIELDS[path].branch is None


def _value(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"]


def _entry(path: str, raw: Any) -> Entry:
    if isinstance(raw, list):
        return tuple(raw)
    if not isinstance(raw, dict):
        return raw  # type: ignore[no-any-return]
    if "choices" in raw:
        return Choice(tuple(raw["choices"]))
    legal = FIELDS[path].legal
    integer = legal.type is int or (legal.count_or_share and isinstance(raw["low"], int))
    return Range(raw["low"], raw["high"], raw.get("log", False), raw.get("step"), integer)
