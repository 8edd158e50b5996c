import pytest
from measure.cells import IMAGE, layers_of
from measure.limits import Limit, Rates, flops, limit, measure, state_bytes, traffic

CONV1, CONV2 = 28 * 28 * 6 * (5 * 5 * 3), 10 * 10 * 16 * (5 * 5 * 6)  # multiplications of one image
DENSE = 400 * 120 + 120 * 84 + 84 * 10
WEIGHTS = 62_006  # lenet5 on 32x32x3 with ten classes
OUTPUTS = 28 * 28 * 6 + 10 * 10 * 16 + 120 + 84 + 10


def test_a_trained_image_is_three_passes_but_for_the_gradient_of_the_pixels():
    assert flops(layers_of(), IMAGE) == 2 * (3 * (CONV1 + CONV2 + DENSE) - CONV1) == 3_204_720


def test_bytes_are_weights_gradients_and_moments_once_per_step_and_outputs_once_per_image():
    shared = traffic(layers_of(), IMAGE, batch=128, moments=1, own_images=False)
    assert shared == pytest.approx(4 * (2 * WEIGHTS + 2 * WEIGHTS + 2 * WEIGHTS) / 128 + 4 * 2 * OUTPUTS)


def test_images_of_their_own_and_a_second_moment_are_moved_as_well():
    shared = traffic(layers_of(), IMAGE, 128, 1, own_images=False)
    assert traffic(layers_of(), IMAGE, 128, 1, own_images=True) - shared == pytest.approx(4 * 2 * 32 * 32 * 3)
    assert traffic(layers_of(), IMAGE, 128, 2, own_images=False) - shared == pytest.approx(4 * 2 * WEIGHTS / 128)


def test_bfloat16_halves_what_an_image_moves_and_leaves_the_weights():
    full, half = (traffic(layers_of(), IMAGE, 10**9, 2, True, itemsize) for itemsize in (4, 2))
    assert half == pytest.approx(full / 2, rel=1e-3)


def test_a_slot_holds_its_weights_and_moments():
    assert state_bytes(layers_of(), IMAGE, moments=2) == 3 * 4 * WEIGHTS


def test_the_larger_of_the_two_times_is_the_limit():
    rates = Rates(flops=1e12, bandwidth=1e9)
    assert limit(rates, 1e6, 1e5) == Limit(1e6, 1e4)
    assert limit(rates, 1e6, 1e5).images_per_second == 1e4
    assert limit(rates, 1e6, 1e5).bound_by == "memory"
    assert limit(rates, 1e6, 1e2).bound_by == "arithmetic"


def test_rates_are_those_of_a_computer():
    rates = measure("CPU", "float32", seconds=0.01)
    assert 1e8 < rates.flops < 1e14
    assert 1e7 < rates.bandwidth < 1e13
