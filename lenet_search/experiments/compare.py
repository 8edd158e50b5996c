"""Recipes held against each other on the same seeds: means, paired differences, and a verdict in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from lenet_search.errors import ResultError
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.look.intervals import Difference, holm, paired_difference

LEVEL = 0.05  # how often one verdict or more of a comparison may be wrong where there is no difference


@dataclass(frozen=True)
class Pair:
    """`second` minus `first` on the seeds that both have; `p` is Holm's, over all pairs of the comparison."""

    first: str
    second: str
    difference: Difference
    p: float

    def verdict(self) -> str:
        """Which is better, or that it cannot be told."""
        n = self.difference.n
        if n < 2:
            return f"cannot be told at n = {n}"
        if self.p > LEVEL:
            return f"cannot be told apart at n = {n}"
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
        """The name, where it is one, for people."""
        own = any(self.name in claim.comparisons for result in self.results if (claim := result.task.claim))
        return f"Comparison: {self.name}" if own else f"Comparison of {len(self.results)} recipes"

    def summary(self) -> dict[str, Any]:
        """JSON-able; differences as shares."""
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
    """All pairs of `results`, each on the seeds that came through in both.

    A pair of runs has the same seed for its initial weights and sees the same images in the same order, so the spread
    of their differences is smaller than that of the runs. Intervals are those of each pair alone (Student's paired
    t); verdicts are held to 5 % over all pairs together (Holm 1979).
    """
    found = []
    for first, second in combinations(results, 2):
        mine, theirs = first.values(metric), second.values(metric)
        seeds = [seed for seed in mine if seed in theirs]
        if seeds:
            difference = paired_difference([mine[seed] for seed in seeds], [theirs[seed] for seed in seeds])
            found.append((first.name, second.name, difference))
    raised = holm([difference.p for *_, difference in found])
    pairs = tuple(Pair(*each, p) for each, p in zip(found, raised, strict=True))
    return Comparison(name, metric, tuple(results), pairs)


def check_comparable(tasks: Sequence[Task]) -> None:
    """See that recipes can be paired.

    Raises:
        ResultError: there are fewer than two, or they are for other images or another validation split.
    """
    if len(tasks) < 2:
        raise ResultError(f"expected two recipes or more to compare; received {len(tasks)}")
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
    """What to call a comparison: as all its claims do, else by its recipes."""
    names = [task.claim.comparisons if task.claim is not None else () for task in tasks]
    common = [name for name in names[0] if all(name in other for other in names)]
    return common[0] if common else "-".join(task.name for task in tasks)[:100]


def named(results: Sequence[Result], metric: str) -> list[Comparison]:
    """The comparisons that the claims of `results` name, of two recipes or more."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        for name in result.task.claim.comparisons if result.task.claim is not None else ():
            groups.setdefault(name, []).append(result)
    return [compare(name, members, metric) for name, members in groups.items() if len(members) > 1]
