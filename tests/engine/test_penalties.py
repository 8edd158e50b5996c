"""Penalties and dropout against Keras, or against their formulas."""

import math

import keras
import numpy as np
import pytest

from lenet_search.engine.forward import dropout_mask
from lenet_search.engine.update import penalty_gradient

RNG = np.random.default_rng(0)


def test_penalty_gradient_is_the_derivative_of_keras_l1l2() -> None:
    weights = RNG.normal(size=50).astype("float32")
    penalty, step = keras.regularizers.L1L2(0.03, 0.2), 1e-3
    found = np.asarray(penalty_gradient(weights, 0.03, 0.2))
    for i in range(0, 50, 7):
        up, down = weights.copy(), weights.copy()
        up[i] += step
        down[i] -= step
        slope = (float(penalty(up)) - float(penalty(down))) / (2 * step)
        assert found[i] == pytest.approx(slope, abs=4e-3)  # float32 sums of about 10, over 2e-3
    assert float(np.asarray(penalty_gradient(np.zeros(1), 1.0, 1.0))[0]) == 0.0


def test_dropout_drops_the_stated_share_and_keeps_the_mean() -> None:
    n, rate = 100_000, 0.3
    mask = np.asarray(dropout_mask(RNG.random(n).astype("float32"), np.float32(rate)))
    dropped = np.mean(mask == 0)
    assert abs(dropped - rate) <= 4.5 * math.sqrt(rate * (1 - rate) / n)
    assert set(np.unique(mask)) == {0.0, np.float32(1) / (np.float32(1) - np.float32(rate))}
    assert np.all(np.asarray(dropout_mask(RNG.random(100), 0.0)) == 1)
