"""The hyperparameters of a study file, read into the entries of a `Space`."""

import tomllib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from lenet_search.recipe import FIELDS, SECTIONS, Field, Scalar, Value
from lenet_search.space import Choice, Entry, Range, steps_between
from lenet_search.study.source import Source, nearest_name
from lenet_search.study.toml_lines import Path
from lenet_search.study.toml_text import value_text

RANGE_KEYS = ("low", "high", "log", "step")
OTHERS = ("study", "start", "confirm", "claim")  # tables of a study file without hyperparameters
MOST_STEPS = 10**7  # from low to high, of numbers that are not whole: of more, Optuna cannot tell which is which


def read_entries(source: Source) -> dict[str, Entry]:
    """The entries of the study's `Space`. Invalid ones are reported and left out."""
    sections = {name: table for name, table in source.values.items() if name not in OTHERS}
    written = written_paths(source, sections, (), OTHERS)
    parsed = {path: _entry(source, FIELDS[path], value) for path, value in written.items()}
    kinds = {section: _kinds(section, parsed) for section, table in SECTIONS.items() if hasattr(table, "BRANCHES")}
    _report_unpicked_branches(source, written, kinds)
    entries: dict[str, Entry] = {}
    for path, field in FIELDS.items():
        if field.branch is None or field.branch in kinds[field.section]:
            entry = parsed.get(path, field.default)
            if entry is not None:
                entries[path] = entry
    return entries


