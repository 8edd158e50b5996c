from typing import Any

import pytest

from lenet_search.look.waterfall import ablation_figure, cells, difference_text


def ablated(metric: str, *, path: bool) -> dict[str, Any]:
    """Two choices: one brings 0.03, one harms by 0.01."""
    better = 1.0 if metric == "val_accuracy" else -1.0
    steps = [
        {"choice": "augment.shift", "before": {"augment.shift": 0}, "after": {"augment.shift": 2}, "n": 8,
         "mean": 0.03, "low": 0.02, "high": 0.04, "verdict": "helps"},
        {"choice": "model.batch_norm", "before": {"model.batch_norm": False}, "after": {"model.batch_norm": True},
         "n": 8, "mean": -0.01, "low": -0.02, "high": 0.0, "verdict": "harms"},
    ]  # fmt: skip
    ends = {"n": 8, "low": None, "high": None, "over": "seeds"}
    return {
        "study": "mine", "metric": metric, "path": path, "steps": steps, "verdict": "augment.shift helps.",
        "reference": ends | {"mean": 0.5}, "winner": ends | {"mean": 0.5 + better * 0.02},
    }  # fmt: skip


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
def test_a_waterfall_ends_at_the_winner_whichever_way_is_better(metric: str) -> None:
    found = ablated(metric, path=True)
    (bars,) = ablation_figure(found).data
    factor = 100 if metric == "val_accuracy" else 1
    assert bars.base[0] == pytest.approx(factor * 0.5)
    assert bars.base[-1] + bars.x[-1] == pytest.approx(factor * found["winner"]["mean"])


def test_bars_start_at_zero_and_better_is_to_the_right() -> None:
    (bars,) = ablation_figure(ablated("val_loss", path=False)).data
    assert list(bars.base) == [0.0, 0.0]
    assert list(bars.x) == pytest.approx([0.03, -0.01])


def test_a_path_has_a_title_of_its_own_so_that_a_page_can_show_both() -> None:
    titles = {ablation_figure(ablated("val_loss", path=path)).layout.title.text for path in (False, True)}
    assert titles == {"What each choice brings: mine", "One choice after the other: mine"}


def test_a_difference_is_in_points_or_nats_and_a_dash_without_pairs() -> None:
    step = ablated("val_loss", path=False)["steps"][0]
    assert difference_text(step, "val_accuracy") == "+3.00 (+2.00 to +4.00)"
    assert difference_text(step, "val_loss") == "+0.0300 (+0.0200 to +0.0400)"
    assert difference_text({"mean": None, "low": None, "high": None}, "val_loss") == "-"


def test_the_table_has_the_values_before_and_after() -> None:
    assert [row[0] for row in cells(ablated("val_accuracy", path=False))] == [
        "augment.shift: 0 \N{RIGHTWARDS ARROW} 2",
        "model.batch_norm: false \N{RIGHTWARDS ARROW} true",
    ]
