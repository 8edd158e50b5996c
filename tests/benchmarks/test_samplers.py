"""How searches with different samplers and pruners are compared."""

from types import SimpleNamespace

import pytest
import samplers
from optuna.trial import TrialState

from lenet_search import Study
from lenet_search.errors import StudyFileError


def trial(value, epochs, ended):
    return SimpleNamespace(
        value=value,
        epochs=epochs,
        datetime_complete=ended,
        state=TrialState.PRUNED if value is None else TrialState.COMPLETE,
    )


@pytest.fixture
def search(monkeypatch):
    """A search of these trials, to maximize."""
    monkeypatch.setattr(samplers, "carries_run", lambda trial: True)
    monkeypatch.setattr(samplers, "epochs_of", lambda trial: trial.epochs)
    monkeypatch.setattr(samplers, "is_better", lambda study, value, other: value > other)
    return lambda *trials: SimpleNamespace(study_name="tpe-0", get_trials=lambda deepcopy, states: list(trials))


def test_the_best_so_far_counts_all_epochs_trained_before_pruned_ones_too(search):
    found = search(trial(0.5, 10, 1), trial(None, 3, 2), trial(0.4, 10, 3), trial(0.7, 10, 5), trial(None, 2, 4))
    steps, trials, best = samplers.within(found, 100)
    assert steps == [(10, 0.5), (35, 0.7)] and trials == 5 and best.value == 0.7
    assert [samplers.at(steps, epochs) for epochs in (9, 10, 34, 35, 99)] == [None, 0.5, 0.5, 0.7, 0.7]


def test_what_ends_after_the_budget_does_not_count(search):
    found = search(trial(0.5, 10, 1), trial(0.9, 10, 2))
    steps, trials, best = samplers.within(found, 19)
    assert steps == [(10, 0.5)] and trials == 1 and best.value == 0.5
    with pytest.raises(SystemExit, match="no trial is complete after 9 epochs"):
        samplers.within(found, 9)


def test_methods_are_compared_in_pairs_of_searches_from_the_same_seed():
    worth = {"a": {0: 0.5, 1: 0.6, 2: 0.7}, "b": {0: 0.49, 1: 0.59, 2: 0.691}, "c": {0: 0.7, 1: 0.5, 2: 0.6}}
    pairs = samplers.compared(worth, maximize=True)
    one, other, difference, p = pairs[0]
    assert (one, other, difference.n) == ("a", "b", 3)
    assert difference.mean == pytest.approx(0.029 / 3) and p < 0.05
    assert {(one, other) for one, other, *_ in pairs} == {("a", "b"), ("a", "c"), ("b", "c")}
    assert samplers.compared(worth, maximize=False)[0][2].mean == pytest.approx(-0.029 / 3)
    assert "| a - b | +0.97 (" in samplers.pairs_table(pairs, 3, "val_accuracy")
    assert "difference (95 %" in samplers.pairs_table(pairs, 3, "val_loss")
    assert "| a - b | +0.0097 (" in samplers.pairs_table(pairs, 3, "val_loss")


@pytest.mark.parametrize("method", sorted(samplers.METHODS.keys() - {"auto"}))  # which downloads a package
def test_every_method_is_legal_in_the_study_that_ships_or_says_what_it_lacks(method):
    overrides = [f"study.{text}" for text in samplers.METHODS[method]]
    try:
        study = Study.read("digits", overrides)
    except StudyFileError as error:
        assert "the package" in str(error)
    else:
        assert study.definition.seeds.most == (2 if method == "wilcoxon" else 1)


def test_every_search_begins_without_the_starts_of_the_study(tmp_path):
    options = SimpleNamespace(study="digits", set=["train.epochs=2"], folder=tmp_path)
    one, other = (samplers.study_of(options, "random", seed).definition for seed in (0, 1))
    assert one.first == other.first == () and (one.seed, other.seed) == (0, 1)


def test_only_the_portfolio_starts_from_recipes(tmp_path):
    options = SimpleNamespace(study="digits", set=[], folder=tmp_path)
    starts = {method: len(samplers.study_of(options, method, 0).definition.first) for method in ("tpe", "portfolio")}
    assert starts == {"tpe": 0, "portfolio": 8}


def test_samplers_and_pruners_are_drawn_beside_each_other_with_plain_tpe_in_both():
    steps = {method: [[(10, 0.5), (60, 0.6)]] * 2 for method in ("median", "tpe", "random")}
    sides = samplers.panels([*steps, "portfolio"])
    assert list(sides.values()) == [["tpe", "random"], ["tpe", "median"], ["tpe", "portfolio"]]
    assert list(samplers.panels(["random"]).values()) == [["random"]]
    drawn = samplers.figure(steps, 100, "val_accuracy")
    lines = [(line.name, line.xaxis, line.y[0], line.y[-1]) for line in drawn.data if line.name]
    assert lines == [
        (name, axis, 50.0, 60.0) for name, axis in (("tpe", "x"), ("random", "x"), ("tpe", "x2"), ("median", "x2"))
    ]
    assert samplers.mean_by_level(steps["tpe"], 100, share=True)[0][0] == 10
