import itertools
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from lenet_search.results.expected_best import (
    ExpectedBest,
    chance_to_be_best,
    expected_best,
    random_trials,
    since_best,
)
from lenet_search.results.expected_best_figure import expected_best_figure
from lenet_search.storage import DEFINITION
from lenet_search.study import read
from tests.results.conftest import START, drawn, trial_of

Make = Callable[..., optuna.Study]


def sampled(study: optuna.Study, sampler: str) -> optuna.Study:
    study.set_user_attr(DEFINITION, read("cifar").lines() | {"study.sampler": sampler})
    return study


def test_the_expected_best_is_the_mean_over_all_subsets() -> None:
    values = np.array([0.1, 0.4, 0.45, 0.7, 0.9])
    for n in range(1, 6):
        subsets = [max(subset) for subset in itertools.combinations(values, n)]
        assert chance_to_be_best(5)[n - 1] @ values == pytest.approx(np.mean(subsets))


def test_thousands_of_trials_do_not_overflow() -> None:
    weights = chance_to_be_best(3000)
    assert weights.sum(axis=1) == pytest.approx(np.ones(3000))


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_curve_runs_from_the_mean_to_the_best_inside_its_band(made_study: Make, direction: str) -> None:
    study = sampled(made_study(60, direction=direction, pruned=False), '{ kind = "RandomSampler" }')
    found = expected_best(study)
    assert isinstance(found, ExpectedBest)
    values = [trial.value for trial in study.trials]
    assert found.mean[0] == pytest.approx(np.mean(values))
    assert found.mean[-1] == pytest.approx(study.best_value)
    assert np.all(np.diff(found.mean) * (1 if direction == "maximize" else -1) > 0)
    assert np.all((found.low <= found.mean + 1e-12) & (found.mean <= found.high + 1e-12))


def test_the_estimate_has_no_bias() -> None:
    """The best of 10 uniform draws is 10/11 on average; the estimates come from 30 draws."""
    rng, weights = np.random.default_rng(0), chance_to_be_best(30)[9]
    found = np.sort(rng.random((4000, 30)), axis=1) @ weights
    assert abs(found.mean() - 10 / 11) < 4 * found.std() / 4000**0.5


def test_trials_of_tpe_are_random_until_it_has_seen_enough(made_study: Make) -> None:
    """Each trial starts a minute after the one before and takes 50 seconds; two more were asked for at the start."""
    study = sampled(made_study(30, pruned=False), '{ kind = "TPESampler", n_startup_trials = 4 }')
    assert [trial.number for trial in random_trials(study)] == [0, 1, 2, 3]
    early = trial_of(drawn(np.random.default_rng(5)), 0.5, 30)
    early.datetime_start = START
    study.add_trial(early)
    assert [trial.number for trial in random_trials(study)] == [0, 1, 2, 3, 30]


def test_start_trials_and_other_samplers_are_not_random(made_study: Make) -> None:
    study = sampled(made_study(12, pruned=False), '{ kind = "RandomSampler" }')
    queued = trial_of(drawn(np.random.default_rng(5)), 0.5, 12)
    queued.system_attrs["fixed_params"] = {}
    study.add_trial(queued)
    assert len(random_trials(study)) == 12
    assert random_trials(sampled(study, '{ kind = "QMCSampler" }')) == []


def test_without_random_trials_a_sentence_says_so(made_study: Make) -> None:
    study = sampled(made_study(30), '{ kind = "GPSampler" }')
    assert expected_best(study) == "The expected best requires at least 5 trials drawn at random; none was."
    assert expected_best_figure(study).layout.annotations[0].text == expected_best(study)


def test_the_figure_shows_curve_band_and_search(made_study: Make) -> None:
    figure = expected_best_figure(sampled(made_study(30), '{ kind = "RandomSampler" }'))
    assert [trace.name for trace in figure.data] == [
        "90 % band",
        "best of n random trials, on average",
        "this search",
    ]


def test_trials_are_counted_from_the_end_of_the_best_one(made_study: Make) -> None:
    def trial(value: float, number: int, end: float) -> FrozenTrial:
        made = trial_of(drawn(np.random.default_rng(number)), value, number)
        made.datetime_complete = START + timedelta(minutes=end)
        return made

    study = made_study(0)
    study.add_trials([trial(0.5, 0, 9.0), trial(0.7, 1, 5.0), trial(0.6, 2, 4.0), trial(0.6, 3, 12.0)])
    assert since_best(study) == 2
    pruned = trial_of(drawn(np.random.default_rng(4)), 0.5, 20, TrialState.PRUNED)
    study.add_trial(pruned)
    assert since_best(study) == 3
