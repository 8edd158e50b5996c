import json
import math

import numpy as np
import pytest

from lenet_search.look.intervals import (
    Difference,
    Estimate,
    holm,
    mean_of,
    mean_of_shares,
    paired_difference,
    share_of,
    t_quantile,
)


def test_wilsons_interval_has_the_published_bounds() -> None:
    # Newcombe 1998, table I: 81 of 263, and 0 of 20
    some, none = share_of(81 / 263, 263), share_of(0.0, 20)
    assert (some.low, some.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert (none.low, none.high) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_wilsons_interval_covers_the_truth_in_95_of_100_samples() -> None:
    n, truth, repeats = 200, 0.9, 4000
    hits = 0
    for count in np.random.default_rng(0).binomial(n, truth, repeats):
        found = share_of(count / n, n)
        assert found.low is not None and found.high is not None
        hits += found.low <= truth <= found.high
    assert abs(hits / repeats - 0.95) < 4 * math.sqrt(0.95 * 0.05 / repeats) + 0.01  # 0.01: counts are whole numbers


def test_the_interval_of_a_perfect_score_stays_below_one_at_its_low_end_only() -> None:
    found = share_of(1.0, 100)
    assert found.low is not None and 0.95 < found.low < 1.0
    assert found.high == 1.0


@pytest.mark.parametrize(("accuracy", "n"), [(1.2, 10), (-0.1, 10), (0.5, 0), (math.nan, 10)])
def test_an_impossible_share_is_refused(accuracy: float, n: int) -> None:
    with pytest.raises(ValueError, match="expected an accuracy from 0 to 1"):
        share_of(accuracy, n)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (30, 2.0423), (120, 1.9799)],
)
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert t_quantile(freedom) == pytest.approx(quantile, abs=1e-4)


def test_the_mean_of_three_seeds_has_students_interval() -> None:
    found = mean_of([0.60, 0.62, 0.61], share=True)
    half = pytest.approx(4.3027 * 0.01 / math.sqrt(3), rel=1e-4)
    assert found.value == pytest.approx(0.61)
    assert found.low is not None and found.high is not None
    assert (found.high - found.value, found.value - found.low) == (half, half)


def test_one_seed_alone_says_nothing_about_the_spread() -> None:
    assert mean_of([0.6], share=False) == Estimate(0.6, 1, None, None, "seeds", share=False)


def test_no_seed_at_all_has_neither_value_nor_interval() -> None:
    assert mean_of([], share=True) == Estimate(None, 0, None, None, "seeds")


def test_no_pair_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        paired_difference([], [])


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
    found = paired_difference([0.5], [0.75])
    assert found == Difference(1, 0.25, None, None, 1.0)
    assert str(found) == "+25.00"


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


def test_a_share_stays_within_0_and_1_and_a_loss_above_0() -> None:
    share, loss = mean_of([0.0, 1.0], share=True), mean_of([0.0, 1.0], share=False)
    assert (share.low, share.high) == (0.0, 1.0)
    assert loss.low == 0.0 and loss.high is not None and loss.high > 1.0
    for images in (1, 7, 10_000):
        for right in {0, 1, images}:
            found = share_of(right / images, images)
            assert found.low is not None and found.high is not None
            assert 0.0 <= found.low < found.high <= 1.0


@pytest.mark.parametrize(
    ("shown", "figure", "bounds", "text"),
    [
        (Estimate(0.98914, 5, 0.98851, 0.98967, "seeds"), "98.91 %", "98.85 to 98.97", "98.91 % (98.85 to 98.97)"),
        (Estimate(0.98914, 1, None, None, "seeds"), "98.91 %", "", "98.91 %"),
        (
            Estimate(0.27944, 5, 0.26006, 0.29882, "seeds", share=False),
            "0.2794", "0.2601 to 0.2988", "0.2794 (0.2601 to 0.2988)",
        ),
        (Estimate(None, 0, None, None, "seeds"), "-", "", "-"),
    ],
)  # fmt: skip
def test_an_estimate_as_text(shown: Estimate, figure: str, bounds: str, text: str) -> None:
    assert (shown.figure(), shown.bounds(), str(shown)) == (figure, bounds, text)


def test_a_difference_as_text_is_in_points_with_signs() -> None:
    assert str(Difference(5, 0.00521, 0.00101, 0.00941, 0.03)) == "+0.52 (+0.10 to +0.94)"
    assert str(Difference(5, -0.00521, -0.01143, 0.00101, 0.1)) == "-0.52 (-1.14 to +0.10)"


def test_an_estimate_in_json_has_null_where_there_is_no_value_or_interval() -> None:
    shown = Estimate(0.5, 8, 0.25, 0.75, "images").named("accuracy")
    assert json.dumps(shown, allow_nan=False) == '{"accuracy": 0.5, "low": 0.25, "high": 0.75, "n": 8}'
    assert json.dumps(mean_of([0.5], share=True).to_json(), allow_nan=False) == (
        '{"n": 1, "mean": 0.5, "low": null, "high": null, "over": "seeds"}'
    )
    assert json.dumps(mean_of([], share=True).to_json(), allow_nan=False) == (
        '{"n": 0, "mean": null, "low": null, "high": null, "over": "seeds"}'
    )


def test_the_mean_of_one_share_is_that_share() -> None:
    one = share_of(0.9, 200)
    found = mean_of_shares([one])
    assert (found.value, found.low, found.high, found.n) == pytest.approx((one.value, one.low, one.high, one.n))


def test_the_interval_of_a_mean_of_shares_covers_the_truth_in_95_of_100_samples() -> None:
    truths, sizes, repeats = np.array([0.99, 0.9, 0.5, 0.8]), np.array([500, 100, 20, 50]), 2000
    draws = np.random.default_rng(0).binomial(sizes, truths, (repeats, 4)) / sizes
    hits = 0
    for row in draws:
        found = mean_of_shares([share_of(value, int(n)) for value, n in zip(row.tolist(), sizes, strict=True)])
        assert found.low is not None and found.high is not None
        hits += found.low <= truths.mean() <= found.high
    assert abs(hits / repeats - 0.95) < 4 * math.sqrt(0.95 * 0.05 / repeats) + 0.005  # counts are whole numbers


def test_a_mean_of_shares_needs_shares_with_intervals() -> None:
    for wrong in ([], [mean_of([0.5], share=True)]):
        with pytest.raises(ValueError, match="expected"):
            mean_of_shares(wrong)


@pytest.mark.parametrize("n", [2, 4, 8])
def test_values_that_agree_by_chance_have_the_spread_of_rounding(n: int) -> None:
    grain = 1 / 300
    mean = mean_of([0.9] * n, share=True, grain=grain)
    assert mean.low is not None and mean.high is not None
    assert mean.high - mean.low == pytest.approx(2 * t_quantile(n - 1) * grain / math.sqrt(12 * n))
    same = paired_difference([0.9] * n, [0.9 + 2 * grain] * n, grain=grain, share=True)
    assert same.low is not None and same.high is not None and same.low < same.mean < same.high
    assert same.p > 0
    assert (same.low < 0) == (n == 2)  # two images on two seeds are chance; on four or more they are not


def test_a_difference_of_shares_lies_between_minus_1_and_1() -> None:
    wide = paired_difference([0.1, 0.9], [0.9, 0.2], share=True)
    assert (wide.low, wide.high) == (-1.0, 1.0)
