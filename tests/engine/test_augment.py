"""Augmentation: on training images only, in the stated strength and units, measured on images.

Bounds on random things come from n: a share p of n draws is within 4.5 * sqrt(p (1 - p) / n) of p in all but one
case in 100,000; the draws here are fixed by seeds, so a test that passes once passes always.
"""

import math
from typing import Any

import numpy as np
import pytest
from keras import ops

from lenet_search.engine.augmentation import cut_out, recolor, warp
from lenet_search.recipe.augment import all_draws

N, SIDE = 2000, 20


def draws(seed: int = 0, n: int = N) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.random(n).astype(np.float32) for name in all_draws()}


def strengths(**values: float | list[float]) -> dict[str, np.ndarray]:
    return {name: np.atleast_1d(np.asarray(value, np.float32)) for name, value in values.items()}


def rows(table: Any, indices: Any) -> Any:
    return ops.take(table, indices, axis=0)


def warped(images: np.ndarray, drawn: dict[str, np.ndarray], **values: float | list[float]) -> np.ndarray:
    black = np.zeros(images.shape[-1], np.float32)
    return np.asarray(warp(ops.convert_to_tensor(images), drawn, strengths(**values), black, rows))


def dots(n: int = N, side: int = SIDE) -> np.ndarray:
    """Black images with one bright pixel, at row 8, column 5."""
    images = np.zeros((n, side, side, 1), np.float32)
    images[:, 8, 5] = 1.0
    return images


def bound(p: float, n: int = N) -> float:
    return 4.5 * math.sqrt(p * (1 - p) / n)


def test_strength_0_leaves_every_image_as_it_is() -> None:
    images = np.random.default_rng(1).random((50, SIDE, SIDE, 3), dtype=np.float32)
    drawn = draws(n=50)
    exact = warped(images, drawn, flip=[0, 0], shift=[0, 0])
    smooth = warped(images, drawn, flip=[0, 0], shift=[0, 0], rotate=[0, 0], zoom=[0, 0])
    for slot in (0, 1):
        assert np.array_equal(exact[:, :, :, slot], images)
        np.testing.assert_allclose(smooth[:, :, :, slot], images, atol=1e-5)
    five = ops.convert_to_tensor(exact)
    recolored = np.asarray(recolor("bhwkc", five, drawn, strengths(brightness=[0, 0], contrast=[0, 0])))
    np.testing.assert_allclose(recolored, exact, atol=1e-6)
    assert np.array_equal(np.asarray(cut_out("bhwk", images, drawn, strengths(side=[0, 0, 0])["side"])), images)


@pytest.mark.parametrize("probability", [0.2, 0.5, 1.0])
def test_flip_mirrors_the_stated_share_of_images(probability: float) -> None:
    images = dots()
    result = warped(images, draws(), flip=probability)[:, :, :, 0, 0]
    flipped = result[:, 8, SIDE - 1 - 5] == 1
    kept = result[:, 8, 5] == 1
    assert np.all(flipped ^ kept)
    assert abs(flipped.mean() - probability) <= bound(probability)


def test_shift_moves_by_every_whole_number_of_pixels_equally_often() -> None:
    result = warped(dots(), draws(), shift=[3, 1])
    for slot, most in ((0, 3), (1, 1)):
        positions = np.argwhere(result[:, :, :, slot, 0] == 1)
        assert len(positions) == N
        for axis, home in ((1, 8), (2, 5)):
            moved = positions[:, axis] - home
            assert set(moved) == set(range(-most, most + 1))
            share = 1 / (2 * most + 1)
            for offset in range(-most, most + 1):
                assert abs(np.mean(moved == offset) - share) <= bound(share)


def test_what_a_shift_leaves_is_black() -> None:
    images = np.ones((N, SIDE, SIDE, 1), np.float32)
    result = warped(images, draws(), shift=4)[..., 0, 0]
    height = (result.max(axis=2) > 0).sum(axis=1)
    width = (result.max(axis=1) > 0).sum(axis=1)
    assert np.array_equal(result.sum(axis=(1, 2)), height * width)
    assert height.min() == width.min() == SIDE - 4


