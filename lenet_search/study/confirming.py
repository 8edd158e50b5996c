"""`[confirm]`: the race of the best recipes on fresh seeds with which a search ends."""

from dataclasses import dataclass
from typing import Any

from lenet_search.study.source import Source


@dataclass(frozen=True)
class Confirming:
    """How a study is confirmed.

    `finalists` recipes race over up to `seeds` seeds. They train for `epochs`, or None: as in the search. A difference
    up to `indifference`, in the metric's unit, counts as none; None: 0.002 for an accuracy, 0 for a loss. With a
    `share`, there are fewer seeds and finalists if the race could train more than that share of the search's epochs.
    """

    finalists: int = 8
    seeds: int = 16
    epochs: int | None = None
    indifference: float | None = None
    share: float | None = None


KEYS = {"finalists": 1, "seeds": 2, "epochs": 1, "indifference": 0.0, "share": 0.01}  # and the lowest value of each
MOST = {"finalists": 1024, "seeds": 1024}  # the highest
MAX = 1e300  # no number is infinite
NUMBERS = ("indifference", "share")  # the others are whole


def read_confirming(source: Source) -> Confirming | None:
    """Read `[confirm]`, and report its problems. None if the file has no such table."""
    table = source.values.get("confirm")
    if table is None:
        return None
    if not isinstance(table, dict):
        source.report(("confirm",), "a table, [confirm]", table)
        return None
    for key, value in table.items():
        if key not in KEYS:
            source.report_unknown(("confirm", key), KEYS)
        elif not _is_legal(key, value):
            words = "a number" if key in NUMBERS else "a whole number"
            most = f" to {MOST[key]}" if key in MOST else ""
            source.report(("confirm", key), f"{words} from {KEYS[key]:g}{most}", value)
    return None if source.problems else Confirming(**table)


def _is_legal(key: str, value: Any) -> bool:
    kinds = int | float if key in NUMBERS else int
    return isinstance(value, kinds) and not isinstance(value, bool) and KEYS[key] <= value <= MOST.get(key, MAX)
