"""A study whose trials have several seeds: means, intervals and what they are worth."""

import math

import numpy as np
import optuna
import pytest

from lenet_search.look.intervals import mean_of
from lenet_search.results.best import estimate_of, top_rows
from lenet_search.results.chosen import headline
from lenet_search.results.curves import curves_table
from lenet_search.results.figures import history_figure
from lenet_search.results.optimism import shrunk_values
from lenet_search.results.pruning import pruning
from lenet_search.results.report.trials_table import trials_table
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


def test_plots_and_tables_show_the_intervals_over_seeds(study: optuna.Study) -> None:
    figure = history_figure(study)
    assert "95 % intervals, over seeds" in figure.layout.title.subtitle.text
    (complete,) = [trace for trace in figure.data if trace.name == "complete"]
    interval = estimate_of(study, study.trials[4])
    assert complete.error_y.array[4] == pytest.approx(100 * (interval.high - interval.value))
    assert f">{interval.bounds()}<" in trials_table(study)[0]
    assert len(curves_table(study, top=1).splitlines()) == 1 + 3 * 8


def test_epochs_are_counted_over_all_seeds(study: optuna.Study) -> None:
    found = pruning(study)
    assert (found.ended, found.epochs, found.planned) == (5, 5 * 3 * 8, 5 * 3 * 8)
