"""A race of recipes on fresh seeds: who leads, who is surely worse, and who cannot be told apart.

All recipes run on the same seeds, in cohorts, so every difference is paired. Rounds grow: each looks at all seeds so
far, and after it a recipe leaves

- when it is surely worse than the leader: the upper end of the interval of its paired difference is below zero;
- when it has diverged;
- when it is set aside, to save time: only the better half stays for the next round. Nothing is claimed of it.

Each interval has probability 1 - 2 * LEVEL / (looks * rivals), or 95 % if that is less. By Bonferroni's inequality, the
recipe that is truly best is thus called worse in at most 5 % of all races, over all looks and rivals together. It does
not matter that the leader is picked by the same figures, since the best recipe is compared with each rival at most once
per look. (Hsu 1984 calls these multiple comparisons with the best.) For the same reason, a reference that no recipe
surpasses is called surpassed in at most 5 %, although the recipe that is compared with it is picked.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lenet_search.look.intervals import Difference, paired_by_seed, t_quantile

LEVEL = 0.05  # probability that a race calls the best recipe worse
FEWEST = 4  # seeds of the first round: fewer say too little of the spread
ENOUGH = 8  # seeds that find a difference of 1.13 standard deviations in 80 of 100 comparisons of two recipes
MANY = 1000  # seeds from which Student's t is as good as normal
Z_POWER = 0.8416  # 80 % quantile of the normal distribution: a difference is found in 80 of 100 comparisons

Values = Mapping[int, float]  # a recipe's metric by seed


class State(StrEnum):
    """What a race says of a recipe."""

    LEADER = "leader"
    TIED = "cannot be told apart"
    EQUAL = "as good"  # the difference is surely within the indifference
    ASIDE = "set aside"
    WORSE = "worse"
    DIVERGED = "diverged"


@dataclass(frozen=True)
class Standing:
    """A recipe in a race. `behind` is its paired difference to the leader, None for the leader and without pairs."""

    name: str
    values: Values
    state: State
    behind: Difference | None = None

    @property
    def mean(self) -> float:
        """The mean over its seeds."""
        return math.fsum(self.values.values()) / len(self.values) if self.values else -math.inf


@dataclass(frozen=True)
class Plan:
    """The rounds of a race.

    seeds          number of seeds of each recipe after each round, ascending
    places         number of recipes that train in each round, the reference not counted
    rivals         number of rivals of any recipe: that of all recipes, the reference among them, minus one
    indifference   which difference is none
    maximize       whether more is better
    grain          the step of the metric: 1 / images of an accuracy
    """

    seeds: tuple[int, ...]
    places: tuple[int, ...]
    rivals: int
    indifference: float = 0.0
    maximize: bool = True
    grain: float = 0.0

    @property
    def inside(self) -> float:
        """Probability of each interval."""
        return 1.0 - LEVEL * min(1.0, 2.0 / (len(self.seeds) * max(1, self.rivals)))

    def most_runs(self, *, reference: bool) -> int:
        """How many runs the race has if no recipe leaves before it is set aside."""
        new = [after - before for before, after in zip((0, *self.seeds), self.seeds, strict=False)]
        return sum(count * (places + reference) for count, places in zip(new, self.places, strict=True))


def plan(
    finalists: int,
    seeds: int,
    *,
    reference: bool,
    indifference: float = 0.0,
    maximize: bool = True,
    grain: float = 0.0,
) -> Plan:
    """Rounds of a quarter of the seeds (if that is 4 or more), half of them, and all.

    After each, the better half of the finalists stays, but two at least.

    Args:
        finalists: number of recipes, 1 or more
        seeds: seeds of those that stay to the end, 2 or more
        reference: whether a reference races with them; it is never set aside
        indifference: which difference is none, in the metric's unit
        maximize: whether more is better
        grain: the step of the metric: 1 / images of an accuracy
    """
    rounds = sorted({n for n in (seeds // 4, seeds // 2, seeds) if n >= FEWEST or n == seeds})
    places = [max(min(2, finalists), math.ceil(finalists / 2**place)) for place in range(len(rounds))]
    return Plan(tuple(rounds), tuple(places), finalists - 1 + reference, indifference, maximize, grain)


def size(finalists: int, seeds: int, most: float, *, reference: bool) -> tuple[int, int] | None:
    """The largest race of at most `most` runs, as its finalists and seeds; None if the smallest has more.

    Seeds are halved first, down to `ENOUGH`, then finalists leave, down to two, then seeds are halved again, down to
    `FEWEST`.

    Args:
        finalists: number of recipes wanted, 1 or more
        seeds: seeds wanted, 2 or more
        most: number of runs, if no recipe leaves early
        reference: whether a reference races with them
    """
    while plan(finalists, seeds, reference=reference).most_runs(reference=reference) > most:
        if seeds >= 2 * ENOUGH:
            seeds //= 2
        elif finalists > 2:
            finalists -= 1
        elif seeds >= 2 * FEWEST:
            seeds //= 2
        else:
            return None
    return finalists, seeds


def look(racing: Plan, place: int, values: Mapping[str, Values], left: Mapping[str, State]) -> dict[str, Standing]:
    """What is known after a round, by name, the leader first and the others by their mean.

    Args:
        racing: the rounds
        place: the round that has ended, from 0
        values: the metric of each recipe by seed; a recipe without the value of a seed it should have diverged there
        left: those that left in earlier rounds, and why
    """
    sign = 1.0 if racing.maximize else -1.0
    due = racing.seeds[place]
    state: dict[str, State] = dict(left)
    for name in values:
        if name not in left and len(values[name]) < due:
            state[name] = State.DIVERGED
    running = [name for name in values if name not in state]
    if not running:
        return {name: Standing(name, values[name], state[name]) for name in values}

    def mean(name: str) -> float:
        own = values[name].values()
        return sign * math.fsum(own) / len(own) if own else -math.inf

    leader = max(running, key=mean)
    standings = {leader: Standing(leader, values[leader], State.LEADER)}
    for name in sorted((name for name in values if name != leader), key=mean, reverse=True):
        behind = paired_by_seed(
            values[leader], values[name], maximize=racing.maximize, inside=racing.inside, grain=racing.grain,
            share=racing.maximize,
        )  # fmt: skip
        standings[name] = Standing(name, values[name], state.get(name) or _state(behind, racing.indifference), behind)
    return standings


def _state(behind: Difference | None, indifference: float) -> State:
    if behind is None or behind.low is None or behind.high is None:
        return State.TIED
    if max(abs(behind.low), abs(behind.high)) <= indifference:
        return State.EQUAL
    return State.WORSE if behind.high < 0.0 else State.TIED


def set_aside(racing: Plan, place: int, standings: Mapping[str, Standing], reference: str | None) -> list[str]:
    """Those that do not train in the round after `place`, worst last: there are better ones for all its places."""
    staying = [name for name, each in standings.items() if each.state in _STAYING and name != reference]
    return staying[racing.places[place + 1] :] if place + 1 < len(racing.places) else []


_STAYING = (State.LEADER, State.TIED, State.EQUAL)


def staying(standings: Mapping[str, Standing]) -> list[str]:
    """Those that are still in the race, best first."""
    return [name for name, each in standings.items() if each.state in _STAYING]


def is_over(standings: Mapping[str, Standing]) -> bool:
    """Whether more seeds could tell nothing more: the leader is alone, or all others are surely as good as it."""
    return all(standings[name].state == State.EQUAL for name in staying(standings)[1:])


def seeds_needed(difference: Sequence[float], detect: float) -> int:
    """How many seeds find a true difference of `detect` in 80 of 100 comparisons, by the spread of paired differences.

    The smallest n of at least ((t + 0.84) s / detect)^2, with the standard deviation s of `difference` (two values or
    more) and Student's t of n - 1 degrees at 97.5 %; with many seeds (2.8 s / detect)^2.
    """
    n = len(difference)
    mean = math.fsum(difference) / n
    variance = math.fsum((value - mean) ** 2 for value in difference) / (n - 1)
    ratio = variance / detect**2
    needed = max(2, math.ceil((1.96 + Z_POWER) ** 2 * ratio))
    while needed < MANY and needed < (t_quantile(needed - 1) + Z_POWER) ** 2 * ratio:
        needed += 1
    return needed