def test_rotation_turns_by_degrees_uniformly_up_to_the_stated_angle() -> None:
    side, degrees = 41, 30.0
    images = np.zeros((N, side, side, 1), np.float32)
    images[:, 19:22, 34:37] = 1.0  # a spot 15 pixels to the right of the middle
    result = warped(images, draws(), rotate=degrees)[:, :, :, 0, 0]
    weight = result.sum(axis=(1, 2))
    y = (result.sum(axis=2) * (np.arange(side) - 20)).sum(axis=1) / weight
    x = (result.sum(axis=1) * (np.arange(side) - 20)).sum(axis=1) / weight
    angles = np.degrees(np.arctan2(y, x))
    assert np.abs(angles).max() <= degrees + 0.2
    assert np.abs(angles).max() >= degrees * (1 - 10 / N) - 0.2
    assert abs(angles.mean()) <= 4.5 * (degrees / math.sqrt(3)) / math.sqrt(N)
    assert abs(angles.std() - degrees / math.sqrt(3)) <= 4.5 * degrees / math.sqrt(N)
    np.testing.assert_allclose(np.hypot(x, y), 15, atol=0.2)


def test_zoom_scales_around_the_middle_by_the_stated_share() -> None:
    side, zoom = 41, 0.25
    images = np.zeros((N, side, side, 1), np.float32)
    images[:, 19:22, 29:32] = 1.0  # 10 pixels to the right of the middle
    result = warped(images, draws(), zoom=zoom)[:, :, :, 0, 0]
    x = (result.sum(axis=1) * (np.arange(side) - 20)).sum(axis=1) / result.sum(axis=(1, 2))
    scale = x / 10
    assert scale.min() >= 1 - zoom - 0.02
    assert scale.max() <= 1 + zoom + 0.02
    assert abs(scale.mean() - 1) <= 4.5 * zoom / math.sqrt(3) / math.sqrt(N) + 0.005
    assert scale.max() - scale.min() >= 2 * zoom * 0.95


def test_brightness_adds_uniformly_within_the_stated_span_and_stays_within_black_and_white() -> None:
    images = ops.full((N, 2, 2, 1, 3), 0.5)
    change = np.asarray(recolor("bhwkc", images, draws(), strengths(brightness=0.3)))[:, 0, 0, 0, 0] - 0.5
    assert np.abs(change).max() <= 0.3 + 1e-6
    assert np.abs(change).max() >= 0.3 * (1 - 10 / N)
    assert abs(change.mean()) <= 4.5 * 0.3 / math.sqrt(3) / math.sqrt(N)
    bright = np.asarray(recolor("bhwkc", ops.full((N, 2, 2, 1, 3), 0.9), draws(), strengths(brightness=0.5)))
    assert bright.max() == 1.0


def test_contrast_stretches_around_the_mean_of_each_image() -> None:
    image = np.full((N, 2, 2, 1, 1), 0.4, np.float32)
    image[:, 0] = 0.6
    result = np.asarray(recolor("bhwkc", ops.convert_to_tensor(image), draws(), strengths(contrast=0.4)))[..., 0, 0]
    np.testing.assert_allclose(result.mean(axis=(1, 2)), 0.5, atol=1e-6)
    factor = (result[:, 0, 0] - result[:, 1, 0]) / 0.2
    assert 0.6 - 1e-5 <= factor.min() <= 0.6 + 0.8 * 10 / N
    assert 1.4 - 0.8 * 10 / N <= factor.max() <= 1.4 + 1e-5


@pytest.mark.parametrize("side", [1, 4, 7])
def test_cutout_covers_a_square_of_the_stated_side_centred_anywhere(side: int) -> None:
    mask = np.asarray(cut_out("bhwk", np.ones((N, SIDE, SIDE, 1), np.float32), draws(), strengths(side=side)["side"]))[
        ..., 0
    ]
    height = (mask.min(axis=2) == 0).sum(axis=1)
    width = (mask.min(axis=1) == 0).sum(axis=1)
    assert np.array_equal((mask == 0).sum(axis=(1, 2)), height * width)
    assert height.max() == width.max() == side
    inside = (SIDE - side + 1) / SIDE  # the share of centres whose square lies within the image
    assert abs(np.mean(height == side) - inside) <= bound(inside) or inside == 1
    covered = (mask == 0).mean(axis=0)[SIDE // 2, SIDE // 2]
    share = (side / SIDE) ** 2
    assert abs(covered - share) <= bound(share)


def test_slots_share_the_draws_and_scale_them_by_their_own_strength() -> None:
    images = np.random.default_rng(2).random((20, SIDE, SIDE, 3), dtype=np.float32)
    drawn = draws(n=20)
    both = warped(images, drawn, flip=[0.5, 0.5], shift=[2, 4], rotate=[0, 20], zoom=[0.1, 0])
    first = warped(images, drawn, flip=0.5, shift=2, rotate=0, zoom=0.1)
    second = warped(images, drawn, flip=0.5, shift=4, rotate=20, zoom=0)
    assert np.array_equal(both[:, :, :, :1], first)
    assert np.array_equal(both[:, :, :, 1:], second)
