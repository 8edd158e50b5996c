"""`[claim]`: the published result that a recipe is compared with."""

from dataclasses import dataclass
from typing import Any

from lenet_search.study.source import Source

KEYS = ("source", "test_accuracy", "comparable", "note", "comparisons")


@dataclass(frozen=True)
class Claim:
    """The result that a publication reports for a recipe.

    `test_accuracy` is a fraction from 0 to 1, or None if the source reports none. `comparable` is false if the source
    measured on other images than the recipe. `comparisons` lists the comparisons that the recipe belongs to; recipes
    that share a name are compared with each other.
    """

    source: str
    test_accuracy: float | None = None
    comparable: bool = True
    note: str = ""
    comparisons: tuple[str, ...] = ()


def read_claim(source: Source) -> Claim | None:
    """Read `[claim]`, and report its problems. None if the file has no claim."""
    table = source.values.get("claim")
    if table is None:
        return None
    if not isinstance(table, dict):
        source.report(("claim",), "a table, [claim]", table)
        return None
    for key in table:
        if key not in KEYS:
            source.report_unknown(("claim", key), KEYS)
    if "source" not in table:
        source.report(("claim", "source"), "a string that names the source of the figure")
    for key, kind, words in (
        ("source", str, "a string that names the source of the figure"),
        ("note", str, "a string"),
        ("comparable", bool, "true or false"),
    ):
        if key in table and not isinstance(table[key], kind):
            source.report(("claim", key), words, table[key])
    accuracy = table.get("test_accuracy")
    if "test_accuracy" in table and not _is_share(accuracy):
        hint = str(accuracy / 100) if isinstance(accuracy, int | float) and 1 < accuracy <= 100 else None
        source.report(("claim", "test_accuracy"), "a fraction from 0 to 1", accuracy, hint)
    comparisons = table.get("comparisons", [])
    if not isinstance(comparisons, list) or not all(isinstance(name, str) and name for name in comparisons):
        source.report(("claim", "comparisons"), "a list of names", comparisons)
    if source.problems:
        return None
    return Claim(
        source=table["source"],
        test_accuracy=None if accuracy is None else float(accuracy),
        comparable=table.get("comparable", True),
        note=table.get("note", ""),
        comparisons=tuple(comparisons),
    )


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
