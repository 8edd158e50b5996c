"""Races of made-up recipes: how often the verdicts of `lenet-search confirm` are right."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lenet_search.experiments import race
from lenet_search.experiments.race import Standing, State

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


def run_race(
    rng: np.random.Generator, means: Sequence[float], *, uneven: bool = False, images: int = 0
) -> dict[str, Standing]:
    """A race over 16 seeds of recipes `r0`, `r1`, ... with these true means beside 0.6."""
    spreads = np.full((len(means), 1), SPREAD / math.sqrt(2))
    if uneven:
        spreads[0] *= 3
    drawn = 0.6 + np.array(means)[:, None] + rng.normal(0.0, 1.0, (len(means), SEEDS)) * spreads
    drawn += rng.normal(0.0, COMMON, SEEDS)
    if images:
        drawn = np.round(drawn * images) / images
    runs = {f"r{i}": dict(enumerate(row.tolist())) for i, row in enumerate(drawn)}
    plan = race.plan(len(means), SEEDS, reference=False, grain=1 / images if images else 0.0)
    left: dict[str, State] = {}
    values: dict[str, Mapping[int, float]] = {name: {} for name in runs}
    for place, n in enumerate(plan.seeds):
        values |= {name: {seed: runs[name][seed] for seed in range(n)} for name in runs if name not in left}
        standings = race.look(plan, place, values, left)
        left |= {name: each.state for name, each in standings.items() if each.state == State.WORSE}
        if race.is_over(standings):
            break
        left |= dict.fromkeys(race.set_aside(plan, place, standings, None), State.ASIDE)
    return standings


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
