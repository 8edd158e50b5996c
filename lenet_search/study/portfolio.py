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

# Kinds that can stand for each other with the same arguments, the nearest first: optimizers that divide the gradient by
# its running size, so that the learning rate alone says how long a step is; schedules under which the rate falls.
RELATED = {
    "optimizer.kind": ("adam", "nadam", "adamw", "rmsprop"),
    "schedule.kind": ("cosine", "linear", "one_cycle", "exponential", "step"),
}
EARLY = 2  # so many come before everything else: on unseen data, the better of two is within 1.7 points of eight
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

    Where a space lacks the optimizer or the schedule of a recipe, a related one takes its arguments. Recipes of which
    that is true come later, and those for which the space has no related one either come last.
    """
    found: list[dict[str, Value]] = []
    fitting = {place: _fitting(space, recipe) for place, recipe in enumerate(recipes)}
    for place in sorted(fitting, key=lambda place: (_foreign(space, fitting[place]), fitting[place] != recipes[place])):
        trial = space.nearest(fitting[place])
        if trial not in found:
            found.append(trial)
    return found


def _fitting(space: Space, recipe: Flat) -> Flat:
    """The recipe with related kinds, where the space has these and not its own."""
    fitting = dict(recipe)
    for path, related in RELATED.items():
        kind, section = recipe.get(path), path.removesuffix("kind")
        there = [each for each in related if each in space.kinds(section[:-1])]
        if kind in related and there and kind not in there:
            fitting[path] = there[0]
            for argument in [each for each in recipe if each.startswith(f"{section}{kind}.")]:
                value, name = fitting.pop(argument), argument.removeprefix(f"{section}{kind}.")
                if (renamed := f"{section}{there[0]}.{name}") in FIELDS:
                    fitting[renamed] = value
    return fitting


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
