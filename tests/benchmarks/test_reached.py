"""How soon a search is good, as seen from outside."""

import math
import subprocess
import sys
from argparse import Namespace

import pytest
import reached
from measure.journal import Seen

from lenet_search.study.portfolio import FILE

SEEN = [
    Seen(10.0, 0, 0.40, complete=False),
    Seen(20.0, 1, math.nan, complete=False),
    Seen(30.0, 0, 0.60, complete=False),
    Seen(31.0, 0, 0.60, complete=True),
    Seen(40.0, 1, 0.70, complete=False),
    Seen(50.0, 2, 0.65, complete=True),
]


@pytest.mark.parametrize(
    ("criterion", "steps"),
    [("any epoch", [(10.0, 0.40), (30.0, 0.60), (40.0, 0.70)]), ("complete", [(31.0, 0.60), (50.0, 0.65)])],
)
def test_the_best_so_far_is_of_any_epoch_or_of_complete_trials(criterion, steps):
    assert reached.best_by_time(SEEN, criterion, maximize=True) == steps


def test_a_loss_becomes_better_as_it_falls():
    steps = reached.best_by_time(SEEN[::-1], "complete", maximize=False)
    assert [value for _, value in steps] == [0.65, 0.60]
    assert reached.reached([(5.0, 0.65), (9.0, 0.60)], 0.61, maximize=False) == 9.0


def test_a_target_is_reached_when_it_is_met_and_never_by_a_search_that_stays_below():
    steps = [(10.0, 0.4), (30.0, 0.6)]
    assert [reached.reached(steps, target, maximize=True) for target in (0.3, 0.6, 0.61)] == [10.0, 30.0, math.inf]
    assert [reached.at(steps, seconds) for seconds in (9.9, 10.0, 29.0, 99.0)] == [None, 0.4, 0.4, 0.6]


def test_the_median_search_stands_in_the_table_and_one_that_never_got_there_is_the_latest():
    found = {reached.Way("ours", 3, 15.0): [[(60.0, 0.7)], [(120.0, 0.7)], [(30.0, 0.5)]]}
    table = reached.table(found, 0.7, "val_accuracy", maximize=True)
    assert (
        "| 2.0 min (1.0 min to never) | - | 70.00 % (50.00 % to 70.00 %) |" in table
    )  # after a minute, one had nothing
    assert reached.spread([0.1, 0.4], lambda value: f"{value:.2f}") == "0.25 (0.10 to 0.40)"


def test_the_way_with_another_portfolio_tries_the_recipes_of_that_file(tmp_path):
    other = tmp_path / "other.toml"
    kinds = "optimizer.kind = 'adam'\nschedule.kind = 'constant'\n"
    other.write_text("".join(f"[[recipe]]\nregularize.dropout = {n / 32}\n{kinds}" for n in range(1, 9)))
    options = Namespace(study="digits", overrides=[], data=None, portfolio=other)
    (line,) = reached.commands(options, "portfolio", 0, tmp_path)
    program = line[: line.index("run")]
    assert program[-1] == str(other)
    asked = "from lenet_search.study import read; print(read('digits', overrides=['study.portfolio=8']).first)"
    code = reached.OTHER_PORTFOLIO.replace("from lenet_search.__main__ import main\nmain()", asked)
    first = subprocess.run([sys.executable, "-c", code, str(other)], capture_output=True, text=True, check=True).stdout
    assert first.index("'regularize.dropout': 0.03125") < first.index("'regularize.dropout': 0.25")


def test_what_a_search_has_after_its_end_is_not_known():
    assert reached.at([(10.0, 0.4)], 61.0, end=60.0) is None
    assert reached.length_of("ordinary:1:15", 3, 4.0) == ("ordinary", 1, 15.0)
    assert reached.length_of("portfolio:5", 3, 4.0) == ("portfolio", 5, 4.0)
    with pytest.raises(ValueError, match="there is no way 'mine'"):
        reached.length_of("mine", 3, 4.0)


def test_every_way_searches_the_same_study_in_the_same_images(tmp_path):
    options = Namespace(
        study="cifar", overrides=["train.epochs=2"], data=tmp_path, portfolio=FILE, minutes=1.0, turns=1
    )
    for way in (*reached.OURS, "ordinary", "ordinary_parallel"):
        for line in reached.commands(options, way, 3, tmp_path):
            given = " ".join(line)
            assert "train.epochs=2" in given and "study.seed=3" in given and f"--data {tmp_path}" in given
            assert "cifar.toml" in line[line.index("--study") + 1]
