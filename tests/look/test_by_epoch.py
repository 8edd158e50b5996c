import math
from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from lenet_search.look.by_epoch import ERROR, add_curves, focus, log_axis, mean_by_epoch, measured
from lenet_search.look.intervals import mean_of
from lenet_search.run import Curve, Run
from tests.experiments.made import run

ACCURACY = measured("val_accuracy")


def runs(*curves: Sequence[float], diverged: Sequence[int] = ()) -> list[Run]:
    """A run for each curve; those at the places `diverged` have diverged."""
    return [
        replace(run(seed, 0.5), curve=Curve.constant(curve), diverged=seed - 1 in diverged)
        for seed, curve in enumerate(curves, 1)
    ]


def drawn(made: list[Run], **options: object) -> list[go.Scatter]:
    figure = go.Figure()
    add_curves(figure, made, ACCURACY, "name", "#0072B2", **options)
    return list(figure.data)


def test_the_mean_after_each_epoch_has_students_interval_over_the_seeds() -> None:
    found = mean_by_epoch(runs([0.1, 0.6], [0.3, 0.62], [0.2, 0.61]), ACCURACY)
    assert found == [mean_of([0.1, 0.3, 0.2], share=True), mean_of([0.6, 0.62, 0.61], share=True)]


def test_a_loss_can_exceed_one_and_an_error_is_what_is_left_of_the_accuracy() -> None:
    (loss,) = mean_by_epoch(runs([2.0], [2.4]), measured("val_loss"))
    (error,) = mean_by_epoch(runs([0.9], [0.8]), ERROR)
    assert loss.high is not None and loss.high > 1.0
    assert error.value == pytest.approx(0.15)


def test_a_run_that_diverged_is_dotted_where_it_was_and_left_out_of_the_mean() -> None:
    made = runs([0.1, 0.6], [0.9], [0.2, 0.61], diverged=[1])
    assert [each.n for each in mean_by_epoch(made, ACCURACY)] == [2, 2]
    first, lost, second, _, mean = drawn(made)
    assert (first.line.dash, lost.line.dash, second.line.dash) == ("solid", "dot", "solid")
    assert list(lost.y) == [90.0]
    assert list(mean.y) == pytest.approx([15.0, 60.5])


def test_where_fewer_runs_are_left_their_number_is_told() -> None:
    made = runs([0.1, 0.6, 0.7], [0.3, 0.62], [0.2])
    assert [each.n for each in mean_by_epoch(made, ACCURACY)] == [3, 2, 1]
    *_, band, mean = drawn(made)
    assert list(band.x) == [1, 2, 2, 1]  # one run has no interval
    assert ["n = 3 seeds" in mean.customdata[0], "n = 2 seeds" in mean.customdata[1]] == [True, True]
    assert mean.customdata[2] == "70.00 %"


def test_the_band_lies_between_the_ends_of_the_intervals() -> None:
    made = runs([0.1, 0.6], [0.3, 0.62], [0.2, 0.61])
    band, mean = drawn(made, seeds=False)
    first, last = mean_by_epoch(made, ACCURACY)
    assert band.fill == "toself"
    assert list(band.y) == pytest.approx([100 * bound for bound in (first.high, last.high, last.low, first.low)])
    assert mean.customdata[1] == "mean 61.00 % (58.52 to 63.48), n = 3 seeds"


def test_one_seed_is_one_line_without_a_band() -> None:
    (line,) = drawn(runs([0.1, 0.6]))
    assert (line.mode, list(line.y)) == ("lines", [10.0, 60.0])


def test_one_epoch_is_a_point_with_a_bar_for_its_interval() -> None:
    made = runs([0.6], [0.62], [0.61])
    *_, mean = drawn(made)
    (found,) = mean_by_epoch(made, ACCURACY)
    assert mean.mode == "markers"
    assert mean.y[0] + mean.error_y.array[0] == pytest.approx(100 * (found.high or 0))
    assert mean.y[0] - mean.error_y.arrayminus[0] == pytest.approx(100 * (found.low or 0))


def test_runs_that_all_diverged_have_no_mean() -> None:
    *lines, mean = drawn(runs([0.1], [0.2], diverged=[0, 1]))
    assert len(lines) == 2
    assert not mean.x


def test_an_error_of_zero_is_drawn_on_a_logarithmic_axis() -> None:
    figure = go.Figure()
    add_curves(figure, runs([0.9, 1.0], [0.92, 1.0]), ERROR, "name", "#0072B2", lowest=0.01)
    assert min(y for trace in figure.data for y in trace.y) == 0.01


def test_the_wide_band_of_two_seeds_does_not_flatten_their_curves() -> None:
    made = runs([0.5, 0.6], [0.51, 0.64])
    band, _ = drawn(made, seeds=False)
    assert max(band.y) - min(band.y) > 50
    low, high = focus(made, ACCURACY) or (0, 0)
    assert (low, high) == pytest.approx((100 * (mean_by_epoch(made, ACCURACY)[1].low or 0), 64 + 14))
    assert low >= 50 - 14


def test_a_narrow_band_is_shown_whole() -> None:
    assert focus(runs([0.5, 0.9], [0.501, 0.901], [0.5, 0.902]), ACCURACY) is None
    assert focus(runs([0.5, 0.9]), ACCURACY) is None


def test_a_logarithmic_axis_is_focused_by_its_logarithms() -> None:
    span = math.log10(12) - math.log10(10)
    found = focus(runs([0.9, 0.9], [0.89, 0.88]), ERROR, lowest=0.1)
    assert found == pytest.approx([math.log10(10) - span, math.log10(12) + span])


@pytest.mark.parametrize("values", [[46.0], [46.02, 46.24], [2.0, 2.3, 1.9], [0.5, 90.0]])
def test_a_logarithmic_axis_always_has_ticks_among_its_values(values: list[float]) -> None:
    figure = go.Figure()
    log_axis(figure, values, "error (%)")
    low, high = min(values) * 0.995, max(values) * 1.005
    assert any(low <= tick <= high for tick in figure.layout.yaxis.tickvals)
    assert len(figure.layout.yaxis.tickvals) == len(set(figure.layout.yaxis.ticktext))