def written_paths(
    source: Source, tables: Mapping[str, Any], prefix: Path, others: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The raw value of every hyperparameter in `tables`, by dotted path. Unknown keys are reported.

    `prefix` is the location of the tables: () for a study, ("start", 0) for a start. `others` are the names of other
    tables that are allowed next to them.
    """
    found: dict[str, Any] = {}
    for section, table in tables.items():
        if section not in SECTIONS:
            source.report_unknown((*prefix, section), (*others, *SECTIONS), _elsewhere(section))
        elif not isinstance(table, dict):
            source.report((*prefix, section), f"a table, [{section}]", table)
        else:
            found |= _written_in(source, section, table, prefix)
    return found


def _written_in(source: Source, section: str, table: Mapping[str, Any], prefix: Path) -> dict[str, Any]:
    branches = getattr(SECTIONS[section], "BRANCHES", {})
    names = [path.split(".")[1] for path, field in FIELDS.items() if field.section == section and not field.branch]
    found: dict[str, Any] = {}
    for name, value in table.items():
        if f"{section}.{name}" in FIELDS:
            found[f"{section}.{name}"] = value
        elif name not in branches:
            nearest = _elsewhere(name, section) or nearest_name(name, [*names, *branches]) or _elsewhere(name)
            source.report_unknown((*prefix, section, name), [*names, *branches], nearest)
        elif not isinstance(value, dict):
            example = _first_argument(section, name)
            source.report((*prefix, section, name), f"arguments of {name}, like {example}", value)
        else:
            of_branch = f"{section}.{name}."
            arguments = [path.removeprefix(of_branch) for path in FIELDS if path.startswith(of_branch)]
            for argument, inner in value.items():
                if argument in arguments:
                    found[of_branch + argument] = inner
                else:
                    source.report_unknown((*prefix, section, name, argument), arguments)
    return found


def _elsewhere(name: str, section: str | None = None) -> str | None:
    """The path of a hyperparameter with this name elsewhere (or in a branch of `section`)."""
    paths = (path for path, field in FIELDS.items() if section is None or field.section == section)
    return next((path for path in paths if path.rsplit(".", 1)[1] == name), None)


def _first_argument(section: str, branch: str) -> str:
    path = next(path for path, field in FIELDS.items() if (field.section, field.branch) == (section, branch))
    return f"{path.removeprefix(section + '.')} = {value_text(FIELDS[path].default)}"


def _kinds(section: str, parsed: Mapping[str, Entry | None]) -> tuple[str, ...]:
    """The kinds that can be selected; all of them if the entry is invalid."""
    field = FIELDS[f"{section}.kind"]
    entry = parsed.get(field.path, field.default)
    if entry is None:
        return field.legal.choices
    picked = entry.choices if isinstance(entry, Choice) else (entry,)
    return tuple(kind for kind in field.legal.choices if kind in picked)


def _report_unpicked_branches(source: Source, written: Mapping[str, Any], kinds: Mapping[str, tuple[str, ...]]) -> None:
    """Report arguments of kinds that no trial has, unless the kind is only misspelled, which is already reported."""
    fields = [FIELDS[path] for path in written]
    for section, branch in dict.fromkeys((field.section, field.branch) for field in fields):
        misspelled = f"{section}.kind" not in written and any(
            nearest_name(name, ["kind"]) for name in source.values[section] if f"{section}.{name}" not in FIELDS
        )
        if branch is not None and branch not in kinds[section] and not misspelled:
            picked = ", ".join(f'"{kind}"' for kind in kinds[section])
            meant = f"{section}.kind = {value_text({'choices': [*kinds[section], branch]})}"
            expected = f"arguments of a kind that {section}.kind can take, {picked}"
            source.report((section, branch), expected, branch, meant)


def _entry(source: Source, field: Field, raw: Any) -> Entry | None:
    path = tuple(field.path.split("."))
    if not isinstance(raw, dict):
        return checked_value(source, field, raw, path)
    if field.legal.items is not None:
        source.report(path, f"{field.legal.expected}; a list cannot be searched", raw)
        return None
    if "choices" in raw:
        return _choice(source, field, raw, path)
    return _range(source, field, raw, path)


def checked_value(source: Source, field: Field, raw: Any, path: Path) -> Value | None:
    """`raw` converted to the field's type. Returns None, and reports it, if it is not legal."""
    if field.legal.allows(raw):
        try:
            return field.legal.convert(raw)
        except OverflowError:  # a whole number with more digits than a float holds
            pass
    source.report(path, field.legal.expected, raw, _meant(field, raw))
    return None


def _meant(field: Field, raw: Any) -> str | None:
    """The probable meaning of a value of the wrong type, or of a misspelled name."""
    if isinstance(raw, list) and raw and all(field.legal.allows(item) for item in raw):
        return value_text({"choices": raw})
    if not isinstance(raw, str):
        return None
    if field.legal.choices:
        nearest = nearest_name(raw, field.legal.choices)
        return f'"{nearest}"' if nearest else None
    try:
        unquoted = tomllib.loads(f"value = {raw}")["value"]
    except ValueError:
        return None
    return value_text(unquoted) if field.legal.allows(unquoted) else None


def _choice(source: Source, field: Field, raw: Mapping[str, Any], path: Path) -> Choice | None:
    for key in raw:
        if key != "choices":
            source.report((*path, key), "either choices, or low and high", key)
    listed = raw["choices"]
    if not isinstance(listed, list) or not listed:
        example = value_text([field.default])
        source.report((*path, "choices"), f"a list of values, like choices = {example}", listed)
        return None
    values = [checked_value(source, field, one, (*path, "choices", i)) for i, one in enumerate(listed)]
    seen: set[Value] = set()
    for i, value in enumerate(values):
        if value is not None and value in seen:
            source.report((*path, "choices", i), "distinct choices", value)
        elif value is not None:
            seen.add(value)
    return None if None in values else Choice(tuple(value for value in values if isinstance(value, Scalar)))


def _range(source: Source, field: Field, raw: Mapping[str, Any], path: Path) -> Range | None:
    """A valid range, or None. Every broken rule is reported."""
    before = len(source.problems)
    if field.legal.type not in (int, float):
        legal: list[Value] = list(field.legal.choices) or (
            [True, False] if field.legal.type is bool else ["...", "..."]
        )
        source.report(path, f"a value, or {value_text({'choices': legal})}", dict(raw))
        return None
    for key in raw:
        if key not in RANGE_KEYS:
            source.report_unknown((*path, key), (*RANGE_KEYS, "choices"))
    bounds = [_bound(source, field, raw, (*path, key)) for key in ("low", "high")]
    log, step = raw.get("log", False), raw.get("step")
    if not isinstance(log, bool):
        source.report((*path, "log"), "true or false", log)
    low, high = bounds
    integer = field.legal.type is int or (field.legal.count_or_share and isinstance(low, int))
    if low is not None and high is not None:
        _check_bounds(source, field, low, high, log is True, path)
    if step is not None:
        _check_step(source, low, high, step, log is True, integer, path)
    if len(source.problems) > before or low is None or high is None:
        return None
    return Range(low, high, log, step if integer or step is None else float(step), integer)


def _bound(source: Source, field: Field, raw: Mapping[str, Any], path: Path) -> float | None:
    key = str(path[-1])
    if key not in raw:
        source.report(path, f"{field.legal.expected}, in {{ low = ..., high = ... }}")
        return None
    value = checked_value(source, field, raw[key], path)
    return value if isinstance(value, int | float) else None


def _check_bounds(source: Source, field: Field, low: float, high: float, log: bool, path: Path) -> None:
    if field.legal.count_or_share and isinstance(low, int) != isinstance(high, int):
        source.report((*path, "high"), "two counts or two shares for low and high", high)
    elif low >= high:
        source.report((*path, "low"), f"a number below high, {value_text(high)}", low)
    if log and low <= 0:
        source.report((*path, "low"), "a number above 0, since log = true", low)


def _check_step(
    source: Source, low: float | None, high: float | None, step: Any, log: bool, integer: bool, path: Path
) -> None:
    at = (*path, "step")
    is_number = isinstance(step, int if integer else int | float) and not isinstance(step, bool)
    if not is_number or not 0 < step < float("inf"):
        source.report(at, "a whole number from 1" if integer else "a number above 0", step)
    elif log:
        source.report(at, "no step, since log = true", step)
    elif low is not None and high is not None and low < high:
        steps = steps_between(low, high, step)
        if steps > MOST_STEPS and not integer:
            source.report(at, f"a step of which at most {MOST_STEPS:,} reach high, {high}, from low, {low}", step)
        elif steps.denominator != 1:
            reached = Fraction(str(low)) + int(steps) * Fraction(str(step))
            nearest = f"high = {value_text(type(high)(reached))}" if steps >= 1 else None
            source.report(at, f"a step that reaches high, {high}, from low, {low}", step, nearest)
