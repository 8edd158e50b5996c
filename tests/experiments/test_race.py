import math
from collections.abc import Mapping

import numpy as np
import pytest

from lenet_search.experiments import race
from lenet_search.experiments.race import Plan, Standing, State
from lenet_search.look.intervals import paired_difference

RACES = 200
SPREAD = 0.005


def run_race(rng: np.random.Generator, means: list[float], images: int = 0) -> dict[str, Standing]:
    """A race over 16 seeds of recipes with these true means, whose paired differences have the deviation `SPREAD`."""
    seeds = 16
    own = rng.normal(0.0, SPREAD / math.sqrt(2), (len(means), seeds)) + rng.normal(0.0, 0.01, seeds)
    drawn = {f"r{i}": dict(enumerate((mean + own[i]).tolist())) for i, mean in enumerate(means)}
    if images:
        drawn = {name: {s: round(x * images) / images for s, x in each.items()} for name, each in drawn.items()}
    plan = race.plan(len(means), seeds, reference=False, grain=1 / images if images else 0.0)
    left: dict[str, State] = {}
    values: dict[str, Mapping[int, float]] = {name: {} for name in drawn}
    for place, n in enumerate(plan.seeds):
        values |= {name: {seed: drawn[name][seed] for seed in range(n)} for name in drawn if name not in left}
        standings = race.look(plan, place, values, left)
        left |= {name: each.state for name, each in standings.items() if each.state == State.WORSE}
        if race.is_over(standings):
            break
        left |= dict.fromkeys(race.set_aside(plan, place, standings, None), State.ASIDE)
    return standings


def binomial_limit(probability: float, n: int) -> float:
    """A share that n draws exceed once in ten thousand times, by the normal approximation."""
    return probability + 3.8 * math.sqrt(probability * (1 - probability) / n)


@pytest.mark.parametrize("images", [0, 300])
def test_eight_copies_of_one_recipe_have_no_winner_in_95_of_100_races(images: int) -> None:
    """With few images, accuracies are coarse, and their differences may agree by chance."""
    rng = np.random.default_rng(1)
    winners = sum(len(race.staying(run_race(rng, [0.6] * 8, images=images))) == 1 for _ in range(RACES))
    assert winners / RACES <= binomial_limit(0.05, RACES)


def test_the_best_recipe_is_called_worse_in_at_most_5_of_100_races() -> None:
    rng = np.random.default_rng(2)
    wrong = sum(run_race(rng, [0.6] * 8)["r0"].state == State.WORSE for _ in range(RACES))
    assert wrong / RACES <= binomial_limit(0.05, RACES)


def test_a_recipe_that_is_a_point_better_wins_alone() -> None:
    rng = np.random.default_rng(3)
    alone = sum(race.staying(run_race(rng, [0.61, *[0.60] * 7])) == ["r0"] for _ in range(RACES))
    assert alone / RACES >= 0.8


def values_of(**means: float) -> dict[str, dict[int, float]]:
    rng = np.random.default_rng(0)
    return {name: {seed: mean + rng.normal(0, 1e-3) for seed in range(4)} for name, mean in means.items()}


def test_rounds_have_a_quarter_a_half_and_all_of_the_seeds_and_half_of_the_places_each() -> None:
    plan = race.plan(8, 16, reference=True)
    assert (plan.seeds, plan.places, plan.rivals) == ((4, 8, 16), (8, 4, 2), 8)
    assert race.plan(3, 8, reference=False).seeds == (4, 8)
    assert race.plan(1, 2, reference=False).seeds == (2,)


def test_the_levels_of_all_looks_and_rivals_add_up_to_5_percent() -> None:
    plan = race.plan(8, 16, reference=True)
    assert (1 - plan.inside) / 2 * len(plan.seeds) * plan.rivals == pytest.approx(0.05)


def test_one_that_lacks_a_seed_has_diverged_and_one_that_is_surely_behind_is_worse() -> None:
    values = values_of(a=0.7, b=0.5, c=0.9)
    del values["c"][2]
    standings = race.look(Plan((4,), (3,), 2), 0, values, {})
    assert {name: each.state for name, each in standings.items()} == {
        "a": State.LEADER,
        "b": State.WORSE,
        "c": State.DIVERGED,
    }
    assert next(iter(standings)) == "a"


def test_for_a_loss_the_lowest_leads() -> None:
    standings = race.look(Plan((4,), (2,), 1, maximize=False), 0, values_of(a=0.7, b=0.5), {})
    assert list(standings) == ["b", "a"]
    assert standings["a"].state == State.WORSE


def test_a_difference_that_is_surely_within_the_indifference_is_none() -> None:
    standings = race.look(Plan((4,), (2,), 1, indifference=0.1), 0, values_of(a=0.7, b=0.69), {})
    assert standings["b"].state == State.EQUAL
    assert race.is_over(standings)


def test_the_reference_is_never_set_aside() -> None:
    plan = race.plan(4, 16, reference=True)
    values = values_of(a=0.7, b=0.7, c=0.7, d=0.7, reference=0.6999)
    standings = race.look(plan, 0, values, {})
    aside = race.set_aside(plan, 0, standings, "reference")
    assert len(aside) == 2
    assert "reference" not in aside


def test_so_many_seeds_find_a_difference_in_80_of_100_comparisons() -> None:
    rng = np.random.default_rng(4)
    spread, detect = 0.005, 0.005
    needed = race.seeds_needed(rng.normal(0, spread, 10_000).tolist(), detect)
    assert needed == 10  # (2.8 * 0.005 / 0.005)^2 = 7.84, and two more since the spread is measured
    found = 0
    for _ in range(RACES):
        low = paired_difference([0.0] * needed, rng.normal(detect, spread, needed).tolist()).low
        found += low is not None and low > 0
    assert 1 - found / RACES <= binomial_limit(0.2, RACES)
