"""Every network in a stack: K slots equal K stacks of one and plain Keras, and do not feel each other.

See `test_parity` for the tolerance. A network's stacks are compiled once and serve all of its tests.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from stacks import images, poison, recipe, restarted, space_of
from test_isolation import same
from test_parity import TOLERANCE, assert_follows_keras

from lenet_search.data import Split
from lenet_search.engine import Stack
from lenet_search.networks import NETWORKS
from lenet_search.recipe import Recipe, Value
from lenet_search.structure import structure_of

THIN: dict[str, Value] = {"model__width": 0.06, "model__activation": "elu"}
OF_1998: dict[str, Value] = {"data__normalize": "lecun_1998", "model__initializer": "lecun_1998"}
# The size of the images, what else is needed, and two rates at which the weights move. `lenet5` is test_parity's.
CASES: dict[str, tuple[int, dict[str, Value], tuple[float, float]]] = {
    "lenet5_1998": (32, {**OF_1998, "loss__kind": "map"}, (1e-3, 2e-3)),
    "lenet5_stn": (16, {"model__pooling": "max"}, (0.02, 0.05)),
    "all_cnn": (18, THIN, (0.05, 0.1)),
    "all_cnn_pool": (18, THIN, (0.05, 0.1)),
    "all_cnn_base": (18, THIN | {"model__batch_norm": True}, (0.02, 0.05)),
}


class Case(NamedTuple):
    """A network's images, two recipes without and with randomness, and stacks for two and for one of them."""

    split: Split
    plain: tuple[Recipe, Recipe]
    random: tuple[Recipe, Recipe]
    together: Stack
    alone: Stack


@pytest.fixture(scope="module", params=[name for name in NETWORKS if name != "lenet5"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    side, values, rates = CASES.get(request.param, (NETWORKS[request.param].side or 20, {}, (0.05, 0.1)))
    split = images(side=side, n=40 + 6 * 16)
    common = values | {"model__network": request.param, "optimizer__sgd__momentum": 0.5}
    strong: dict[str, Value] = {"regularize__dropout": 0.2, "regularize__input_dropout": 0.1, "augment__shift": 2}
    one, other = ({**common, "optimizer__sgd__learning_rate": rate} for rate in rates)
    plain = recipe(**one), recipe(**other, regularize__l2=1e-3)  # type: ignore[arg-type]
    random = recipe(**one, **strong), recipe(**other, **strong)  # type: ignore[arg-type]
    structure = structure_of(plain[0], space_of(*plain, *random))
    yield Case(split, plain, random, Stack(structure, split, 2), Stack(structure, split, 1))


def test_a_stack_follows_plain_keras(case: Case) -> None:
    stack = restarted(case.together, (case.plain[0], 0), (case.plain[1], 1))
    assert_follows_keras(stack, case.plain, case.split)


def test_a_stack_of_two_equals_two_stacks_of_one(case: Case) -> None:
    restarted(case.together, (case.random[0], 0), (case.random[1], 1)).epoch()
    for seed, one in enumerate(case.random):
        restarted(case.alone, (one, seed)).epoch()
        for name, value in case.alone.weights(0).items():
            np.testing.assert_allclose(case.together.weights(seed)[name], value, atol=TOLERANCE, rtol=0, err_msg=name)


def test_a_slot_that_diverges_leaves_the_other_bit_identical(case: Case) -> None:
    ends = []
    for broken in (False, True):
        stack = restarted(case.together, (case.random[0], 0), (case.random[1], 1))
        if broken:
            poison(stack, 1)
        results = stack.epoch()
        assert (results[0].finite, results[1].finite) == (True, not broken)
        ends.append((stack.weights(0), results[0]))
    (calm, calm_result), (beside, beside_result) = ends
    assert same(calm, beside)
    assert calm_result == beside_result


def test_in_bfloat16_with_all_kinds_of_dropout_a_network_goes_about_the_same_way(case: Case) -> None:
    rough = Recipe.from_values(case.random[0].values() | {"train.precision": "mixed_bfloat16"})
    stack = Stack(structure_of(rough, space_of(rough)), case.split, 1)
    stack.load(rough, 0)
    found = stack.epoch()[0]
    exact = restarted(case.alone, (case.random[0], 0)).epoch()[0]
    assert found.finite
    assert found.train_loss == pytest.approx(exact.train_loss, rel=0.05)
    assert found.val_loss == pytest.approx(exact.val_loss, rel=0.05)
