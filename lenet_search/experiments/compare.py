"""Comparing recipes on the same seeds: means, paired differences, and a verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from lenet_search.errors import ResultError
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.look.intervals import Difference, holm, paired_difference

LEVEL = 0.05  # probability of one or more false verdicts in a comparison of recipes that do not differ


@dataclass(frozen=True)
class Pair:
    """`second` minus `first` on the seeds that both have. `p` is adjusted for all pairs of the comparison (Holm)."""

    first: str
    second: str
    difference: Difference
    p: float

    def verdict(self) -> str:
        """Which recipe is better, or that there is no significant difference."""
        n = self.difference.n
        if n < 2:
            return f"no verdict at n = {n}"
        if self.p > LEVEL:
            return f"no significant difference at n = {n}"
        better, worse = (self.second, self.first) if self.difference.mean > 0 else (self.first, self.second)
        return f"{better} is better than {worse}"


@dataclass(frozen=True)
class Comparison:
    """Recipes on the same images and seeds, by one metric ("val_accuracy" or "test_accuracy")."""

    name: str
    metric: str
    results: tuple[Result, ...]
    pairs: tuple[Pair, ...]

    @property
    def title(self) -> str:
        """A title for people: the comparison's name if a recipe gives it one, else the number of recipes."""
        named = any(self.name in claim.comparisons for result in self.results if (claim := result.task.claim))
        return f"Comparison: {self.name}" if named else f"Comparison of {len(self.results)} recipes"

    def summary(self) -> dict[str, Any]:
        """The comparison as JSON; differences as fractions, not percentages."""
        return {
            "name": self.name,
            "metric": self.metric,
            "recipes": [result.summary() for result in self.results],
            "pairs": [
                {
                    "first": pair.first,
                    "second": pair.second,
                    "n": pair.difference.n,
                    "difference": pair.difference.mean,
                    "low": pair.difference.low,
                    "high": pair.difference.high,
                    "p": pair.difference.p,
                    "p_holm": pair.p,
                    "verdict": pair.verdict(),
                }
                for pair in self.pairs
            ],
        }


def compare(name: str, results: Sequence[Result], metric: str) -> Comparison:
    """Compare all pairs of `results`, each on the seeds that diverged in neither.

    Two runs with the same seed start from the same weights and see the same images in the same order, so their
    difference varies less than the runs do. Each interval is for its pair alone (Student's paired t); verdicts hold at
    5 % over all pairs together (Holm 1979).
    """
    differences = []
    for first, second in combinations(results, 2):
        mine, theirs = first.values(metric), second.values(metric)
        seeds = [seed for seed in mine if seed in theirs]
        if seeds:
            difference = paired_difference([mine[seed] for seed in seeds], [theirs[seed] for seed in seeds])
            differences.append((first.name, second.name, difference))
    adjusted = holm([difference.p for *_, difference in differences])
    pairs = tuple(Pair(*each, p) for each, p in zip(differences, adjusted, strict=True))
    return Comparison(name, metric, tuple(results), pairs)


def check_comparable(tasks: Sequence[Task]) -> None:
    """Check that recipes can be compared in pairs.

    Raises:
        ResultError: there are fewer than two, or their images or validation splits differ.
    """
    if len(tasks) < 2:
        raise ResultError(f"expected two or more recipes to compare; received {len(tasks)}")
    first = tasks[0]
    for task in tasks[1:]:
        for field in ("name", "validation", "limit"):
            mine, theirs = getattr(first.recipe.data, field), getattr(task.recipe.data, field)
            if mine != theirs:
                raise ResultError(
                    f"{first.name} and {task.name} cannot be compared: data.{field} is {mine!r} in one and {theirs!r} "
                    "in the other; expected the same images"
                )


def shared_name(tasks: Sequence[Task]) -> str:
    """The name of a comparison: the one that all recipes' claims share, else the names of the recipes."""
    names = [task.claim.comparisons if task.claim is not None else () for task in tasks]
    common = [name for name in names[0] if all(name in other for other in names)]
    return common[0] if common else "-".join(task.name for task in tasks)[:100]


def named(results: Sequence[Result], metric: str) -> list[Comparison]:
    """The comparisons named in the claims of `results`, those with two or more recipes."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        for name in result.task.claim.comparisons if result.task.claim is not None else ():
            groups.setdefault(name, []).append(result)
    return [compare(name, members, metric) for name, members in groups.items() if len(members) > 1]
