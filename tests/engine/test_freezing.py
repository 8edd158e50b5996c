"""A frozen run goes on in another stack as if it had never left its own."""

import numpy as np
import pytest
from stacks import images, recipe, space_of, stack_of

from lenet_search.engine import Stack
from lenet_search.recipe.optimizer import OPTIMIZERS
from lenet_search.structure import structure_of

SPLIT = images()


@pytest.mark.parametrize(("kind", "batch_norm"), [*((kind, False) for kind in OPTIMIZERS), ("adam", True)])
def test_a_frozen_run_goes_on_to_the_bit(kind: str, batch_norm: bool) -> None:
    one = recipe(optimizer__kind=kind, model__batch_norm=batch_norm, augment__shift=2, schedule__kind="cosine")
    space = space_of(one)
    first = stack_of(one, split=SPLIT, space=space)
    first.epoch()
    state, done = first.freeze(0), first.epochs(0)
    expected = [first.epoch()[0] for _ in range(2)]  # what is frozen is a copy

    second = Stack(structure_of(one, space), SPLIT, 1, clock=1)
    slot = second.thaw(one, done, state)
    assert [second.epoch()[slot] for _ in range(2)] == expected
    for name, value in first.weights(0).items():
        np.testing.assert_array_equal(second.weights(slot)[name], value)


def test_an_epoch_that_is_computed_does_not_count_until_it_is_taken() -> None:
    stack = stack_of(recipe(), split=SPLIT)
    before = stack.freeze(0)
    computed = stack.compute()
    assert stack.clock == stack.epochs(0) == 0
    assert np.array_equal(stack.freeze(0).weights, before.weights)
    stack.take(computed)
    assert stack.clock == stack.epochs(0) == 1
    assert not np.array_equal(stack.freeze(0).weights, before.weights)


def test_a_state_of_another_structure_is_refused_and_takes_no_slot() -> None:
    adam, sgd = recipe(optimizer__kind="adam"), recipe()
    state = stack_of(adam, split=SPLIT).freeze(0)
    stack = Stack(structure_of(sgd, space_of(sgd)), SPLIT, 1)
    with pytest.raises(ValueError, match="another structure"):
        stack.thaw(sgd, 1, state)
    assert stack.free == 1


def test_a_run_that_does_not_fit_into_memory_leaves_its_slot_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = stack_of(recipe(), split=images(), slots=2)
    stack.epoch()
    frozen = stack.freeze(0)

    def short(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(stack, "_write", short)
        for fill in (lambda: stack.load(recipe(), 1), lambda: stack.thaw(recipe(), 1, frozen)):
            with pytest.raises(MemoryError):
                fill()
            assert stack.active == (0,)
    assert list(stack.epoch()) == [0]


def test_slots_are_copied_to_the_host_together() -> None:
    stack = stack_of(recipe(), recipe(), split=images())
    stack.epoch()
    for array in (stack._state.weights, stack._state.moments.first):
        assert np.shares_memory(np.asarray(array), np.asarray(array))
