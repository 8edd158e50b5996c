"""Comparing recipes on the same seeds: means, paired differences, and a verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from lenet_search.errors import ResultError
from lenet_search.experiments.result import Result, quick_of
from lenet_search.experiments.task import Task
from lenet_search.look.intervals import Difference, holm, paired_by_seed
from lenet_search.look.words import listed

LEVEL = 0.05  # probability of one or more false verdicts in a comparison of recipes that do not differ


@dataclass(frozen=True)
class Pair:
    """`second` minus `first` on the seeds that both have. `p` is adjusted for all pairs of the comparison (Holm)."""

    first: str
    second: str
    difference: Difference
    p: float

    @property
    def better(self) -> str | None:
        """The name of the recipe that is better; None if the runs do not show it."""
        if self.difference.n < 2 or self.p > LEVEL:
            return None
        return self.second if self.difference.mean > 0 else self.first

    def verdict(self) -> str:
        """Which recipe is better, or that there is no significant difference."""
        n = self.difference.n
        if n < 2:
            return f"no verdict at n = {n}"
        if self.better is None:
            return f"no significant difference at n = {n}"
        return f"{self.better} is better than {_other(self, self.better)}"


@dataclass(frozen=True)
class Comparison:
    """Recipes on the same images and seeds, by one metric ("val_accuracy" or "test_accuracy")."""

    name: str
    metric: str
    results: tuple[Result, ...]
    pairs: tuple[Pair, ...]

    def __repr__(self) -> str:
        return f"<Comparison {self.name!r}: {len(self.results)} recipes by {self.metric}>"

    @property
    def title(self) -> str:
        """A title for people: the comparison's name if a recipe gives it one, else the number of recipes."""
        named = any(self.name in claim.comparisons for result in self.results if (claim := result.task.claim))
        return f"Comparison: {self.name}" if named else f"Comparison of {len(self.results)} recipes"

    def verdict(self) -> list[str]:
        """Which recipe is best and which pairs differ, in sentences; the first is the answer."""
        if not self.pairs:
            return ["There is no verdict: no two recipes have a run from the same seed that did not diverge."]
        if all(pair.difference.n < 2 for pair in self.pairs):
            return ["There is no verdict: one seed does not show how much seeds differ. Use --seeds 5 or more."]
        if len(self.pairs) == 1:
            (pair,) = self.pairs
            return [_sentence(pair)]
        measured = [result for result in self.results if result.mean(self.metric).value is not None]
        best = max(measured, key=lambda result: result.mean(self.metric).value or 0.0)
        beaten = [pair for pair in self.pairs if pair.better == best.name]
        open_ = [pair for pair in self.pairs if best.name in (pair.first, pair.second) and pair.better is None]
        decided = sum(pair.better is not None for pair in self.pairs)
        first = f"{best.name} has the highest mean, {best.mean(self.metric)}"
        if beaten:
            first += f", and is better than {listed(_other(pair, best.name) for pair in beaten)}"
        if open_:
            first += f"{'; it' if beaten else ', but it'} cannot be told apart from "
            first += listed(_other(pair, best.name) for pair in open_)
        return [
            f"{first}.",
            f"{decided} of {len(self.pairs)} pairs differ, at 5 % over all pairs together (Holm).",
        ]

    def summary(self) -> dict[str, Any]:
        """The comparison as JSON; differences as fractions, not percentages."""
        return {
            "name": self.name,
            "metric": self.metric,
            "quick": quick_of(self.results).why or None,
            "verdict": self.verdict(),
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


def _sentence(pair: Pair) -> str:
    found = pair.difference
    if pair.better is None:
        return (
            f"{pair.first} and {pair.second} cannot be told apart on {found.n} seeds: the second minus the "
            f"first is {found} points."
        )
    low, high = sorted(abs(100.0 * (bound or 0.0)) for bound in (found.low, found.high))
    return (
        f"{pair.better} is better than {_other(pair, pair.better)}, by {abs(100.0 * found.mean):.2f} points "
        f"(95 % interval {low:.2f} to {high:.2f}, n = {found.n} seeds)."
    )


def _other(pair: Pair, name: str) -> str:
    return pair.first if name == pair.second else pair.second


def compare(name: str, results: Sequence[Result], metric: str) -> Comparison:
    """Compare all pairs of `results`, each on the seeds that diverged in neither.

    Two runs with the same seed start from the same weights and see the same images in the same order, so their
    difference varies less than the runs do. Each interval is for its pair alone (Student's paired t); verdicts hold at
    5 % over all pairs together (Holm 1979).
    """
    differences = []
    for first, second in combinations(results, 2):
        mine, theirs = first.values(metric), second.values(metric)
        difference = paired_by_seed(mine, theirs, grain=first.grain(metric), share=True)
        if difference is not None:
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
