"""Small versions of the simulations of docs/statistics.md. Bounds are 4 standard errors, or binomial tails of 1e-4."""

import math

import pytest
from simulations import intervals, selection, verdicts


def most(n: int, share: float) -> int:
    """The smallest count that n draws of probability `share` exceed less than once in 10,000 times."""
    tail, count = 1.0, -1
    while tail > 1e-4:
        count += 1
        tail -= math.comb(n, count) * share**count * (1 - share) ** (n - count)
    return count


@pytest.mark.parametrize(("images", "share"), [(300, 0.5), (300, 0.99), (5000, 0.6), (10_000, 0.99)])
def test_wilsons_interval_contains_the_truth_about_95_times_in_100(images, share):
    assert 0.94 <= intervals.wilson_coverage(images, share) <= 0.975


@pytest.mark.parametrize("n", [2, 4, 16])
@pytest.mark.parametrize("covers", [intervals.mean_covers, intervals.difference_covers])
def test_students_intervals_contain_the_truth_95_times_in_100(n, covers):
    import numpy as np

    rng, draws = np.random.default_rng(n), 800
    missed = sum(not covers("normal", n, rng) for _ in range(draws))
    assert missed <= most(draws, 0.05)
    assert draws - missed <= most(draws, 0.95)


@pytest.mark.parametrize(("sampler", "searches"), [("random", 12), ("TPE", 4)])
def test_where_nothing_matters_at_most_5_verdicts_of_100_name_something(sampler, searches):
    scenario = verdicts.Scenario(None, 0, sampler)
    said = [verdicts.judged(scenario, verdicts.search(scenario, seed, trials=40)) for seed in range(searches)]
    assert said.count("wrong") <= most(searches, 0.05)


@pytest.mark.parametrize("path", ["regularize.dropout", "schedule.kind"])
def test_where_one_matters_much_it_is_named(path):
    scenario, searches = verdicts.Scenario(path, 3, "random"), 3
    said = [verdicts.judged(scenario, verdicts.search(scenario, seed, trials=60)) for seed in range(searches)]
    assert said.count("wrong") <= most(searches, 0.05)
    assert said.count("right") >= 1  # of 3; more than 9 in 10 are right


def test_the_best_value_is_optimistic_shrinkage_takes_most_of_it_and_confirmation_nearly_all():
    searches = 40
    found = selection.errors(selection.TRUTHS["62 % minus an exponential of mean 2 points"], searches)
    bias, error = found.mean(axis=0), 4 * found.std(axis=0) / searches**0.5
    raw, normal, images, both, confirmed = range(5)
    assert bias[raw] - error[raw] > 0.015
    assert bias[images] + error[images] < bias[raw] - error[raw]
    assert bias[images] < bias[normal]  # the normal prior is misled by the bad trials
    assert abs(bias[both]) < 0.006 + error[both]
    assert 0.0 < bias[confirmed] < 0.004 + error[confirmed]


def test_more_seeds_for_promising_trials_cost_less_than_seeds_for_all_and_leave_less_optimism():
    truth, searches = selection.TRUTHS["62 % minus an exponential of mean 2 points"], 30
    one, three, growing = (selection.seeded(truth, plan, searches) for plan in selection.SEEDED.values())
    runs, bias = ([each[:, column].mean() for each in (one, three, growing)] for column in (0, 1))
    assert runs[0] == 100 < runs[2] < runs[1] == 300
    error = 4 * one[:, 1].std() / searches**0.5
    assert bias[1] + error < bias[0]
    assert bias[2] + error < bias[0]
