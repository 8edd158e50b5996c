"""Schedules against Keras's own where it has them, else against their formula."""

import keras
import numpy as np
import pytest

from lenet_search.recipe.schedule import Constant, Cosine, Exponential, Linear, OneCycle, Piecewise, Schedule, Step

PER_EPOCH, EPOCHS = 10, 6
TOTAL = PER_EPOCH * EPOCHS


def factors(branch: object, epochs: int = EPOCHS) -> np.ndarray:
    """All factors of a run, asked for epoch by epoch as a stack does."""
    kind = next(name for name, each in Schedule.BRANCHES.items() if each is type(branch))
    schedule = Schedule(kind, branch)  # type: ignore[arg-type]
    parts = [schedule.factors(epoch * PER_EPOCH, PER_EPOCH, PER_EPOCH, epochs) for epoch in range(epochs)]
    return np.concatenate(parts)


def of_keras(schedule: keras.optimizers.schedules.LearningRateSchedule) -> np.ndarray:
    return np.array([float(schedule(step)) for step in range(TOTAL)])


def test_constant_stays() -> None:
    assert np.all(factors(Constant()) == 1.0)


def test_step_equals_keras_piecewise_constant_decay() -> None:
    # Keras changes after a boundary's step, this rule with the first step of an epoch.
    values = [1.0, 0.3, 0.09]
    expected = of_keras(keras.optimizers.schedules.PiecewiseConstantDecay([19, 39], values))
    np.testing.assert_allclose(factors(Step(every=2, factor=0.3)), expected, rtol=1e-6)


def test_piecewise_equals_keras_piecewise_constant_decay() -> None:
    expected = of_keras(keras.optimizers.schedules.PiecewiseConstantDecay([9, 39], [1.0, 0.4, 0.02]))
    np.testing.assert_allclose(factors(Piecewise((1, 4), (0.4, 0.02))), expected, rtol=1e-6)


def test_piecewise_says_the_steps_of_lecun_1998() -> None:
    schedule = Schedule("piecewise", Piecewise((2, 5, 8, 12), (0.4, 0.2, 0.1, 0.02)))
    rates = 0.0005 * schedule.factors(0, 20, 1, 20)
    expected = [0.0005] * 2 + [0.0002] * 3 + [0.0001] * 3 + [0.00005] * 4 + [0.00001] * 8
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_exponential_equals_keras_exponential_decay() -> None:
    expected = of_keras(keras.optimizers.schedules.ExponentialDecay(1.0, PER_EPOCH, 0.7))
    np.testing.assert_allclose(factors(Exponential(decay_rate=0.7)), expected, rtol=1e-5)


def test_linear_equals_keras_polynomial_decay() -> None:
    expected = of_keras(keras.optimizers.schedules.PolynomialDecay(1.0, TOTAL, 0.2))
    np.testing.assert_allclose(factors(Linear(alpha=0.2)), expected, rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_cosine_equals_keras_cosine_decay(alpha: float) -> None:
    expected = of_keras(keras.optimizers.schedules.CosineDecay(1.0, TOTAL, alpha))
    np.testing.assert_allclose(factors(Cosine(alpha=alpha)), expected, atol=1e-6)


@pytest.mark.parametrize("warmup", [0.1, 0.25])
def test_warmup_rises_in_equal_steps_to_1_and_the_rest_of_the_run_belongs_to_the_schedule(warmup: float) -> None:
    found = factors(Cosine(warmup=warmup))
    rising = round(warmup * TOTAL)
    np.testing.assert_allclose(found[:rising], np.arange(1, rising + 1) / rising)
    rest = keras.optimizers.schedules.CosineDecay(1.0, TOTAL - rising)
    np.testing.assert_allclose(found[rising:], [float(rest(step)) for step in range(TOTAL - rising)], atol=1e-6)


def test_one_cycle_starts_low_peaks_after_its_warmup_and_ends_near_nothing() -> None:
    found = factors(OneCycle(warmup=0.3, start=0.1))
    assert found[0] == pytest.approx(0.1 + 0.9 / 18)
    assert found.argmax() in (17, 18)
    assert found.max() == 1.0
    assert found[-1] < 0.005
    assert np.all(np.diff(found[:18]) > 0)
    assert np.all(np.diff(found[18:]) < 0)


@pytest.mark.parametrize("kind", Schedule.BRANCHES)
def test_a_run_of_one_epoch_has_a_finite_positive_rate_throughout(kind: str) -> None:
    found = factors(Schedule.BRANCHES[kind](), epochs=1)
    assert np.all(np.isfinite(found))
    assert np.all(found > 0)
