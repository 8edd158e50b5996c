"""The curvature that sdlm divides by, against finite differences in float64 (`reference`)."""

import numpy as np
import pytest
import reference
from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.curvature import GaussNewton
from lenet_search.engine.hessian import Exact
from lenet_search.engine.losses import smoothed
from lenet_search.networks import Layer, parameters
from lenet_search.networks.activations import ACTIVATIONS
from lenet_search.networks.layers import (
    Activation,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
    RadialBasis,
    Subsampling,
)

SHAPE = (8, 8, 2)
OF_1998: list[Layer] = [
    *(Conv("c1", 2, 3), Activation("c1_", "scaled_tanh"), Subsampling("s2"), Activation("s2_", "scaled_tanh")),
    *(Conv("c3", 3, 2, connections=((0,), (1,), (0, 1))), Activation("c3_", "scaled_tanh"), Flatten("flat")),
    *(Dense("f6", 84), Activation("f6_", "scaled_tanh"), RadialBasis("output", 3)),
]
MODERN: list[Layer] = [
    *(Conv("conv1", 2, 3), Activation("conv1_", "silu"), Pool("pool", "max")),
    *(Conv("conv2", 4, 3), Activation("conv2_", "elu"), Flatten("flat"), Dropout("drop"), Dense("logits", 3)),
]
AVERAGED: list[Layer] = [
    *(Conv("conv1", 2, 3), Activation("conv1_", "tanh"), Pool("pool", "average"), Conv("conv2", 3, 2)),
    *(Activation("conv2_", "tanh"), Flatten("flat"), Dense("dense", 4), Activation("dense_", "relu"), Dense("y", 3)),
]
STRIDED: list[Layer] = [
    *(Conv("conv1", 2, 3, 2, "same"), Activation("conv1_", "tanh"), Conv("conv2", 3, 2), GlobalPool("mean")),
]
CASES = [(OF_1998, "map"), (OF_1998, "mse"), (OF_1998, "cross_entropy"), (MODERN, "cross_entropy"), (MODERN, "map")]
CASES += [(AVERAGED, "cross_entropy")]


def small(layers: list[Layer], n: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Weights of ordinary size, images and targets."""
    rng = np.random.default_rng(5)
    weights = {p.name: rng.normal(size=p.shape) * (0.5 if len(p.shape) > 1 else 0.2) for p in parameters(layers, SHAPE)}
    return weights, rng.normal(size=(n, *SHAPE)), smoothed(rng.integers(0, 3, n), 3, 0.1).astype(float)


def single(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: value.astype(np.float32) for name, value in weights.items()}


@pytest.mark.parametrize(("layers", "loss"), CASES)
def test_exact_is_the_second_difference_of_the_loss_along_each_weight(layers: list[Layer], loss: str) -> None:
    weights, pixels, targets = small(layers, 6)
    found = Exact(layers, SHAPE, loss)(single(weights), pixels.astype(np.float32), targets.astype(np.float32))
    assert found.keys() == weights.keys()
    rng, step, seen = np.random.default_rng(0), 1e-3, []
    for name, value in weights.items():
        assert found[name].shape == value.shape
        for flat in rng.permutation(value.size)[:12]:
            place = np.unravel_index(flat, value.shape)
            around = []
            for move in (-step, 0.0, step):
                moved = {**weights, name: value.copy()}
                moved[name][place] += move
                around.append(reference.loss(layers, moved, pixels, targets, loss))
            seen.append((float(found[name][place]), (around[0] - 2 * around[1] + around[2]) / step**2))
    ours, theirs = np.array(seen).T
    size = np.abs(theirs).max()
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * size, rtol=1e-3)
    assert (theirs < -1e-3 * size).any(), "no weight bends downwards here: the comparison would say little"


@pytest.mark.parametrize(("layers", "loss"), [*CASES, (STRIDED, "cross_entropy")])
def test_gauss_newton_is_equation_27_connection_by_connection(layers: list[Layer], loss: str) -> None:
    weights, pixels, targets = small(layers, 2)
    found = GaussNewton(layers, loss)(single(weights), pixels.astype(np.float32))
    assert {name: value.shape for name, value in found.items()} == {n: value.shape for n, value in weights.items()}
    wanted = {name: np.random.default_rng(0).permutation(value.size)[:20] for name, value in weights.items()}
    pairs = zip(pixels, targets, strict=True)
    each = [reference.gauss_newton(layers, weights, x, target, loss, wanted) for x, target in pairs]
    for name, numbers in wanted.items():
        expected = np.mean([one[name] for one in each], axis=0)
        assert expected.max() > 0
        ours = found[name].ravel()[numbers]
        np.testing.assert_allclose(ours, expected, rtol=2e-3, atol=1e-4 * expected.max(), err_msg=name)
        assert found[name].min() >= 0


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_the_derivatives_of_the_activations(name: str) -> None:
    x = ops.convert_to_tensor(np.linspace(-3.03, 3.0, 50), "float32")

    def slope(at):
        return backend.value_and_gradients(lambda x: (ops.sum(ACTIVATIONS[name].value(ops, x)), None), at)[1]

    np.testing.assert_allclose(np.asarray(ACTIVATIONS[name].slopes(ops, x)[0]), np.asarray(slope(x)), atol=1e-5)
    bend = backend.value_and_gradients(lambda x: (ops.sum(ACTIVATIONS[name].slopes(ops, x)[0]), None), x)[1]
    np.testing.assert_allclose(np.asarray(ACTIVATIONS[name].slopes(ops, x)[1]), np.asarray(bend), atol=1e-5)
