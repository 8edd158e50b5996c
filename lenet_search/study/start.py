"""`[[start]]`: complete or partial recipes to try first."""

from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import FIELDS, Value
from lenet_search.space import Choice, Entry, Range
from lenet_search.study.hyperparameters import checked_value, written_paths
from lenet_search.study.source import Source
from lenet_search.study.toml_lines import Path
from lenet_search.study.toml_text import value_text


def read_starts(source: Source, entries: Mapping[str, Entry]) -> tuple[dict[str, Value], ...]:
    """The searched hyperparameters that each start sets, as flat values. Problems are reported.

    Values that an override rules out are dropped silently. Values that repeat the study's fixed values are omitted, and
    so are starts that become empty.
    """
    tables = source.values.get("start", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        source.report(("start",), "tables with the header [[start]]", tables)
        return ()
    starts = [_start(source, table, ("start", number), entries) for number, table in enumerate(tables)]
    return tuple(start for start in starts if start)


def _start(source: Source, table: Mapping[str, Any], at: Path, entries: Mapping[str, Entry]) -> dict[str, Value]:
    before = len(source.problems)
    written = written_paths(source, table, at)
    if not written and len(source.problems) == before:
        source.report(at, "at least one hyperparameter, like train.epochs = 10")
    checked = {path: checked_value(source, FIELDS[path], raw, (*at, *path.split("."))) for path, raw in written.items()}
    values = {path: value for path, value in checked.items() if value is not None}
    refused = checked.keys() - values.keys()
    kept: dict[str, Value] = {}
    for path, value in values.items():
        if f"{FIELDS[path].section}.kind" in refused:
            continue  # of which kind this value is cannot be told
        if _fits(source, path, value, at, entries, values) and isinstance(entries.get(path), Range | Choice):
            kept[path] = value
    return kept


def _fits(
    source: Source, path: str, value: Value, at: Path, entries: Mapping[str, Entry], start: Mapping[str, Value]
) -> bool:
    """Whether a trial of the study can have this value. If not, it is reported, unless an override is the cause."""
    field = FIELDS[path]
    here = (*at, *path.split("."))
    if field.branch is not None:
        kind = f"{field.section}.kind"
        expected = _branch_problem(field.branch, kind, entries, start)
        if expected is not None:
            if not source.is_overridden(tuple(kind.split("."))):
                source.report(here, expected, value)
            return False
    if path not in entries:
        return False  # its problem in the study has already been reported
    expected = value_problem(value, entries[path])
    if expected is not None and not source.is_overridden(tuple(path.split("."))):
        source.report(here, expected, value)
    return expected is None


def _branch_problem(branch: str, kind: str, entries: Mapping[str, Entry], start: Mapping[str, Value]) -> str | None:
    if kind not in entries:
        return None
    entry = entries[kind]
    possible = entry.choices if isinstance(entry, Choice) else (entry,)
    if branch not in possible:
        return f"arguments of a kind that {kind} can take, {', '.join(value_text(one) for one in possible)}"
    if isinstance(entry, Choice) and start.get(kind) != branch:
        said = f"not {value_text(start[kind])}" if kind in start else "which is left out"
        return f'{kind} = "{branch}" in the same start, {said}'
    return None


def value_problem(value: Value, entry: Entry) -> str | None:
    """What was expected instead of a value, in words that follow "expected", if no trial can have it."""
    if isinstance(entry, Choice):
        return None if value in entry.choices else f"one of {', '.join(value_text(one) for one in entry.choices)}"
    if isinstance(entry, Range):
        inside = isinstance(value, int | float) and entry.contains(value)
        grid = "" if entry.step is None else f" in steps of {value_text(entry.step)}"
        return None if inside else f"a value from {value_text(entry.low)} to {value_text(entry.high)}{grid}"
    return None if value == entry else f"{value_text(entry)}, the value fixed by the study, or no value"
