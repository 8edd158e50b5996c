"""Initial kernels against Keras's distributions, or against their formulas."""

import math

import keras
import numpy as np
import pytest

from lenet_search.networks.initializers import INITIALIZERS, initial_kernel


@pytest.mark.parametrize("shape", [(5, 5, 6, 16), (400, 120)])
def test_lecun_1998_is_uniform_within_2_point_4_over_fan_in(shape: tuple[int, ...]) -> None:
    kernel = initial_kernel("lecun_1998", shape, seed=1)
    bound = 2.4 / math.prod(shape[:-1])
    assert np.abs(kernel).max() <= bound
    assert np.abs(kernel).max() >= bound * (1 - 20 / kernel.size)
    assert abs(kernel.mean()) <= 4.5 * bound / math.sqrt(3 * kernel.size)


@pytest.mark.parametrize("shape", [(5, 5, 6, 16), (40, 60)])
@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name != "lecun_1998"])
def test_every_other_initializer_draws_from_the_distribution_that_keras_has_by_this_name(
    name: str, shape: tuple[int, ...]
) -> None:
    initializer = keras.initializers.get(name)
    theirs = np.concatenate([np.ravel(type(initializer)(seed=seed)(shape)) for seed in range(10)])
    ours = np.concatenate([initial_kernel(name, shape, seed).ravel() for seed in range(10)])
    places = np.sort(np.concatenate([theirs, ours]))
    gap = [np.searchsorted(np.sort(each), places, side="right") / len(each) for each in (theirs, ours)]
    # Smirnov: with n = 24,000 each, the largest gap passes 2.2 * sqrt(2 / n) once in 8,000 draws.
    assert np.abs(gap[0] - gap[1]).max() < 2.2 * math.sqrt(2 / len(ours))


@pytest.mark.parametrize("shape", [(5, 5, 6, 16), (20, 30)])
def test_orthogonal_kernels_are_orthonormal_along_the_shorter_side(shape: tuple[int, ...]) -> None:
    flat = initial_kernel("orthogonal", shape, seed=2).reshape(-1, shape[-1])
    inner = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    np.testing.assert_allclose(inner, np.eye(len(inner)), atol=1e-5)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_seed_gives_the_same_kernel_again_and_another_seed_another(name: str) -> None:
    first, again, other = (initial_kernel(name, (20, 10), seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
