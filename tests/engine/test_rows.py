"""Lowerings for GPUs against plain Keras: networks, poolings, odd sizes, wide images, one channel and three."""

import numpy as np
import pytest
from stacks import images, recipe, stack_of, train_plain

from lenet_search.engine import Stack
from lenet_search.engine.slots_first import _columns
from lenet_search.networks.plain import get_weights
from lenet_search.recipe import Recipe

TOLERANCE = 2e-4  # see test_parity
OF_1998 = {"data__normalize": "lecun_1998", "model__initializer": "lecun_1998"}


def rate(of: float) -> dict[str, float]:
    return {"optimizer__sgd__learning_rate": of}


# (lowering, side, channels, recipe)
CASES = {
    "odd rows and columns": ("rows", 23, 1, rate(0.1)),
    "average pooling": ("rows", 21, 3, {"model__pooling": "average", "model__activation": "tanh", **rate(0.1)}),
    "max pooling behind an activation that falls": ("tiles", 23, 3, {"model__activation": "gelu", **rate(0.1)}),
    "several windows side by side": ("rows", 45, 1, rate(0.1)),
    "several tiles, average": ("tiles", 22, 1, {"model__pooling": "average", **rate(0.1)}),
    "batch norm": ("rows", 21, 3, {"model__batch_norm": True, **rate(0.1)}),
    "more filters": ("tiles", 20, 3, {"model__width": 1.5, **rate(0.1)}),
    "lenet5_28": ("rows", 28, 1, {"model__network": "lenet5_28", **rate(0.1)}),
    "lenet5_1998": ("rows", 32, 1, {"model__network": "lenet5_1998", "loss__kind": "map", **OF_1998, **rate(1e-3)}),
    "lenet5_stn": ("tiles", 28, 1, {"model__network": "lenet5_stn", **rate(0.02)}),
    "all_cnn_pool": ("rows", 20, 3, {"model__network": "all_cnn_pool", "model__width": 0.06, **rate(0.05)}),
}


@pytest.mark.parametrize("case", CASES)
def test_slots_side_by_side_follow_plain_keras(case: str) -> None:
    lowering, side, channels, values = CASES[case]
    split = images(n=40 + 5 * 16, channels=channels, side=side)
    recipes = [recipe(**values), recipe(**values, regularize__l2=1e-3)]
    stack = stack_of(*recipes, split=split, lowering=lowering)
    assert_follows(stack, recipes, split)


def assert_follows(stack: Stack, recipes: list[Recipe], split: object) -> None:
    starts = [stack.weights(slot) for slot in range(len(recipes))]
    order = np.random.default_rng(3).integers(0, len(split.x_train), (stack._steps, 16)).astype(np.int32)
    results = stack._run(order)
    for slot, one in enumerate(recipes):
        model, losses = train_plain(one, starts[slot], split, order)
        expected, found = get_weights(model, one, split.describe()), stack.weights(slot)
        moved = max(float(np.abs(found[name] - starts[slot][name]).max()) for name in found)
        assert moved > 20 * TOLERANCE
        for name in found:
            np.testing.assert_allclose(found[name], expected[name], atol=TOLERANCE, rtol=0, err_msg=f"{slot}: {name}")
        assert results[slot].finite and len(losses) == stack._steps


@pytest.mark.parametrize(("columns", "widest", "multiple"), [(28, 32, 2), (60, 32, 2), (74, 32, 2), (37, 32, 1)])
def test_windows_divide_the_columns_evenly(columns: int, widest: int, multiple: int) -> None:
    found = _columns(columns, widest, multiple)
    assert columns % found == 0 and found % multiple == 0 and found <= max(widest, multiple)
