from collections.abc import Callable

import numpy as np
import optuna
import pytest

from lenet_search.look.intervals import share_of
from lenet_search.results.best import complete_trials
from lenet_search.results.importance import importance
from lenet_search.results.verdict import quick_of, verdict
from tests.results.conftest import drawn, trial_of

Make = Callable[..., optuna.Study]


def made(values: list[float], **fixed: object) -> optuna.Study:
    """A study whose trials have these values, in this order."""
    study = optuna.create_study(study_name="made", direction="maximize")
    rng = np.random.default_rng(0)
    for number, value in enumerate(values):
        study.add_trial(trial_of(drawn(rng), value, number, **fixed))
    return study


def test_the_first_sentence_is_the_best_value_with_interval_and_n() -> None:
    first, *_ = verdict(made([0.5, 0.6, 0.55]))
    assert first == (
        "Trial 1, the best of 3 complete trials, has a validation accuracy of 60.00 % "
        f"(95 % interval {share_of(0.6, 5000).bounds()}) on 5,000 images."
    )


def test_the_second_compares_it_with_the_first_trial_and_the_median() -> None:
    assert verdict(made([0.5, 0.6, 0.55]))[1] == (
        "The first one (trial 0) reaches 50.00 %, 10.00 points worse; the median is 55.00 %, 5.00 points worse."
    )
    assert verdict(made([0.6, 0.6, 0.5]))[1] == "None beats the first; the median is 60.00 %, as good."
    assert verdict(made([0.6, 0.5]))[1] == "None beats the first; the median is 55.00 %, 5.00 points worse."


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([0.6, 0.5], "No other trials lie within the best one's interval."),
        ([0.6, 0.5, 0.595], "1 other trial lies within the best one's interval."),
        ([0.6, 0.6, 0.59, 0.595, 0.5], "3 other trials lie within the best one's interval."),
    ],
)
def test_it_counts_the_trials_that_cannot_be_told_from_the_best(values: list[float], sentence: str) -> None:
    low = share_of(0.6, 5000).low
    assert low is not None and 0.5 < low < 0.59
    assert sentence in verdict(made(values))


@pytest.mark.parametrize("trials", [2, 40])
def test_it_says_what_mattered_in_the_words_of_the_picture(made_study: Make, trials: int) -> None:
    study = made_study(trials, pruned=False)
    assert importance(study).verdict in verdict(study)


@pytest.mark.parametrize("n", [1, 30])
def test_it_says_that_the_best_value_is_optimistic(made_study: Make, n: int) -> None:
    assert verdict(made_study(n))[-1].startswith("The best value is optimistic")


def test_a_loss_has_no_interval_and_less_is_better(made_study: Make) -> None:
    study = made_study(30, direction="minimize")
    best = complete_trials(study)[0]
    first, second, *_ = verdict(study)
    assert first.endswith(f"has a validation cross-entropy of {best.value:.4f} nats on 5,000 images.")
    assert "worse" in second and "points" not in second


def test_without_a_complete_trial_there_is_no_verdict(made_study: Make) -> None:
    assert verdict(made_study(0)) == ["No trial is complete yet."]


def test_a_study_on_a_part_of_the_images_is_quick(made_study: Make) -> None:
    assert not quick_of(made_study(3))
    assert not quick_of(made_study(0))
    quick = quick_of(made([0.5], **{"data.limit": 20_000}))
    assert (quick.mark, quick.why) == ("quick", "only the first 20,000 training images were used")
