"""Slots do not feel each other: a run's course depends on its recipe, its seed and the clock alone."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from stacks import WAYS, images, poison, recipe, restarted, space_of, stack_of

from lenet_search.engine import Stack
from lenet_search.recipe import Recipe
from lenet_search.structure import structure_of

STEADY = recipe(augment__shift=2, regularize__dropout=0.2, optimizer__sgd__learning_rate=0.05)
OTHER = recipe(
    augment__flip=0.5, regularize__l2=1e-3, optimizer__sgd__learning_rate=0.1, model__initializer="he_normal"
)
WILD = recipe(optimizer__sgd__learning_rate=10.0, regularize__l2=1.0)
SPACE = space_of(STEADY, OTHER, WILD)


def programs(stack: Stack) -> int:
    """How many were compiled for training."""
    train = stack._program.train
    return train._cache_size() if keras.backend.backend() == "jax" else train.experimental_get_tracing_count()


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("lowering", WAYS)
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_slot_that_diverges_leaves_the_others_bit_identical(lowering: str, precision: str) -> None:
    split = images(channels=3)
    steady, other, wild = (
        Recipe.from_values(one.values() | {"train.precision": precision}) for one in (STEADY, OTHER, WILD)
    )
    space = space_of(steady, other, wild)
    stack = Stack(structure_of(steady, space), split, 4, lowering=lowering)
    ends = []
    for third in (wild, steady):
        restarted(stack, (steady, 0), (other, 1), (third, 2), (other, 3))
        if third is wild:
            poison(stack, 2)
        results = [stack.epoch() for _ in range(2)][-1]
        assert results[2].finite == (third is not wild)
        assert all(results[slot].finite for slot in (0, 1, 3))
        ends.append(([stack.weights(slot) for slot in range(4)], results))
    (disturbed, disturbed_results), (calm, calm_results) = ends
    for slot in (0, 1, 3):
        assert same(disturbed[slot], calm[slot])
        assert disturbed_results[slot] == calm_results[slot]


def test_a_rate_that_is_far_too_high_is_seen_as_diverged() -> None:
    stack = stack_of(WILD, STEADY, split=images(), space=SPACE)
    results = [stack.epoch() for _ in range(5)][-1]  # 45 steps, each of which multiplies the weights by -19
    assert not results[0].finite
    assert results[1].finite


@pytest.mark.parametrize("lowering", WAYS)
def test_a_slot_loaded_beside_running_neighbours_goes_the_way_it_would_alone(lowering: str) -> None:
    split = images(channels=3)
    stack = stack_of(STEADY, OTHER, split=split, slots=3, space=SPACE, lowering=lowering)
    stack.epoch()
    late = stack.load(OTHER, seed=7)
    courses = [stack.epoch()[late] for _ in range(2)]
    together = stack.weights(late)

    (slot,) = restarted(stack, (OTHER, 7), clock=1).active
    for result in courses:
        lonely = stack.epoch()[slot]
        assert lonely.epoch == result.epoch
        assert lonely.train_loss == pytest.approx(result.train_loss, abs=1e-5)
        assert lonely.val_loss == pytest.approx(result.val_loss, abs=1e-5)
    for name, value in stack.weights(slot).items():
        np.testing.assert_allclose(together[name], value, atol=1e-5, rtol=0)


@pytest.mark.parametrize("lowering", WAYS)
def test_loading_and_unloading_leaves_the_neighbours_bit_identical(lowering: str) -> None:
    split = images(channels=3)
    stack = Stack(structure_of(STEADY, SPACE), split, 4, lowering=lowering)
    ends = []
    for changes in (True, False):
        restarted(stack, (STEADY, 0), (OTHER, 1), (OTHER, 2), (OTHER, 3)).epoch()
        if changes:
            stack.unload(2)
            assert stack.load(WILD, seed=9) == 2
        stack.epoch()
        ends.append([stack.weights(slot) for slot in range(4)])
    changed, steady = ends
    for slot in (0, 1, 3):
        assert same(changed[slot], steady[slot])
    assert not same(changed[2], steady[2])


def test_the_clock_decides_the_course_and_nothing_else_does() -> None:
    split = images()

    first, second = (stack_of(STEADY, split=split, space=SPACE) for _ in range(2))

    def course(stack: Stack, clock: int, seed: int) -> float:
        stack.unload(0)
        stack.clock = clock
        slot = stack.load(STEADY, seed)
        return stack.epoch()[slot].train_loss

    expected = course(second, 3, 5)
    assert course(first, 4, 5) != expected
    assert course(first, 3, 6) != expected
    assert course(first, 3, 5) == expected


def test_a_slot_is_refilled_without_compiling_anything() -> None:
    stack = stack_of(STEADY, OTHER, split=images(), space=SPACE)
    stack.epoch()
    assert programs(stack) == 1
    for seed in range(3):
        stack.unload(1)
        stack.load(recipe(augment__shift=seed, optimizer__sgd__learning_rate=0.01 * (seed + 1)), seed)
        stack.epoch()
    assert programs(stack) == 1


def test_a_stack_runs_fewer_slots_when_some_are_empty() -> None:
    stack = stack_of(STEADY, OTHER, split=images(), slots=4, space=SPACE)
    assert stack._chosen(stack.active) == [0, 1]
    assert (stack.free, stack.active) == (2, (0, 1))


def test_a_batch_larger_than_the_training_set_is_refused_in_plain_words() -> None:
    from lenet_search.errors import DataError

    with pytest.raises(DataError, match=r"train\.batch_size is 9999, but noise has only 152 training images"):
        stack_of(recipe(train__batch_size=9999), split=images())


def test_without_validation_images_training_is_the_same_and_nothing_is_measured() -> None:
    split = images()
    bare = replace(split, x_val=split.x_val[:0], y_val=split.y_val[:0])
    with_it, without = (Stack(structure_of(STEADY, SPACE), each, 1) for each in (split, bare))
    ends = []
    for stack in (with_it, without):
        slot = stack.load(STEADY, 3)
        (result,) = stack.epoch().values()
        ends.append((result, stack.weights(slot)))
    assert same(ends[0][1], ends[1][1])
    assert ends[1][0].finite and ends[1][0].train_loss == ends[0][0].train_loss
    assert np.isnan([ends[1][0].val_loss, ends[1][0].val_accuracy, ends[1][0].val_balanced_accuracy]).all()
