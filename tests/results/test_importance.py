import json
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from lenet_search.results import importance as module
from lenet_search.results.best import complete_trials
from lenet_search.results.importance import importance
from lenet_search.results.importance_figure import importance_figure
from lenet_search.results.ped_anova import columns_of, divergences
from tests.results.conftest import drawn, trial_of

Make = Callable[..., optuna.Study]


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_shares_without_resampling_are_those_of_optunas_ped_anova(made_study: Make, direction: str) -> None:
    study = made_study(80, direction=direction)
    optunas = optuna.importance.get_param_importances(study)
    ours = {row.path: row.share for row in importance(study).rows}
    assert ours == pytest.approx(optunas, rel=1e-9)


def test_a_trial_of_weight_two_counts_as_two_trials(made_study: Make) -> None:
    trials = complete_trials(made_study(60))
    losses = np.array([-float(trial.value or 0.0) for trial in trials])
    weights = np.arange(len(trials)) % 3
    twice = [trial for trial, weight in zip(trials, weights, strict=True) for _ in range(weight)]
    repeated = divergences(columns_of(twice), np.repeat(losses, weights), np.ones((1, len(twice))))
    weighted = divergences(columns_of(trials), losses, weights[None].astype(float))
    assert weighted == pytest.approx(repeated)


def test_each_share_lies_in_its_interval_and_all_add_up_to_one(made_study: Make) -> None:
    rows = importance(made_study(100)).rows
    assert sum(row.share for row in rows) == pytest.approx(1.0)
    assert all(0.0 <= row.low <= row.share <= row.high <= 1.0 for row in rows)


def test_all_draws_of_the_bootstrap_are_computed_together(made_study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []

    def counted(columns, losses, weights):
        passes.append(weights.shape)
        return divergences(columns, losses, weights)

    monkeypatch.setattr(module, "divergences", counted)
    importance(made_study(100, pruned=False))
    assert passes == [(1, 100), (200, 100)]


def test_importance_is_computed_once_until_a_trial_ends(made_study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    study, calls = made_study(30), []
    monkeypatch.setattr(module, "_fanova", lambda *_: calls.append(1) or {})
    importance(study)
    importance_figure(study)
    assert len(calls) == 1
    study.add_trial(study.trials[0])
    importance(study)
    assert len(calls) == 2


def test_the_hyperparameter_that_decides_is_named_and_comes_first(made_study: Make) -> None:
    found = importance(made_study(150, pruned=False))
    assert found.rows[0].path.endswith("learning_rate")
    assert found.rows[0].named
    assert found.rows[0].path in found.verdict


def test_a_verdict_on_chance_says_that_there_are_too_few_trials(made_study: Make) -> None:
    study, rng = made_study(0), np.random.default_rng(1)
    for number in range(40):
        study.add_trial(trial_of(drawn(rng), round(0.6 + 0.01 * rng.standard_normal(), 4), number))
    found = importance(study)
    assert found.verdict == "Too few trials to say which hyperparameter matters (40 complete)."
    assert found.rows and not any(row.named for row in found.rows)


def test_a_verdict_says_no_more_than_the_trials_show() -> None:
    assert module._verdict(["a"], 3, 9) == "a matters; too few trials to say more (9 complete)."
    assert module._verdict(["a", "b"], 3, 9) == "a and b matter; too few trials to say more (9 complete)."
    assert module._verdict(["a", "b", "c"], 3, 9) == "a, b and c matter."


def test_fanova_covers_the_hyperparameters_that_all_trials_have(made_study: Make) -> None:
    forest = {row.path: row.fanova for row in importance(made_study(40)).rows}
    assert forest["optimizer.kind"] is not None
    assert forest["optimizer.sgd.learning_rate"] is None


def test_json_has_shares_intervals_method_and_verdict(made_study: Make) -> None:
    content = json.loads(json.dumps(importance(made_study(40)).to_json()))
    assert {"verdict", "named", "method", "interval", "trials", "hyperparameters"} == set(content)
    assert {"path", "share", "low", "high", "fanova", "named"} == set(content["hyperparameters"][0])


def test_too_few_trials_give_no_importance_but_a_reason(made_study: Make) -> None:
    found = importance(made_study(9, pruned=False))
    assert (found.rows, found.verdict) == ((), "Importance requires at least 10 complete trials; there are 9.")


def test_trials_of_one_value_give_no_importance_but_a_reason(made_study: Make) -> None:
    study = made_study(0)
    rng = np.random.default_rng(0)
    for number in range(12):
        study.add_trial(trial_of(drawn(rng), 0.5, number))
    found = importance(study)
    assert found.rows == ()
    assert "all complete trials have the same value" in found.verdict


def test_a_single_searched_hyperparameter_gives_no_importance_but_a_reason(made_study: Make) -> None:
    study = made_study(0)
    for number in range(12):
        study.add_trial(trial_of({"regularize.dropout": 0.01 * number}, 0.5 + 0.01 * number, number))
    found = importance(study)
    assert found.rows == ()
    assert "at least two searched hyperparameters" in found.verdict


def test_bars_are_percentages_with_intervals_and_what_is_named_on_top(made_study: Make) -> None:
    study = made_study(150, pruned=False)
    found, bars = importance(study), importance_figure(study).data[0]
    assert sum(bars.x) == pytest.approx(100.0)
    assert bars.y[-1] == found.rows[0].path  # plotly draws from the bottom up
    assert bars.marker.color[-1] != bars.marker.color[0]
    row, last = found.rows[0], len(bars.x) - 1
    assert bars.x[last] + bars.error_x.array[last] == pytest.approx(100 * row.high)
    assert bars.x[last] - bars.error_x.arrayminus[last] == pytest.approx(100 * row.low)
    assert found.verdict in importance_figure(study).layout.title.subtitle.text


def test_pruned_trials_count_in_the_verdict_below_all_complete_ones(made_study: Make) -> None:
    from lenet_search.results.rank_test import scores

    study = made_study(30)
    ranks = scores(study.trials, study.direction)
    state = np.array([trial.state == TrialState.PRUNED for trial in study.trials])
    assert ranks[state].max() < ranks[~state].min()
    assert ranks[study.best_trial.number] == ranks.max()


def test_a_parameter_that_is_too_large_for_the_forest_leaves_out_fanova():
    study = optuna.create_study()
    wide = optuna.distributions.FloatDistribution(-1e308, 1e307)
    narrow = optuna.distributions.FloatDistribution(0, 1)
    for number in range(12):
        study.add_trial(
            optuna.create_trial(
                value=number / 12,
                params={"a": -1e308 if number % 2 else 1e307, "b": number / 12},
                distributions={"a": wide, "b": narrow},
                user_attrs={"recipe": {}, "curve": {}},
            )
        )
    rows = importance(study).rows
    assert {row.path for row in rows} == {"a", "b"}
    assert all(row.fanova is None for row in rows)
