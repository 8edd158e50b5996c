import math

import numpy as np
import pytest

from lenet_search.results.intervals import mean_interval, t_quantile, wilson


def test_wilsons_interval_has_the_published_bounds() -> None:
    # Newcombe 1998, table I: 81 of 263, and 0 of 20
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_wilsons_interval_covers_the_truth_in_95_of_100_samples() -> None:
    n, truth, repeats = 200, 0.9, 4000
    hits = 0
    for count in np.random.default_rng(0).binomial(n, truth, repeats):
        low, high = wilson(count / n, n)
        hits += low <= truth <= high
    assert abs(hits / repeats - 0.95) < 4 * math.sqrt(0.95 * 0.05 / repeats) + 0.01  # 0.01: counts are whole numbers


def test_the_interval_of_a_perfect_score_stays_below_one_at_its_low_end_only() -> None:
    low, high = wilson(1.0, 100)
    assert 0.95 < low < 1.0
    assert high == 1.0


@pytest.mark.parametrize(("accuracy", "n"), [(1.2, 10), (-0.1, 10), (0.5, 0), (math.nan, 10)])
def test_an_impossible_share_is_refused(accuracy: float, n: int) -> None:
    with pytest.raises(ValueError, match="expected an accuracy from 0 to 1"):
        wilson(accuracy, n)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (30, 2.0423), (120, 1.9799)],
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert t_quantile(freedom) == pytest.approx(quantile, abs=1e-4)


def test_the_mean_of_three_seeds_has_students_interval() -> None:
    mean, low, high = mean_interval([0.60, 0.62, 0.61])
    assert mean == pytest.approx(0.61)
    assert high - mean == pytest.approx(4.3027 * 0.01 / math.sqrt(3), rel=1e-4)
    assert mean - low == pytest.approx(high - mean)


def test_one_seed_alone_says_nothing_about_the_spread() -> None:
    assert mean_interval([0.6]) == (0.6, -math.inf, math.inf)


def test_no_seed_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval([])
