"""On a narrow terminal, tables lose nothing: no number or name is cut, and no column."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from calls import call, store, write_study
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text
from test_replay import with_curves

from lenet_search.cli import ablate, confirm
from lenet_search.cli.terminal import console, show, table
from lenet_search.look.waterfall import cells
from tests.experiments import test_ablate, test_confirm

WORDS = st.text("abcdefgh", min_size=1, max_size=16)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)
WIDTHS = pytest.mark.parametrize("width", [80, 60])


def told(text: str) -> str:
    """The text without its line breaks and columns."""
    return " ".join(text.split())


@given(st.data(), st.integers(40, 140), st.lists(st.sampled_from(["right", "whole", "text"]), min_size=1, max_size=9))
def test_whole_cells_are_whole_and_every_word_is_there_and_no_line_is_too_long(data, width, kinds):
    heads = [f"{kind}-{k}" for k, kind in enumerate(kinds)]
    kept = {kind: tuple(head for head in heads if head.startswith(kind)) for kind in ("right", "whole")}
    rows = data.draw(
        st.lists(st.tuples(*(TEXTS if kind == "text" else WORDS for kind in kinds)), min_size=1, max_size=4)
    )
    made = table(*heads, **kept)
    for row in rows:
        made.add_row(*map(Text, row))
    out = Console(width=width, record=True, file=io.StringIO())
    show(out, "Title", made)
    lines = out.export_text().splitlines()
    assert max(map(len, lines)) <= width
    words = [word for line in lines for word in re.sub(r"[\w-]+:", "", line).split()]
    for cell in (cell for row in rows for cell in row):
        assert all(word in words for word in cell.split())
    assert all(head in " ".join(lines) for head in heads)


def printed(printing: Callable[[Console], None], width: int) -> str:
    out = console()
    out.width = width
    with out.capture() as captured:
        printing(out)
    return captured.get()


@WIDTHS
@pytest.mark.parametrize("confirmed", [False, True])
def test_best_has_every_column(width, confirmed, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    store(write_study(Path("mine.toml")), values=tuple(0.6 + 0.01 * k for k in range(12)))
    if confirmed:
        means = {k: "71.23 % (70.11 to 72.00)\nn = 8: winner" for k in range(12)}
        monkeypatch.setattr("lenet_search.results.chosen.confirmed_means", lambda study: means)
    shown = call("best").stdout
    assert max(map(len, shown.split("To export")[0].splitlines())) <= width
    for whole in ("rank", "trial", "shrunk", "seconds", "searched hyperparameters", "71.00 % (", "learning_rate 0."):
        assert whole in told(shown)
    assert re.search(r"(?m)^ *10 +2 ", shown)  # rank and trial
    assert ("71.23 % (70.11 to 72.00)" in shown) == confirmed
    for whole in ("optimizer.adam.learning_rate", "augment.shift", "PED-ANOVA", "fANOVA"):
        assert whole in shown


@WIDTHS
def test_replay_names_every_pruner_and_figure(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    with_curves()
    shown = call("replay").stdout
    for whole in ("PercentilePruner", "percentile 25.0", "SuccessiveHalvingPruner", "regret: 0.00 points", "0 of 6"):
        assert whole in told(shown)


@WIDTHS
def test_check_and_reproduce_leave_text_readable(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    checked, listed = call("check", "cifar").stdout, call("reproduce", "--list").stdout
    assert "use only the first n training images" in checked
    assert "optimizer.sgd.learning_rate" in checked
    assert "LeNet-5 on MNIST, 28x28 without padding" in listed
    assert re.search(r"lenet-basic +98.91 % +mnist +15 +0 of 5", listed)


@WIDTHS
def test_confirm_and_ablate_keep_verdicts_and_intervals(width, tmp_path):
    race = test_confirm.race(tmp_path / "race", trial_0=0.90, trial_1=0.95, reference=0.85)
    shown = printed(lambda out: confirm.conclude(race, out), width)
    for row in race.rows:
        assert row.finalist.name in shown and str(row.mean) in shown
        assert race.behind(row) in told(shown) and row.standing.state.value in told(shown)
    found = test_ablate.made(tmp_path / "ablation")
    shown = printed(lambda out: ablate._conclude(found, [], out), width)
    for step, (words, *_) in zip(found.steps, cells(found.summary()), strict=True):
        assert all(word in shown for word in words.split())
        assert f"{100 * (step.brings.low or 0):+.2f} to {100 * (step.brings.high or 0):+.2f}" in shown
