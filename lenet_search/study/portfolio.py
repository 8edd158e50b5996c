"""`study.portfolio`: recipes that did well on several data sets, which a search tries before its sampler takes over.

`benchmarks/portfolio.py` has chosen them, each as the one that adds most to those before it, over all data sets
(Feurer et al. 2022, Auto-Sklearn 2.0, section 3.3).
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lenet_search.recipe import FIELDS, Value
from lenet_search.space import Space

FILE = Path(__file__).with_name("portfolio.toml")
Flat = Mapping[str, Value]  # values by path


@cache
def portfolio() -> tuple[Flat, ...]:
    """The recipes that ship with the package, in the order in which they were chosen."""
    return recipes_in(FILE)


def recipes_in(file: Path) -> tuple[Flat, ...]:
    """The recipes of a file by `benchmarks/portfolio.py`, as what differs from the defaults."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))["recipe"]
    return tuple(dict(by_path(table)) for table in tables)


def from_portfolio(space: Space, recipes: Sequence[Flat]) -> list[dict[str, Value]]:
    """The trials of a space that are nearest to the recipes, no two alike.

    Recipes with an optimizer or a schedule that the space does not have come last.
    """
    found: list[dict[str, Value]] = []
    for recipe in sorted(recipes, key=lambda each: _foreign(space, each)):
        trial = space.nearest(recipe)
        if trial not in found:
            found.append(trial)
    return found


def _foreign(space: Space, recipe: Flat) -> int:
    """How many kinds of a recipe the space does not have."""
    return sum(
        value not in space.kinds(path.removesuffix(".kind")) for path, value in recipe.items() if path.endswith(".kind")
    )


def by_path(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Value]]:
    """The hyperparameters in tables of a study file, each under its dotted path, which begins with `path`."""
    for key, value in table.items():
        if path + key in FIELDS:
            yield path + key, value
        else:
            yield from by_path(value, f"{path}{key}.")
