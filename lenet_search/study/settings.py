"""`[study]`: the metric, the sampler and pruner, and the length of the search."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lenet_search.study.component import Component, read_component
from lenet_search.study.definition import METRICS
from lenet_search.study.portfolio import portfolio
from lenet_search.study.seeds import Seeds, read_seeds
from lenet_search.study.source import Source, nearest_name

KEYS = {  # and their meanings, for the shell; docs/studies.md has more
    "metric": "the objective, measured after the last epoch",
    "direction": "maximize or minimize; follows from the metric",
    "trials": "total number of trials",
    "timeout": "time limit of one run, like 30m or 2h",
    "seed": "seeds the sampler and the initial weights",
    "seeds": "runs of each trial, from different seeds; their mean is its value",
    "sampler": "chooses the next trial: one of Optuna's samplers",
    "pruner": "stops unpromising trials early: one of Optuna's pruners",
    "repeat": "train one recipe several times, from different seeds",
    "reference": "try the defaults, too, before the sampler takes over",
    "portfolio": "how many recipes to try first that did well on other data",
}
HIGHEST_SEED = 2**32 - 1  # NumPy's limit; Optuna's samplers pass it on
_DURATION = re.compile(r"(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s)?")
_DURATION_WORDS = 'a duration like "30m", "2h", "90s" or "1h30m", or seconds above 0'


@dataclass(frozen=True)
class Settings:
    """The values of `[study]`, with defaults."""

    metric: str = "val_accuracy"
    trials: int = 100
    timeout: float | None = None
    seed: int = 0
    seeds: Seeds = field(default_factory=Seeds)
    sampler: Component = field(default_factory=lambda: Component("TPESampler"))
    pruner: Component = field(default_factory=lambda: Component("NopPruner"))
    repeat: bool = False
    reference: bool = False
    portfolio: int = 0


def duration(given: str | int | float) -> float:
    """Seconds of "30m", "2h", "90s", "1h30m", or of a number of seconds.

    Raises:
        ValueError: it is none of these, or not above 0.
    """
    try:
        seconds = _seconds(given)
    except OverflowError:
        seconds = float("inf")
    if not 0 < seconds < float("inf"):
        raise ValueError(f"expected {_DURATION_WORDS}; received {given!r}")
    return seconds


def _seconds(given: str | int | float) -> float:
    """The number of seconds, 0 if it cannot be parsed."""
    if isinstance(given, str):
        parts = _DURATION.fullmatch(given.strip())
        if parts and any(parts.groups()):
            hours, minutes, rest = (float(part or 0) for part in parts.groups())
            return 3600.0 * hours + 60.0 * minutes + rest
        return float(given) if re.fullmatch(r"\d+(\.\d+)?", given.strip()) else 0.0
    return 0.0 if isinstance(given, bool) else float(given)


def read_settings(source: Source) -> Settings:
    """Read `[study]`. Invalid values are reported and take their defaults."""
    table = source.values.get("study", {})
    if not isinstance(table, dict):
        source.report(("study",), "a table, [study]", table)
        return Settings()
    for key in table:
        if key not in KEYS:
            source.report_unknown(("study", key), KEYS)
    given: dict[str, Any] = {}
    _read_metric(source, table, given)
    for key, low, high, words in (
        ("trials", 1, None, "a whole number from 1"),
        ("seed", 0, HIGHEST_SEED, f"a whole number from 0 to {HIGHEST_SEED}"),
        ("portfolio", 0, len(portfolio()), f"a whole number from 0 to {len(portfolio())}, the recipes that there are"),
    ):
        if key in table:
            given[key] = value = table[key]
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or value < low or (high is not None and value > high):
                source.report(("study", key), words, value)
    if "timeout" in table:
        try:
            given["timeout"] = duration(table["timeout"])
        except (TypeError, ValueError, OverflowError):
            source.report(("study", "timeout"), _DURATION_WORDS, table["timeout"])
    if "seeds" in table and (seeds := read_seeds(source, table["seeds"])):
        given["seeds"] = seeds
    for key in ("repeat", "reference"):
        if key in table:
            given[key] = table[key]
            if not isinstance(table[key], bool):
                source.report(("study", key), "true or false", table[key])
    for role in ("sampler", "pruner"):
        if role in table and (component := read_component(source, table[role], ("study", role), role)):
            given[role] = component
    return Settings(**given)


def _read_metric(source: Source, table: Mapping[str, Any], given: dict[str, Any]) -> None:
    metric = table.get("metric", Settings.metric)
    direction = table.get("direction")
    if not isinstance(metric, str) or metric not in METRICS:
        nearest = nearest_name(metric, METRICS) if isinstance(metric, str) else None
        source.report(
            ("study", "metric"),
            f"one of {', '.join(METRICS)}",
            metric,
            f'"{nearest}"' if nearest else None,
        )
        if direction is not None and direction not in METRICS.values():
            source.report(("study", "direction"), '"maximize" or "minimize"', direction)
        return
    given["metric"] = metric
    if direction is not None and direction != METRICS[metric]:
        source.report(("study", "direction"), f'"{METRICS[metric]}" for {metric}, or no value', direction)
