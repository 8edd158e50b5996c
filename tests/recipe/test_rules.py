"""Loss, penalties, dropout, normalization and initial weights against Keras or their formulas."""

import math

import keras
import numpy as np
import pytest

from lenet_search.engine.forward import dropout_mask
from lenet_search.engine.losses import losses, probabilities, smoothed
from lenet_search.engine.update import penalty_gradient
from lenet_search.networks.initializers import INITIALIZERS, initial_kernel
from lenet_search.recipe.normalization import normalization

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_cross_entropy_equals_keras_with_label_smoothing(smoothing: float) -> None:
    logits = RNG.normal(size=(20, 7)).astype("float32") * 3
    labels = RNG.integers(0, 7, 20)
    smoothed, plain = losses(logits, labels, smoothing)
    one_hot = keras.utils.to_categorical(labels, 7)

    def expected(amount: float) -> np.ndarray:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=amount, reduction=None)
        return np.asarray(loss(one_hot, logits))

    np.testing.assert_allclose(np.asarray(smoothed), expected(smoothing), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(plain), expected(0.0), rtol=1e-5)


def test_cross_entropy_broadcasts_one_smoothing_per_slot() -> None:
    logits = RNG.normal(size=(3, 20, 7)).astype("float32")
    labels = RNG.integers(0, 7, 20)
    amounts = np.array([0.0, 0.2, 0.5], np.float32)
    together, _ = losses(logits, labels[None], amounts[:, None])
    for slot, amount in enumerate(amounts):
        alone, _ = losses(logits[slot], labels, float(amount))
        np.testing.assert_allclose(np.asarray(together)[slot], np.asarray(alone), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_map_and_mse_are_equations_9_and_8(smoothing: float) -> None:
    energies, labels = RNG.random((20, 7)) * 30, RNG.integers(0, 7, 20)
    targets = smoothed(labels, 7, smoothing)
    aimed = (targets * energies).sum(-1)
    others = np.log(np.exp(-0.1) + np.exp(-energies).sum(-1))
    amount = np.full(20, smoothing, np.float32)
    logits = -energies.astype("float32")
    followed, plain = losses(logits, labels, amount, "map")
    np.testing.assert_allclose(np.asarray(followed), aimed + others, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.asarray(losses(logits, labels, amount, "mse")[0]), aimed, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(plain), np.asarray(losses(logits, labels, amount)[1]), rtol=1e-6)


def test_map_pulls_up_the_wrong_classes_only_while_they_are_near() -> None:
    # Equation (9): far from every figure the e^-j outweighs them, and only the right class is pulled in.
    near, far = (np.asarray(probabilities(np.array([[-y, -y]], np.float32), "map"))[0] for y in (0.1, 50.0))
    np.testing.assert_allclose(near, [1 / 3, 1 / 3], rtol=1e-5)
    np.testing.assert_allclose(far, [0.0, 0.0], atol=1e-12)


def test_smoothed_labels_are_kerass() -> None:
    found = smoothed(np.array([0, 2]), 4, 0.2)
    np.testing.assert_allclose(found, [[0.85, 0.05, 0.05, 0.05], [0.05, 0.05, 0.85, 0.05]], rtol=1e-6)


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


def test_normalization_says_what_it_says() -> None:
    mean, std = np.array([0.2, 0.5]), np.array([0.1, 0.25])
    pixels = np.array([[0.0, 0.0], [0.2, 0.5], [1.0, 1.0]])

    def scaled(kind: str) -> np.ndarray:
        scale, offset = normalization(kind, mean, std)
        return pixels * scale + offset

    np.testing.assert_allclose(scaled("standardize"), (pixels - mean) / std)
    np.testing.assert_allclose(scaled("unit"), pixels)
    np.testing.assert_allclose(scaled("invert"), 1 - pixels)
    np.testing.assert_allclose(scaled("lecun_1998")[[0, 2]], [[-0.1, -0.1], [1.175, 1.175]])


def test_a_constant_channel_is_standardized_to_finite_numbers() -> None:
    scale, offset = normalization("standardize", [0.5], [0.0])
    assert np.all(np.isfinite([scale, offset]))


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
