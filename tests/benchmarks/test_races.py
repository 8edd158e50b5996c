"""Small versions of the races of docs/statistics.md, with binomial bounds."""

import numpy as np
import pytest
from simulations.races import (
    AGAINST,
    ROWS,
    SPREAD,
    gain,
    leader_table,
    plan_of,
    reference_table,
    run_race,
    table,
)
from test_simulations import most

from lenet_search.experiments import race
from lenet_search.experiments.race import State
from lenet_search.look.intervals import paired_difference

RACES = 150
COPIES = [row[1:] for row in ROWS if not any(row[1])]


@pytest.mark.parametrize(("means", "uneven", "images"), COPIES)
def test_eight_copies_of_one_recipe_have_no_winner_in_95_of_100_races(means, uneven, images):
    """With few images, accuracies are coarse, and their differences may agree by chance."""
    rng = np.random.default_rng(1)
    races = [run_race(rng, means, uneven=uneven, images=images) for _ in range(RACES)]
    assert sum(len(race.staying(each)) == 1 for each in races) <= most(RACES, 0.05)
    assert sum(each["r0"].state == State.WORSE for each in races) <= most(RACES, 0.05)


@pytest.mark.parametrize(("means", "seeds", "images"), [row[1:] for row in AGAINST if not any(row[1])])
def test_copies_of_the_reference_are_called_better_in_at_most_5_of_100_races(means, seeds, images):
    """Though the one that is compared with it was picked because it did well."""
    rng = np.random.default_rng(2)
    plan = plan_of(len(means), seeds, images, reference=True)
    better = 0
    for _ in range(RACES):
        standings = run_race(rng, means, images=images, seeds=seeds, reference=True)
        found = gain(standings, plan.inside, plan.grain)
        better += found is not None and found.low > 0
    assert better <= most(RACES, 0.05)


def test_a_recipe_that_is_a_point_better_wins_alone():
    rng = np.random.default_rng(3)
    alone = sum(race.staying(run_race(rng, (0.01, *(0.0,) * 7))) == ["r0"] for _ in range(RACES))
    assert RACES - alone <= most(RACES, 0.2)


def test_so_many_seeds_find_a_difference_in_80_of_100_comparisons():
    rng = np.random.default_rng(4)
    needed = race.seeds_needed(rng.normal(0, SPREAD, 10_000).tolist(), SPREAD)
    assert needed == 10  # (2.8 * 0.005 / 0.005)^2 = 7.84, and two more since the spread is measured
    missed = 0
    for _ in range(RACES):
        low = paired_difference([0.0] * needed, rng.normal(SPREAD, SPREAD, needed).tolist()).low
        missed += low is None or low <= 0
    assert missed <= most(RACES, 0.2)


def test_the_table_has_a_row_for_each_kind_of_race():
    assert len(table(2).splitlines()) == 2 + len(ROWS)
    assert len(reference_table(2).splitlines()) == 2 + len(AGAINST)
    assert len(leader_table(2).splitlines()) == 2 + 6
