import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_search.look.intervals import share_of
from lenet_search.look.theme import METRICS, PALETTE, faded, name_text, whole_axis


@given(st.integers(0, 10_000), st.integers(0, 100_000), st.integers(3, 12))
def test_an_axis_of_counts_has_whole_ticks_a_few_and_all_values(first: int, span: int, most: int) -> None:
    axis = whole_axis(first, first + span, most)
    step = axis["dtick"]
    assert isinstance(step, int) and str(step).rstrip("0") in ("1", "2", "5")
    assert axis["tick0"] == 0
    assert span / step <= most
    low, high = axis["range"]
    assert low < first and first + span < high
    assert high // step - -(-low // step) + 1 >= 1 or span < step  # a tick is in sight


@pytest.mark.parametrize(("last", "step"), [(1, 1), (2, 1), (9, 1), (10, 2), (20, 5), (30, 5), (100, 20), (200, 50)])
def test_epochs_get_round_steps(last: int, step: int) -> None:
    assert whole_axis(1, last)["dtick"] == step


@given(st.text(max_size=200), st.integers(5, 40))
def test_a_name_is_broken_into_lines_that_fit_and_holds_no_markup(name: str, width: int) -> None:
    lines = name_text(name, width).split("<br>")
    for line in lines:
        assert "<" not in line and ">" not in line
        assert len(line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= width


def test_a_name_is_broken_behind_its_signs() -> None:
    assert name_text("lenet5-cifar-with-a-long-name", 14) == "lenet5-cifar-<br>with-a-long-<br>name"
    assert name_text("optimizer.adam.learning_rate", 17) == "optimizer.adam.<br>learning_rate"
    assert name_text("short") == "short"
    assert name_text("x" * 30, 20) == "x" * 20 + "<br>" + "x" * 10


def test_a_value_is_shown_with_its_unit_and_interval() -> None:
    assert METRICS["val_accuracy"].interval(share_of(0.9, 1000)) == "90.00 % (87.98 to 91.71)"
    assert METRICS["val_accuracy"].number(0.9) == "90.00"


def test_a_faded_color_keeps_its_hue() -> None:
    assert faded(PALETTE[0], 0.2) == "rgba(0, 114, 178, 0.2)"
