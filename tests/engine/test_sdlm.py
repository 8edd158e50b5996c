"""`sdlm` in a stack: each weight's step is eta * gradient / (mu + |h|), with h from before the epoch."""

from typing import Any

import numpy as np
import pytest
from keras import ops
from stacks import images, keras_loss, poison, recipe, space_of, stack_of
from test_isolation import same
from test_parity import TOLERANCE

from lenet_search.data import Split
from lenet_search.engine import Stack, backend
from lenet_search.engine.curvature import GaussNewton
from lenet_search.engine.hessian import Exact
from lenet_search.engine.losses import smoothed
from lenet_search.networks import network, parameters
from lenet_search.networks.plain import get_weights, plain_model
from lenet_search.recipe import Recipe
from lenet_search.recipe.normalization import normalization

SHAPE = (20, 20, 1)


def of_sdlm(network: str = "mlp", **more: Any) -> Recipe:
    return recipe(model__network=network, optimizer__kind="sdlm", optimizer__sdlm__learning_rate=0.005, **more)


def measured(one: Recipe, weights: dict[str, np.ndarray], split: Split) -> dict[str, np.ndarray]:
    """|h| of all training images: there are fewer here than the 500 that are drawn."""
    scale, offset = normalization(one.data.normalize, split.mean, split.std)
    pixels = (split.x_train / 255 * scale + offset).astype(np.float32)
    layers = network(one.model, SHAPE, split.classes)
    if one.optimizer.branch.exact:
        found = Exact(layers, SHAPE, one.loss.kind)(weights, pixels, smoothed(split.y_train, split.classes, 0.0))
    else:
        found = GaussNewton(layers, one.loss.kind)(weights, pixels)
    for parameter in parameters(layers, SHAPE):
        found[parameter.name] = np.abs(found[parameter.name] + 2 * one.regularize.l2 * parameter.penalized)
    return found


def trained_by_hand(
    one: Recipe, start: dict[str, np.ndarray], split: Split, order: np.ndarray
) -> dict[str, np.ndarray]:
    """The same weights, batches and curvature, with the gradients of a plain Keras model."""
    branch, per_epoch = one.optimizer.branch, len(split.x_train) // one.train.batch_size
    model = plain_model(one, split.describe(), start, softmax=False)
    labels, loss = np.eye(split.classes, dtype=np.float32)[split.y_train], keras_loss(one)
    for step, chosen in enumerate(order):
        if step % per_epoch == 0:
            bends = measured(one, get_weights(model, one, split.describe()), split)

        def total(values: Any, chosen: np.ndarray = chosen) -> tuple[Any, None]:
            pixels = split.x_train[chosen].astype("float32")
            logits, _, penalties = model.stateless_call(values, [], pixels, return_losses=True)
            return ops.mean(loss(labels[chosen], logits)) + sum(penalties), None

        variables = model.trainable_variables
        gradients = backend.value_and_gradients(total, [variable.value for variable in variables])[1]
        for variable, gradient in zip(variables, gradients, strict=True):
            name = ".".join(variable.path.split("/")[-2:])
            variable.assign_sub(branch.learning_rate * gradient / (branch.mu + bends[name]))
    return get_weights(model, one, split.describe())


@pytest.mark.parametrize("more", [{}, {"optimizer__sdlm__exact": True}, {"regularize__l2": 0.01, "loss__kind": "map"}])
def test_each_weight_has_its_own_step_measured_anew_before_each_epoch(more: dict[str, Any]) -> None:
    split = images(n=40 + 3 * 16)
    one = of_sdlm(**more)
    stack = stack_of(one, split=split)
    start = stack.weights(0)
    order = np.random.default_rng(3).integers(0, len(split.x_train), (6, 16)).astype(np.int32)
    for part in np.split(order, 2):
        stack._run(part)
    expected, found = trained_by_hand(one, start, split, order), stack.weights(0)
    assert max(float(np.abs(found[name] - start[name]).max()) for name in found) > 20 * TOLERANCE
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], atol=TOLERANCE, rtol=0, err_msg=name)


def test_a_mixed_stack_equals_stacks_of_one_and_a_diverged_neighbour_changes_nothing() -> None:
    split = images(n=40 + 3 * 16)
    recipes = [of_sdlm("lenet5"), of_sdlm("lenet5", optimizer__sdlm__exact=True), recipe(optimizer__kind="adam")]
    space = space_of(*recipes)

    def trained(*loaded: tuple[Recipe, int], broken: bool = False) -> Stack:
        stack = stack_of(recipes[0], split=split, space=space, slots=len(loaded))
        stack.unload(0)
        for one, seed in loaded:
            stack.load(one, seed)
        if broken:
            poison(stack, 1)
        for _ in range(2):
            stack.epoch()
        return stack

    together = trained(*((one, seed) for seed, one in enumerate(recipes)))
    for seed, one in enumerate(recipes):
        alone = trained((one, seed)).weights(0)
        for name, value in alone.items():
            np.testing.assert_allclose(together.weights(seed)[name], value, atol=TOLERANCE, rtol=0, err_msg=name)
    broken = trained(*((one, seed) for seed, one in enumerate(recipes)), broken=True)
    assert same(broken.weights(0), together.weights(0))
    assert same(broken.weights(2), together.weights(2))
