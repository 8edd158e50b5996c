import math

import pytest

from lenet_search.experiments import Course, Training, train
from lenet_search.recipe import Recipe
from lenet_search.storage import CURVES

QUICK = {"data.name": "digits", "data.limit": 300, "train.epochs": 2, "train.batch_size": 50}


@pytest.fixture(scope="module")
def three() -> Training:
    return train(Recipe.from_values(QUICK | {"optimizer.kind": "adam"}), seeds=3, first_seed=7, slots=2)


def test_every_seed_runs_all_epochs_whatever_the_number_of_slots(three):
    assert [course.seed for course in three.courses] == [7, 8, 9]
    for course in three.courses:
        assert {name: len(course.curve[name]) for name in CURVES} == dict.fromkeys(CURVES, 2)


def test_seeds_of_a_later_round_begin_at_a_later_clock(three):
    assert [course.clock for course in three.courses] == [0, 0, 2]


def test_seeds_differ_in_what_they_give(three):
    assert len({tuple(course.curve["val_loss"]) for course in three.courses}) == 3


def test_the_weights_are_the_first_seed_s_not_the_best_one_s(three):
    assert three.kept == 7
    assert three.weights is not None


def test_a_seed_gives_the_same_course_again(three):
    again = train(three.recipe, seeds=2, first_seed=7, slots=2)
    for before, after in zip(three.courses, again.courses, strict=False):
        assert after.curve == before.curve


def test_progress_is_told_after_every_epoch_of_the_stack():
    told: list[tuple[int, int]] = []
    recipe = Recipe.from_values(QUICK)
    train(recipe, seeds=3, slots=2, on_epoch=lambda courses, epochs: told.append((len(courses), epochs)))
    assert told == [(2, 2), (2, 4), (3, 5), (3, 6)]


def test_a_run_that_diverges_ends_early_and_is_left_out_of_the_mean():
    recipe = Recipe.from_values(QUICK | {"optimizer.kind": "sgd", "optimizer.sgd.learning_rate": 10.0,
                                         "model.activation": "relu", "regularize.l2": 1.0})  # fmt: skip
    gone = train(recipe, seeds=2)
    assert all(course.diverged for course in gone.courses)
    assert gone.mean("val_accuracy") == {"n": 0, "mean": None, "low": None, "high": None}
    assert gone.weights is None


def course(seed: int, accuracy: float) -> Course:
    return Course(seed, 0, {name: [accuracy] for name in CURVES})


def of(*courses: Course) -> Training:
    return Training(Recipe(), courses, {}, "CPU", 1.0, None, None)


def test_the_mean_over_seeds_has_student_s_interval():
    found = of(course(0, 0.5), course(1, 0.6), course(2, 0.7)).mean("val_accuracy")
    half = 4.302652729911275 * 0.1 / math.sqrt(3)  # t for two degrees of freedom
    assert found["n"] == 3
    assert found["mean"] == pytest.approx(0.6)
    assert (found["low"], found["high"]) == (pytest.approx(0.6 - half), pytest.approx(0.6 + half))


def test_one_seed_alone_has_no_interval():
    assert of(course(0, 0.5)).mean("val_accuracy") == {"n": 1, "mean": 0.5, "low": None, "high": None}


def test_the_interval_of_an_accuracy_stays_below_one_that_of_a_loss_need_not():
    two = of(course(0, 0.9), course(1, 1.0))
    assert two.mean("val_accuracy")["high"] == 1.0
    assert two.mean("val_loss")["high"] > 1.0
