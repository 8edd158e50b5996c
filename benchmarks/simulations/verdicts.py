"""Does the verdict name what matters? Made-up searches of the `cifar` space, drawn by real samplers."""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState

from lenet_search import study as studies
from lenet_search.recipe import Value
from lenet_search.results.ped_anova import columns_of
from lenet_search.results.rank_test import scores, standing_out
from lenet_search.search.tpe import RememberingTPESampler
from lenet_search.space import Choice, Range, Space
from lenet_search.study.portfolio import from_portfolio, portfolio

NOISE = 0.007  # standard deviation of an accuracy between seeds, of LeNet-5 on CIFAR-10 (docs/results.md)
SIDE_BY_SIDE = 8  # trials that run at a time
RECIPES = 8  # of a portfolio
OPTIMUM = 0.7  # of the one that matters, from 0 for the low end of its range to 1


@dataclass(frozen=True)
class Scenario:
    """What matters, the standard deviation of its effect in units of the noise, and how trials are drawn and ended.

    With a `portfolio`, a search begins with its eight recipes, and the best value of what matters is what they have:
    whatever else they have in common then seems to be good.
    """

    matters: str | None
    effect: float
    sampler: str
    pruned: bool = False
    portfolio: bool = False

    def __str__(self) -> str:
        what = f"`{self.matters}`, {self.effect:g} times the noise" if self.matters else "nothing"
        begins = ", from a portfolio" if self.portfolio else ""
        return f"{what} | {self.sampler}{begins}{', pruned at the median' if self.pruned else ''}"

    def right(self) -> set[str]:
        """What may be named. With a branch's hyperparameter, the choice of this branch matters, too."""
        if self.matters is None:
            return set()
        parts = self.matters.split(".")
        return {self.matters, f"{parts[0]}.kind"} if len(parts) == 3 else {self.matters}


SCENARIOS = (
    Scenario(None, 0, "random"),
    Scenario(None, 0, "TPE"),
    Scenario(None, 0, "TPE", pruned=True),
    Scenario("regularize.dropout", 2, "random"),
    Scenario("schedule.kind", 2, "random"),
    *(
        Scenario(path, effect, "TPE")
        for path in ("regularize.dropout", "augment.shift", "schedule.kind", "optimizer.adam.learning_rate")
        for effect in (1, 3)
    ),
    Scenario("regularize.dropout", 2, "TPE", pruned=True),
    *(Scenario(None, 0, "TPE", pruned, portfolio=True) for pruned in (False, True)),
    *(
        Scenario(path, 3, "TPE", pruned, portfolio=True)
        for path in ("regularize.dropout", "augment.shift", "schedule.kind", "optimizer.adamw.learning_rate")
        for pruned in (False, True)
    ),
)


def table(searches: int, trials: int = 100) -> str:
    """In how many of `searches` searches the right one is named, nothing is said, or a wrong one is named."""
    head = ["| what matters | sampler | right | nothing said | wrong |", "|---|---|---|---|---|"]
    return "\n".join([*head, *(row(scenario, searches, trials) for scenario in SCENARIOS)])


def row(scenario: Scenario, searches: int, trials: int) -> str:
    """The line of one scenario."""
    said = [judged(scenario, search(scenario, seed, trials)) for seed in range(searches)]
    return f"| {scenario} | {' | '.join(str(said.count(word)) for word in ('right', 'nothing', 'wrong'))} |"


def judged(scenario: Scenario, trials: list[FrozenTrial]) -> str:
    """What the verdict on a search is: "right", "nothing" or "wrong"."""
    named = standing_out(scores(trials, optuna.study.StudyDirection.MAXIMIZE), columns_of(trials))
    return "nothing" if not named else "right" if set(named) <= scenario.right() else "wrong"


def search(scenario: Scenario, seed: int, trials: int = 100) -> list[FrozenTrial]:
    """A made-up search: an accuracy of 60 % with noise, minus what the one that matters costs off its optimum."""
    space = _space()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = RandomSampler(seed) if scenario.sampler == "random" else RememberingTPESampler(seed=seed)
    made = optuna.create_study(direction="maximize", sampler=sampler)
    for recipe in _begin() if scenario.portfolio else ():
        made.enqueue_trial(recipe)
    optimum = _usual(space, scenario.matters) if scenario.portfolio and scenario.matters else OPTIMUM
    rng = np.random.default_rng([seed, 1])
    early: list[float] = []  # what complete trials had reached when others could be pruned
    for trial in _side_by_side(made, space, trials):
        value = 0.6 + NOISE * (rng.standard_normal() - scenario.effect * _cost(space, scenario.matters, optimum, trial))
        trial.report(value - 0.05 + NOISE * rng.standard_normal(), 3)
        reached = trial.storage.get_trial(trial._trial_id).intermediate_values[3]
        if scenario.pruned and len(early) >= 10 and reached < np.median(early):
            made.tell(trial, state=TrialState.PRUNED)
        else:
            early.append(reached)
            made.tell(trial, value)
    return made.get_trials(deepcopy=False)


@functools.cache
def _space() -> Space:
    return studies.read("cifar").space


def _side_by_side(made: optuna.Study, space: Space, trials: int) -> Iterator[optuna.Trial]:
    """Each trial when it ends; the sampler draws while others are running."""
    running: list[optuna.Trial] = []
    for asked in range(trials + SIDE_BY_SIDE - 1):
        if asked < trials:
            running.append(made.ask())
            space.sample(running[-1])
        if asked >= SIDE_BY_SIDE - 1:
            yield running.pop(0)


@functools.cache
def _begin() -> list[dict[str, Value]]:
    """The recipes of the portfolio in this space."""
    return from_portfolio(_space(), portfolio())[:RECIPES]


def _usual(space: Space, path: str) -> float:
    """The place of the portfolio's median in a range."""
    entry = space.searched()[path]
    return float(np.median([_place(entry, recipe[path]) for recipe in _begin() if path in recipe]))


def _cost(space: Space, path: str | None, optimum: float, trial: optuna.Trial) -> float:
    """How far off its optimum the trial is, in standard deviations over the range; without it, half a range off."""
    if path is None:
        return 0.0
    entry = space.searched()[path]
    everywhere = np.array([(place - optimum) ** 2 for place in _places(entry)])
    if path not in trial.params:
        return float(0.25 / everywhere.std())
    return float((_place(entry, trial.params[path]) - optimum) ** 2 / everywhere.std())


def _places(entry: Range | Choice) -> np.ndarray:
    if isinstance(entry, Choice):
        return np.linspace(0.0, 1.0, len(entry.choices))
    return np.linspace(0.0, 1.0, int((entry.high - entry.low) / (entry.step or 1)) + 1 if entry.integer else 1001)


def _place(entry: Range | Choice, value: float) -> float:
    """Where a value stands in its range, from 0 to 1."""
    if isinstance(entry, Choice):
        return entry.choices.index(value) / (len(entry.choices) - 1)
    if entry.log:
        return math.log(value / entry.low) / math.log(entry.high / entry.low)
    return (value - entry.low) / (entry.high - entry.low)
