"""The stacked convolution against one plain Keras convolution per slot, values and gradients, on every lowering."""

import keras
import numpy as np
import pytest
from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.lowerings import LOWERINGS
from lenet_search.engine.precision import multiplying_dtype

SLOTS, BATCH, SIDE, CHANNELS = 4, 8, 12, 3


def case(filters: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images slot by slot and kernels; whole numbers, so that many sums are equal and rounding plays no part."""
    rng = np.random.default_rng(seed)
    images = rng.integers(-1, 2, (BATCH, SIDE, SIDE, SLOTS * CHANNELS))
    return images.astype(np.float32), rng.integers(-1, 2, (SLOTS, 5, 5, CHANNELS, filters)).astype(np.float32)


def stacked(lowering: str, *, pool: bool = False, finite: bool = False):
    """The lowering's convolution of images slot by slot, (B, H, W, K * C), however its own maps lie in memory."""
    maps = LOWERINGS[lowering]

    def run(images, kernels):
        slots = kernels.shape[0]
        own = ops.reshape(images, (*images.shape[:3], slots, -1))
        x = maps.of_each(ops.transpose(own, [*("bhwk".index(axis) for axis in maps.ORDER), 4]))
        if pool:
            found = maps.pooled_convolution(x, kernels, finite=finite)
        else:
            found = maps.convolution(x, kernels, 1, "valid", finite=finite, halved=False)
        if maps.ORDER == "kbhw":
            found = ops.transpose(found, (1, 2, 3, 0, 4))
        return ops.reshape(found, (*found.shape[:3], -1))

    return run


def with_gradients(function, *inputs):
    """Value and gradients of sum(value * (1, 2, 3, ...)): a different weight for every place."""
    tensors = [ops.convert_to_tensor(each) for each in inputs]

    def target(tensors):
        value = function(*tensors)
        weight = ops.reshape(ops.arange(int(np.prod(value.shape)), dtype="float32"), value.shape) % 7
        return ops.sum(ops.cast(value, "float32") * weight), value

    value, gradients = backend.compiled(lambda given: backend.value_and_gradients(target, given))(tensors)
    return [np.asarray(ops.cast(each, "float32")) for each in (value, *gradients)]


def one_by_one(pool: bool):
    """What the stacked call should give: a plain convolution per slot."""

    def run(images, kernels):
        found = []
        for slot in range(SLOTS):
            own = images[..., slot * CHANNELS : (slot + 1) * CHANNELS]
            value = ops.conv(own, kernels[slot], 1, "valid")
            found.append(ops.max_pool(value, 2, 2, "valid") if pool else value)
        return ops.concatenate(found, -1)

    return run


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("filters", [6, 16])
def test_a_stacked_convolution_is_one_plain_convolution_per_slot(filters: int, lowering: str) -> None:
    inputs = case(filters)
    mine = with_gradients(stacked(lowering), *inputs)
    for one, other in zip(mine, with_gradients(one_by_one(pool=False), *inputs), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("filters", [3, 6, 16])
def test_pooling_within_the_convolution_gives_ties_to_the_first_as_keras_does(filters: int, lowering: str) -> None:
    inputs = case(filters)
    mine = with_gradients(stacked(lowering, pool=True), *inputs)
    for one, other in zip(mine, with_gradients(one_by_one(pool=True), *inputs), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling_behind_other_steps_gives_ties_to_the_first_as_keras_does(kind: str, lowering: str) -> None:
    maps, images = LOWERINGS[lowering], np.random.default_rng(2).integers(-1, 2, (8, 7, 6, 3)).astype(np.float32)
    pool = ops.max_pool if kind == "max" else ops.average_pool
    mine = with_gradients(lambda images: maps.halved(maps.of_all(images), kind), images)
    for one, other in zip(mine, with_gradients(lambda images: pool(images, 2, 2, "valid"), images), strict=True):
        np.testing.assert_allclose(one.reshape(other.shape), other, atol=1e-6)


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("pool", [False, True])
def test_in_bfloat16_a_stacked_convolution_is_the_same_for_small_whole_numbers(pool: bool, lowering: str) -> None:
    images, kernels = case(6)
    expected = with_gradients(one_by_one(pool=pool), images, kernels)

    def rounded(kernels):
        return stacked(lowering, pool=pool, finite=True)(ops.cast(images, "bfloat16"), ops.cast(kernels, "bfloat16"))

    value, gradient = with_gradients(rounded, kernels)
    np.testing.assert_array_equal(value, expected[0])  # sums of 75 numbers from -1 to 1: exact in eight bits
    np.testing.assert_allclose(gradient, expected[2], rtol=2**-7, atol=2)  # their sums are rounded to eight bits


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("finite", [True, False])
def test_kernels_that_are_not_numbers_leave_other_slots_as_they_are(dtype: str, finite: bool) -> None:
    images, kernels = case(6)
    poisoned = kernels.copy()
    poisoned[1] = np.nan
    for lowering in LOWERINGS:
        for pool in (False, True):
            convolve = stacked(lowering, pool=pool, finite=finite)
            values = [convolve(ops.cast(images, dtype), ops.cast(k, dtype)) for k in (kernels, poisoned)]
            calm, wild = (np.asarray(ops.cast(value, "float32")) for value in values)
            others = np.repeat([True, False, True, True], 6)
            np.testing.assert_array_equal(wild[..., others], calm[..., others])


def test_what_is_worked_out_anew_has_the_gradient_of_the_plain_function() -> None:
    rng = np.random.default_rng(3)
    x, bias = rng.normal(size=(4, 6)).astype(np.float32), rng.normal(size=6).astype(np.float32)

    def function(x, bias):
        return ops.tanh(x + bias) * x

    mine = with_gradients(backend.recomputed(function), x, bias)
    for one, other in zip(mine, with_gradients(function, x, bias), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_gradients_add_up_where_what_is_worked_out_anew_is_used_again_and_again() -> None:
    rng = np.random.default_rng(4)
    x, bias = rng.normal(size=(4, 6)).astype(np.float32), rng.normal(size=6).astype(np.float32)

    def network(piece):
        def run(x, bias):
            first = piece(lambda x, bias: ops.elu(x + bias))(x * 0.5, bias)
            second = piece(lambda first, x: first * ops.tanh(x))(first, x)
            return ops.tanh(second) + first * bias

        return run

    mine = with_gradients(network(backend.recomputed), x, bias)
    for one, other in zip(mine, with_gradients(network(lambda piece: piece), x, bias), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_auto_is_one_of_the_two_precisions() -> None:
    assert multiplying_dtype("auto") in ("float32", "bfloat16")
    assert multiplying_dtype("float32") == "float32"
    assert multiplying_dtype("mixed_bfloat16") == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"  # the engine leaves Keras's own policy alone


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("channels", "filters"), [(3, 6), (6, 3), (3, 3), (6, 16)])
def test_a_slot_s_numbers_that_are_none_reach_no_other_slot_forward_or_back(
    dtype: str, channels: int, filters: int, number: float
) -> None:
    rng = np.random.default_rng(1)
    slots = 4
    images = rng.normal(size=(8, 12, 12, slots, channels)).astype(np.float32)
    kernels = rng.normal(size=(slots, 3, 3, channels, filters)).astype(np.float32)
    others = [0, 1, 3]
    for lowering in LOWERINGS:
        ends = []
        for wild in (False, True):
            seen, own = images.copy(), kernels.copy()
            if wild:
                seen[..., 2, :] = own[2] = number

            def rounded(images: object, kernels: object, lowering: str = lowering) -> object:
                return stacked(lowering)(ops.cast(images, dtype), ops.cast(kernels, dtype))

            value, by_images, by_kernels = with_gradients(rounded, seen.reshape(8, 12, 12, -1), own)
            ends.append(
                (
                    value.reshape(8, 10, 10, slots, filters)[..., others, :],
                    by_images.reshape(images.shape)[..., others, :],
                    by_kernels[others],
                )
            )
        for calm, beside in zip(*ends, strict=True):
            np.testing.assert_array_equal(beside, calm)
