"""Races of made-up recipes: how often the verdicts of `lenet-search confirm` are right."""

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from lenet_search.experiments import race
from lenet_search.experiments.race import Standing, State
from lenet_search.look.intervals import Difference, mean_of, paired_by_seed

SEEDS = 16
RIVALS = 7  # beside the first recipe
COMMON = 0.01  # standard deviation of what a seed does to all recipes alike
SPREAD = 0.005  # standard deviation of a paired difference
ROWS = (  # what is simulated, true means beside 0.6, uneven spreads, validation images (0: no rounding)
    ("eight copies of one recipe", (0.0,) * 8, False, 0),
    ("eight copies, 300 validation images", (0.0,) * 8, False, 300),
    ("eight copies, one with three times the spread", (0.0,) * 8, True, 0),
    ("one better by half a point", (0.005, *(0.0,) * RIVALS), False, 0),
    ("one better by a point", (0.01, *(0.0,) * RIVALS), False, 0),
    ("one better by a point, 300 validation images", (0.01, *(0.0,) * RIVALS), False, 300),
    ("two equal ones better by a point", (0.01, 0.01, *(0.0,) * 6), False, 0),
)


REFERENCE = "reference"
AGAINST = (  # what is simulated beside a reference of 0.6, true means beside it, seeds, validation images
    ("eight copies of the reference, 16 seeds", (0.0,) * 8, 16, 0),
    ("eight copies, 8 seeds", (0.0,) * 8, 8, 0),
    ("eight copies, 8 seeds, 300 validation images", (0.0,) * 8, 8, 300),
    ("two copies, 8 seeds", (0.0,) * 2, 8, 0),
    ("one copy, 4 seeds", (0.0,), 4, 0),
    ("eight better by half a point, 8 seeds", (0.005,) * 8, 8, 0),
    ("eight better by a point, 8 seeds", (0.01,) * 8, 8, 0),
)


def run_race(
    rng: np.random.Generator, means: Sequence[float], *, uneven: bool = False, images: int = 0, seeds: int = SEEDS,
    reference: bool = False, common: float = COMMON,
) -> dict[str, Standing]:  # fmt: skip
    """A race of recipes `r0`, `r1`, ... with these true means beside 0.6, perhaps with a reference of 0.6."""
    names = [f"r{i}" for i in range(len(means))]
    if reference:
        names, means = [*names, REFERENCE], (*means, 0.0)
    spreads = np.full((len(means), 1), SPREAD / math.sqrt(2))
    if uneven:
        spreads[0] *= 3
    drawn = 0.6 + np.array(means)[:, None] + rng.normal(0.0, 1.0, (len(means), seeds)) * spreads
    drawn += rng.normal(0.0, common, seeds)
    if images:
        drawn = np.round(drawn * images) / images
    runs = {name: dict(enumerate(row.tolist())) for name, row in zip(names, drawn, strict=True)}
    plan = plan_of(len(names) - reference, seeds, images, reference=reference)
    left: dict[str, State] = {}
    values: dict[str, Mapping[int, float]] = {name: {} for name in runs}
    for place, n in enumerate(plan.seeds):
        values |= {name: {seed: runs[name][seed] for seed in range(n)} for name in runs if name not in left}
        standings = race.look(plan, place, values, left)
        left |= {name: each.state for name, each in standings.items() if each.state == State.WORSE}
        if reference:
            left.pop(REFERENCE, None)  # it stays to the end
        if race.is_over(standings):
            break
        left |= dict.fromkeys(race.set_aside(plan, place, standings, REFERENCE), State.ASIDE)
    return standings


def plan_of(recipes: int, seeds: int, images: int, *, reference: bool) -> race.Plan:
    """The plan of a race."""
    return race.plan(recipes, seeds, reference=reference, grain=1 / images if images else 0.0)


def gain(standings: Mapping[str, Standing], inside: float, grain: float = 0.0) -> Difference | None:
    """The leader minus the reference, as `lenet-search confirm` tells it; None if the reference leads."""
    leader = next(iter(standings))
    before, after = standings[REFERENCE].values, standings[leader].values
    return None if leader == REFERENCE else paired_by_seed(before, after, maximize=True, inside=inside, grain=grain)


def table(races: int) -> str:
    """How often a race has a winner, which one, and how often the best recipe is called worse."""
    head = ("races of", "one winner", "that is the best", "best called worse", "best set aside", "runs")
    lines = ["| " + " | ".join(head) + " |", "|---|--:|--:|--:|--:|--:|"]
    for text, means, uneven, images in ROWS:
        rng = np.random.default_rng(0)
        alone = right = worse = aside = runs = 0
        for _ in range(races):
            standings = run_race(rng, means, uneven=uneven, images=images)
            staying = race.staying(standings)
            alone += len(staying) == 1
            right += staying == ["r0"]
            worse += standings["r0"].state == State.WORSE
            aside += standings["r0"].state == State.ASIDE
            runs += sum(len(each.values) for each in standings.values())
        shares = [f"{100 * count / races:.1f} %" for count in (alone, right, worse, aside)]
        lines.append(f"| {text} | {' | '.join(shares)} | {runs / races:.0f} |")
    return "\n".join(lines)


def reference_table(races: int) -> str:
    """How often the leader of a race is called better than the reference, and how often its interval holds."""
    head = ("races of", "reference leads", "called better", "the same at 95 %", "interval holds", "the same at 95 %")
    lines = ["| " + " | ".join(head) + " |", "|---|--:|--:|--:|--:|--:|"]
    for text, means, seeds, images in AGAINST:
        rng = np.random.default_rng(0)
        plan = plan_of(len(means), seeds, images, reference=True)
        leads = 0
        better, holds = {plan.inside: 0, 0.95: 0}, {plan.inside: 0, 0.95: 0}
        for _ in range(races):
            standings = run_race(rng, means, images=images, seeds=seeds, reference=True)
            for inside in better:
                found = gain(standings, inside, plan.grain)
                if found is not None and found.low is not None and found.high is not None:
                    better[inside] += found.low > 0
                    holds[inside] += found.low <= means[int(next(iter(standings))[1:])] <= found.high
            leads += next(iter(standings)) == REFERENCE
        counts = [leads / races, *(count / races for count in (better[plan.inside], better[0.95]))]
        counts += [count / max(1, races - leads) for count in (holds[plan.inside], holds[0.95])]
        lines.append(f"| {text} | {' | '.join(f'{100 * count:.1f} %' for count in counts)} |")
    return "\n".join(lines)


def leader_table(races: int) -> str:
    """How much too high the mean of a leader is among copies, and how often its 95 % interval holds."""
    head = ("races of", "what a seed does to all alike", "mean too high by", "interval holds")
    lines = ["| " + " | ".join(head) + " |", "|---|---|--:|--:|"]
    for copies, common in product((2, 8), (2 * SPREAD, SPREAD, 0.0)):
        rng = np.random.default_rng(0)
        excess, holds = 0.0, 0
        for _ in range(races):
            leader = next(iter(run_race(rng, (0.0,) * copies, seeds=8, common=common).values()))
            mean = mean_of(list(leader.values.values()), share=True)
            excess += mean.value - 0.6
            holds += mean.low <= 0.6 <= mean.high
        words = f"{copies} copies | a standard deviation of {100 * common:.1f} points"
        lines.append(f"| {words} | {100 * excess / races:.2f} points | {100 * holds / races:.1f} % |")
    return "\n".join(lines)
