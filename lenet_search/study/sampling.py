"""Whether a sampler suits the space: what some of Optuna's samplers need, found before the search starts."""

from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import FIELDS
from lenet_search.space import Choice, Range, Space, values_of
from lenet_search.study.component import Component
from lenet_search.study.source import Source
from lenet_search.study.toml_lines import Path
from lenet_search.study.toml_text import value_text

SAMPLER: Path = ("study", "sampler")
MOST_VALUES = 10_000  # of one hyperparameter: BruteForceSampler lists them all at each draw
# Samplers that draw only ranges that every trial has, from how many of them, and leave the rest to random draws.
NEEDS_RANGES = {"CmaEsSampler": 2, "QMCSampler": 1}


def report_unsuitable(source: Source, sampler: Component, space: Space) -> None:
    """Report a sampler that cannot draw the searched hyperparameters, at the line that rules it out."""
    searched = space.searched()
    if not searched:
        return
    kind, at = sampler.kind, SAMPLER
    if kind == "PartialFixedSampler":
        _fixed(source, sampler.arguments["fixed_params"], searched, (*at, "fixed_params"))
        searched = {path: entry for path, entry in searched.items() if path not in sampler.arguments["fixed_params"]}
        sampler, at = sampler.arguments["base_sampler"], (*at, "base_sampler")
        kind = sampler.kind
    if kind == "GridSampler":
        _grid(source, sampler.arguments["search_space"], searched, (*at, "search_space"))
    elif kind == "BruteForceSampler":
        _brute_force(source, searched)
    elif kind in NEEDS_RANGES:
        everywhere = [
            path for path, entry in searched.items() if isinstance(entry, Range) and FIELDS[path].branch is None
        ]
        if len(everywhere) < NEEDS_RANGES[kind]:
            number = "two ranges" if NEEDS_RANGES[kind] == 2 else "a range"
            named = f"; here: {', '.join(everywhere)}" if everywhere else ""
            expected = (
                f"another sampler: {kind} needs {number} that every trial has, and would draw all at random{named}"
            )
            source.report((*at, "kind"), expected, kind)


def _grid(source: Source, grid: Mapping[str, Any], searched: Mapping[str, Range | Choice], at: Path) -> None:
    for path in searched:
        if path not in grid:
            source.report(at, f"values for {path}, which the study searches", grid)
    for path, values in grid.items():
        if path not in searched:
            source.report_unknown((*at, path), searched)
        elif not isinstance(values, list) or not values:
            source.report((*at, path), "a list of one value or more", values)
        else:
            for value in values:
                _value(source, value, searched[path], (*at, path))


def _fixed(source: Source, fixed: Mapping[str, Any], searched: Mapping[str, Range | Choice], at: Path) -> None:
    for path, value in fixed.items():
        if path not in searched:
            source.report_unknown((*at, path), searched)
        else:
            _value(source, value, searched[path], (*at, path))


def _value(source: Source, value: Any, entry: Range | Choice, at: Path) -> None:
    """Report a value that the hyperparameter cannot take; 1 and true, and 1 and 1.0 among choices, are not the same."""
    if isinstance(entry, Choice):
        if not any(value == choice and type(value) is type(choice) for choice in entry.choices):
            source.report(at, f"one of {', '.join(value_text(choice) for choice in entry.choices)}", value)
        return
    number = isinstance(value, int) if entry.integer else isinstance(value, int | float)
    if isinstance(value, bool) or not number or not entry.contains(value):
        steps = "" if entry.step is None else f" in steps of {value_text(entry.step)}"
        whole = "whole numbers" if entry.integer else "numbers"
        source.report(at, f"{whole} from {value_text(entry.low)} to {value_text(entry.high)}{steps}", value)


def _brute_force(source: Source, searched: Mapping[str, Range | Choice]) -> None:
    for path, entry in searched.items():
        count = values_of(entry)
        if count is None or count > MOST_VALUES:
            have = "has no end of values" if count is None else f"has {count:,} values"
            expected = (
                f"a range with a step, or choices, since BruteForceSampler tries each value and this range {have}"
            )
            source.report(tuple(path.split(".")), expected, _range(entry))


def _range(entry: Range | Choice) -> dict[str, Any]:
    assert isinstance(entry, Range)
    return {"low": entry.low, "high": entry.high}
