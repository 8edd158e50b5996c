"""Normalizations against their formulas."""

import numpy as np

from lenet_search.recipe.normalization import normalization


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
