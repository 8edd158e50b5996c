import numpy as np
import pytest

from lenet_search.look.shrinkage import shrunk


def test_order_is_kept_and_the_best_value_shrinks_towards_the_others() -> None:
    values = [0.60, 0.61, 0.62, 0.63, 0.70]
    made = shrunk(values, [0.01**2] * len(values))
    assert made == sorted(made)
    assert made[-1] < 0.70


def test_without_noise_or_spread_values_stay_as_they_are() -> None:
    assert shrunk([0.5, 0.6], [0.0, 0.0]) == [0.5, 0.6]
    assert shrunk([0.6], [0.01]) == [0.6]
    assert shrunk([0.6, 0.6], [0.01, 0.01]) == [0.6, 0.6]


def test_noise_alone_shrinks_to_the_mean() -> None:
    measured = np.random.default_rng(0).normal(0.6, 0.01, 200)
    made = np.array(shrunk(list(measured), [0.01**2] * len(measured)))
    assert made.std() < 0.35 * measured.std()
    assert made.mean() == pytest.approx(measured.mean(), abs=1e-4)


def test_a_few_failures_do_not_keep_the_best_from_shrinking() -> None:
    measured = list(np.random.default_rng(0).normal(0.6, 0.01, 100))
    alone = shrunk(measured, [1e-4] * len(measured))
    beside = shrunk([*measured, 0.1, 0.1, 0.1], [1e-4] * (len(measured) + 3))
    assert max(beside) == pytest.approx(max(alone), abs=0.002)
