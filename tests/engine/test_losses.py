"""Losses against Keras, or against their formulas."""

import keras
import numpy as np
import pytest

from lenet_search.engine.losses import losses, probabilities, smoothed

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
