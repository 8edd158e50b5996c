import math

import numpy as np
import pytest

from lenet_search.look.intervals import (
    holm,
    mean_interval,
    mean_summary,
    paired_difference,
    t_quantile,
    wilson,
)


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


def test_paired_differences_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for n in (2, 3, 5, 8, 30):
        first = rng.normal(0.6, 0.02, n)
        second = first + rng.normal(0.01, 0.01, n)
        reference = stats.ttest_rel(second, first)
        found = paired_difference(first.tolist(), second.tolist())
        bounds = reference.confidence_interval(0.95)
        assert (found.n, found.mean) == (n, pytest.approx(float(np.mean(second - first))))
        assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high), rel=1e-6)
        assert found.p == pytest.approx(float(reference.pvalue), rel=1e-6, abs=1e-12)


def test_one_pair_alone_says_nothing() -> None:
    found = paired_difference([0.5], [0.6])
    assert (found.low, found.high, found.p) == (-math.inf, math.inf, 1.0)


def test_differences_that_are_all_the_same_are_certain_unless_they_are_zero() -> None:
    assert paired_difference([0.5, 0.5], [0.75, 0.75]).p == 0.0
    assert paired_difference([0.5, 0.25], [0.5, 0.25]).p == 1.0


def test_holm_raises_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])  # 3 * 0.01, then 2 * 0.03, then not below it
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_false_alarms_at_5_percent_over_all_tests_together() -> None:
    draws = np.random.default_rng(0).random((4000, 6))
    alarms = sum(min(holm(row.tolist())) < 0.05 for row in draws)
    assert abs(alarms / 4000 - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 4000)


def test_a_summary_keeps_shares_within_one_and_knows_no_interval_of_one_value() -> None:
    assert mean_summary([0.9, 1.0], share=True)["high"] == 1.0
    assert mean_summary([0.9, 1.0], share=False)["high"] > 1.0
    assert mean_summary([0.5], share=True) == {"n": 1, "mean": 0.5, "low": None, "high": None}
    assert mean_summary([], share=True) == {"n": 0, "mean": None, "low": None, "high": None}
