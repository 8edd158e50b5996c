"""What each choice of a recipe brings: put back to the reference's value, one at a time, and trained on paired seeds.

With a path, the choices are made one after the other instead, from the reference to the recipe, each time the one that
brings most (Fawcett & Hoos 2016, "Analysing differences between algorithm configurations through ablation"; there
greedy on racing results, here on the means over the seeds).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet_search.crew import FREEZE_EVERY
from lenet_search.errors import ResultError
from lenet_search.experiments.finish import finish
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.look.intervals import Difference, Estimate, holm, is_share, paired_by_seed
from lenet_search.look.progress import View
from lenet_search.look.quick import Quick
from lenet_search.look.words import listed
from lenet_search.recipe import FIELDS, Recipe, Value
from lenet_search.storage.kept import Kept

LEVEL = 0.05  # probability of one or more false verdicts, if no choice matters
WINNER, REFERENCE = "winner", "reference"


@dataclass(frozen=True)
class Choice:
    """A hyperparameter, or a whole branch, in which two recipes differ.

    name    path of the hyperparameter, or of the section whose `kind` differs
    before  the reference's values by path
    after   the winner's values by path
    """

    name: str
    before: Mapping[str, Value]
    after: Mapping[str, Value]


@dataclass(frozen=True)
class Step:
    """A choice and what it brings: the metric with it minus the metric without it, better is more.

    `p` is adjusted for all steps (Holm 1979); on a path, it tells only what the order found.
    """

    choice: Choice
    brings: Difference
    p: float

    def verdict(self) -> str:
        """Whether it helps or harms."""
        if self.brings.n < 2:
            return f"no verdict at n = {self.brings.n}"
        if self.p > LEVEL:
            return f"no significant difference at n = {self.brings.n}"
        return "helps" if self.brings.mean > 0 else "harms"


@dataclass(frozen=True)
class Ablation:
    """What each choice brings. On a path, steps are in its order; else what brings most comes first."""

    study: str
    metric: str
    path: bool
    winner: Estimate
    reference: Estimate
    gain: Difference | None
    steps: tuple[Step, ...]
    quick: Quick

    def __repr__(self) -> str:
        return f"<Ablation of {self.study!r}: {len(self.steps)} choices by {self.metric}>"

    def verdict(self) -> str:
        """The result in a sentence."""
        helps = [step.choice.name for step in self.steps if step.verdict() == "helps"]
        harms = [step.choice.name for step in self.steps if step.verdict() == "harms"]
        if not helps and not harms:
            together = ""
            if self.gain is not None and self.gain.low is not None and self.gain.low > 0:
                together = "; all of them together do"
            return f"No single choice of the winner makes a significant difference{together}."
        said = [f"{listed(helps)} {'helps' if len(helps) == 1 else 'help'}"] if helps else []
        said += [f"{listed(harms)} {'harms' if len(harms) == 1 else 'harm'}"] if harms else []
        rest = len(self.steps) - len(helps) - len(harms)
        others = f" Of the other {rest}, none makes a significant difference." if rest > 1 else ""
        return f"{'; '.join(said)}.{others}"

    def summary(self) -> dict[str, Any]:
        """The ablation as JSON; differences as fractions, not percentages."""
        return {
            "study": self.study,
            "metric": self.metric,
            "path": self.path,
            "quick": self.quick.why or None,
            "winner": self.winner.to_json(),
            "reference": self.reference.to_json(),
            "gain": None if self.gain is None else self.gain.to_json(),
            "verdict": self.verdict(),
            "steps": [
                {
                    "choice": step.choice.name,
                    "before": dict(step.choice.before),
                    "after": dict(step.choice.after),
                    **step.brings.to_json(),
                    "p": step.brings.p,
                    "p_holm": step.p,
                    "verdict": step.verdict(),
                }
                for step in self.steps
            ],
        }


def choices(winner: Recipe, reference: Recipe) -> list[Choice]:
    """In what two recipes differ, in the order of the study language; a branch with another `kind` is one choice."""
    before, after = reference.values(), winner.values()
    found: list[Choice] = []
    for path, field in FIELDS.items():
        kind = f"{field.section}.kind"
        if field.branch is not None and before[kind] != after[kind]:
            continue  # part of its section's choice
        if before.get(path) == after.get(path):
            continue
        if path == kind:
            found.append(Choice(field.section, _branch(before, field.section), _branch(after, field.section)))
        else:
            found.append(Choice(path, {path: before[path]}, {path: after[path]}))
    return found


def _branch(values: Mapping[str, Value], section: str) -> dict[str, Value]:
    """The kind of a section, with the values of its branch."""
    return {
        path: value
        for path, value in values.items()
        if path == f"{section}.kind" or (FIELDS[path].section == section and FIELDS[path].branch is not None)
    }


def changed(recipe: Recipe, values: Mapping[str, Value]) -> Recipe:
    """The recipe with other values."""
    return Recipe.from_values({**recipe.values(), **values})


def ablate(
    winner: Recipe,
    reference: Recipe,
    folder: Path,
    *,
    study: str,
    metric: str,
    seeds: Sequence[int],
    view: View,
    path: bool = False,
    data_folder: Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
) -> Ablation:
    """Train the variants of a recipe on the same seeds; only runs missing from the folder.

    Args:
        winner: the recipe in question
        reference: the recipe whose values are put back
        folder: folder with a folder for each variant
        study: name of the study, for people
        metric: one of `study.METRICS`
        seeds: seeds of the initial weights, two or more
        view: where progress is shown; closed at the end
        path: go from the reference to the winner, instead of from the winner one choice back
        data_folder: folder searched for NAME.npz before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains

    Raises:
        ResultError: the recipes do not differ, or the folder contains other results.
        LenetSearchError: as `finish`.
    """
    different = choices(winner, reference)
    if not different:
        raise ResultError(f"{study}: the winner is the reference: there is nothing to put back")
    kept: dict[str, Kept] = {}

    def task(name: str, recipe: Recipe) -> Task:
        kept[name] = Kept(folder / name)
        return Task(name, f"{study}, {name}", recipe, None, tuple(seeds))

    first = [task(WINNER, winner), task(REFERENCE, reference)]
    walk = _Walk(different, reference, metric)
    if not path:
        first += [task(f"without {each.name}", changed(winner, each.before)) for each in different]
    results = finish(
        first,
        kept,
        name=f"{study}, ablation",
        test=False,
        view=view,
        metric=metric,
        data_folder=data_folder,
        workers=workers,
        freeze_every=freeze_every,
        ray=ray,
        more=(lambda results: [task(*each) for each in walk.next(results)]) if path else None,
    )
    named = {result.name: result for result in results}
    if path:
        brings = [(choice, _paired(named[before], named[after], metric)) for choice, before, after in walk.taken]
    else:
        brings = [(each, _paired(named[f"without {each.name}"], named[WINNER], metric)) for each in different]
    adjusted = holm([difference.p for _, difference in brings])
    steps = [Step(choice, difference, p) for (choice, difference), p in zip(brings, adjusted, strict=True)]
    if not path:
        steps.sort(key=lambda step: -step.brings.mean if step.brings.n else float("inf"))
    return Ablation(
        study, metric, path, named[WINNER].mean(metric), named[REFERENCE].mean(metric),
        _paired(named[REFERENCE], named[WINNER], metric), tuple(steps), named[WINNER].quick,
    )  # fmt: skip


class _Walk:
    """The greedy path from the reference: in each round, every choice that is left is tried; the best is taken."""

    def __init__(self, different: Sequence[Choice], reference: Recipe, metric: str) -> None:
        self.taken: list[tuple[Choice, str, str]] = []  # a choice, and the names of the variants before and with it
        self._left = list(different)
        self._recipe, self._name = reference, REFERENCE
        self._metric = metric
        self._tried: dict[str, Choice] = {}

    def next(self, results: Sequence[Result]) -> list[tuple[str, Recipe]]:
        """The variants of the next round, by name; none at the end."""
        if self._tried:
            sign = 1.0 if is_share(self._metric) else -1.0
            means = {result.name: result.mean(self._metric).value for result in results}
            reached = {name: sign * mean for name in self._tried if (mean := means[name]) is not None}
            self._take(max(reached or self._tried, key=lambda name: reached.get(name, 0.0)))
        if len(self._left) == 1:  # the last choice leads to the winner, which is trained already
            self.taken.append((self._left.pop(), self._name, WINNER))
        self._tried = {f"step {len(self.taken) + 1}, {each.name}": each for each in self._left}
        return [(name, changed(self._recipe, each.after)) for name, each in self._tried.items()]

    def _take(self, name: str) -> None:
        choice = self._tried[name]
        self.taken.append((choice, self._name, name))
        self._left.remove(choice)
        self._recipe, self._name = changed(self._recipe, choice.after), name


def _paired(before: Result, after: Result, metric: str) -> Difference:
    """`after` minus `before` on the seeds that diverged in neither; better is more."""
    share = is_share(metric)
    found = paired_by_seed(
        before.values(metric), after.values(metric), maximize=share, grain=before.grain(metric), share=share
    )
    return found or Difference(0, float("nan"), None, None, 1.0)
