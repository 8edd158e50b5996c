from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from lenet_search.look.theme import axis_label, name_text
from lenet_search.recipe import FIELDS
from lenet_search.results.best import complete_trials, searched
from lenet_search.results.parallel import LETTERS, MOST_AXES, axes_to_choose, most_varied, parallel_figure
from tests.results.conftest import SPACE, drawn, trial_of

Make = Callable[..., optuna.Study]


def axis_of(study: optuna.Study, path: str) -> object:
    paths = list(searched(complete_trials(study)))
    return parallel_figure(study).data[0].dimensions[paths.index(path)]


def test_a_trial_without_a_hyperparameter_passes_below_its_range(made_study: Make) -> None:
    study = made_study(60)
    axis = axis_of(study, "optimizer.sgd.learning_rate")
    assert axis.ticktext[0] == "none"
    for trial, place in zip(complete_trials(study), axis.values, strict=True):
        rate = trial.params.get("optimizer.sgd.learning_rate")
        assert place == pytest.approx(axis.tickvals[0] if rate is None else np.log10(rate))


def test_the_last_axis_is_the_value(made_study: Make) -> None:
    study = made_study(60)
    (lines,) = parallel_figure(study).data
    assert list(lines.dimensions[-1]["values"]) == pytest.approx([100 * (t.value or 0) for t in complete_trials(study)])


def test_of_17_hyperparameters_the_ten_that_vary_most_are_visible(cifar_study: optuna.Study) -> None:
    *axes, value = parallel_figure(cifar_study).data[0].dimensions
    assert len(axes) == 17
    visible = [path for path, axis in zip(searched(complete_trials(cifar_study)), axes, strict=True) if axis.visible]
    assert visible == most_varied(complete_trials(cifar_study), MOST_AXES)
    assert len(visible) == 10
    assert value.visible is not False
    assert "the 10 of 17 hyperparameters that vary most" in parallel_figure(cifar_study).layout.title.subtitle.text


def test_the_axes_fit_a_page_of_1400_pixels(cifar_study: optuna.Study) -> None:
    inside = 1240 - 2 * 24 - 2 * (24 + 1)  # of `main`, less its padding and that of a section with its border
    assert parallel_figure(cifar_study).layout.meta["min_width"] <= inside


def test_the_others_can_be_chosen(cifar_study: optuna.Study) -> None:
    text = axes_to_choose(cifar_study)
    assert text.count('type="checkbox"') == 17
    assert text.count(" checked>") == 10
    for path in searched(complete_trials(cifar_study)):
        assert f"> {path}</label>" in text


def test_few_hyperparameters_need_no_choice(made_study: Make) -> None:
    study = made_study(0)
    study.add_trial(trial_of({"regularize.dropout": 0.1}, 0.5, 0))
    assert axes_to_choose(study) == ""


def test_what_has_one_value_varies_least_and_what_is_spread_evenly_most(made_study: Make) -> None:
    study = made_study(0)
    for number in range(40):
        params = {
            "model.activation": "relu",  # one value
            "model.initializer": ("he_normal", "lecun_normal")[number < 2],  # nearly one
            "regularize.dropout": number / 80,  # even
            "regularize.l2": 1e-8 * 1.2**number,  # in half of its range
            "augment.shift": number % 5,  # even
        }
        study.add_trial(trial_of(params, 0.5, number))
    trials = complete_trials(study)
    assert most_varied(trials, 2) == ["regularize.dropout", "augment.shift"]
    assert most_varied(trials, 3) == ["regularize.l2", "regularize.dropout", "augment.shift"]
    assert "model.activation" not in most_varied(trials, 4)


def test_a_range_counts_on_its_own_scale(made_study: Make) -> None:
    study = made_study(0)
    for number in range(30):
        params = {"regularize.l2": 10 ** (-8 + 6 * number / 29), "augment.flip": 0.5 * (number < 3)}
        study.add_trial(trial_of(params, 0.5, number))
    assert most_varied(complete_trials(study), 1) == ["regularize.l2"]


def test_a_branch_that_few_trials_took_varies_little(made_study: Make) -> None:
    study = made_study(0)
    rng = np.random.default_rng(0)
    for number in range(40):
        params = drawn(rng)
        while params["optimizer.kind"] != ("sgd" if number == 0 else "adam"):
            params = drawn(rng)
        study.add_trial(trial_of(params, 0.5, number))
    shown = most_varied(complete_trials(study), MOST_AXES)
    assert "optimizer.adam.learning_rate" in shown
    assert not {"optimizer.sgd.learning_rate", "optimizer.sgd.momentum"} & set(shown)


@pytest.mark.parametrize("path", FIELDS)
def test_every_hyperparameters_name_fits_its_axis(path: str) -> None:
    assert max(map(len, name_text(axis_label(path), LETTERS).split("<br>"))) <= LETTERS


@pytest.mark.parametrize(
    ("path", "spread"),
    [
        ("augment.cutout", IntDistribution(0, 12, step=4)),
        ("augment.shift", IntDistribution(0, 6)),
        ("augment.shift", IntDistribution(2, 2)),
        ("train.batch_size", IntDistribution(32, 512, step=32)),
        ("regularize.dropout", FloatDistribution(0.0, 0.5, step=0.1)),
    ],
)
def test_ticks_of_a_range_with_steps_are_values_that_a_trial_can_have(
    made_study: Make, path: str, spread: IntDistribution | FloatDistribution
) -> None:
    study = made_study(0)
    study.add_trial(trial_of({path: spread.low}, 0.5, 0, space={path: spread}))
    ticks = axis_of(study, path).tickvals
    assert 1 <= len(ticks) <= 6
    assert all(spread._contains(tick) for tick in ticks)


def test_the_space_of_the_made_up_study_has_choices_and_ranges() -> None:
    assert {type(spread) for spread in SPACE.values()} == {CategoricalDistribution, FloatDistribution, IntDistribution}
