"""A study whose trials have several seeds: means, intervals and what they are worth."""

import math

import numpy as np
import optuna
import pytest

from lenet_search.look.intervals import mean_of
from lenet_search.results.best import estimate_of, top_rows
from lenet_search.results.chosen import headline
from lenet_search.results.optimism import shrunk_values
from lenet_search.results.verdict import verdict
from lenet_search.run import Curve
from lenet_search.storage.trials import attributes_of, run_of, runs_of
from tests.results.conftest import IMAGES, drawn, trial_of

VALUES = [[0.60, 0.62, 0.61], [0.64, 0.60, 0.62], [0.55, 0.56, 0.57], [0.58, 0.60, 0.59], [0.66, 0.64, 0.65]]


@pytest.fixture
def study() -> optuna.Study:
    study, rng = optuna.create_study(study_name="seeds", direction="maximize"), np.random.default_rng(0)
    for number, values in enumerate(VALUES):
        trial = trial_of(drawn(rng), float(np.mean(values)), number)
        base = run_of(trial)
        runs = []
        for seed, value in enumerate(values):
            run = run_of(trial)
            run.seed, run.curve = seed, Curve.from_json(base.curve.to_json())
            run.curve["val_accuracy"][-1] = value
            runs.append(run)
        for name, value in attributes_of(*runs).items():
            trial.set_user_attr(name, value)
        study.add_trial(trial)
    return study


def test_a_trial_gives_back_all_of_its_runs(study: optuna.Study) -> None:
    runs = runs_of(study.trials[1])
    assert [run.seed for run in runs] == [0, 1, 2]
    assert [run.curve["val_accuracy"][-1] for run in runs] == VALUES[1]
    assert all(run.recipe == runs[0].recipe and run.images == IMAGES for run in runs)


def test_the_interval_of_a_trial_is_over_its_seeds(study: optuna.Study) -> None:
    found = estimate_of(study, study.trials[4])
    assert found == mean_of(VALUES[4], share=True, grain=1 / 5000)
    assert (found.n, found.over) == (3, "seeds")
    assert top_rows(study, 1)[0].seconds == pytest.approx(3 * 61.5)


def test_sentences_speak_of_seeds(study: optuna.Study) -> None:
    assert "mean of 3 seeds" in headline(study, study.trials[4])
    assert "over 3 seeds" in verdict(study)[0]


def test_the_spread_between_seeds_shrinks_the_values_more_than_the_images_alone(study: optuna.Study) -> None:
    alone = optuna.create_study(direction="maximize")
    rng = np.random.default_rng(0)
    for number, values in enumerate(VALUES):
        alone.add_trial(trial_of(drawn(rng), float(np.mean(values)), number))
    best = float(np.mean(VALUES[4]))
    both = shrunk_values(study)[4]
    assert both < shrunk_values(alone)[4] < best
    assert not math.isnan(both)
