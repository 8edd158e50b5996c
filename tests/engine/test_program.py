"""What the program of an epoch is made of, as JAX traces it: what a GPU's speed depends on, and no parity test sees."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from stacks import images, recipe, space_of, stack_of

from lenet_search.engine import Stack

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="JAX shows what it traces")
EVERYTHING = {
    "augment__shift": 2, "augment__cutout": 4, "augment__brightness": 0.2, "regularize__dropout": 0.2,
    "regularize__spatial_dropout": 0.2, "regularize__input_dropout": 0.1, "regularize__l2": 1e-3,
    "optimizer__clip_norm": 1.0, "optimizer__kind": "adam",
}  # fmt: skip
STEPS = 9  # of an epoch of 152 images in batches of 16


@pytest.fixture(scope="module", params=["rows", "tiles"])
def stack(request: pytest.FixtureRequest) -> Stack:
    one, other = recipe(**EVERYTHING), recipe(**EVERYTHING | {"augment__rotate": 10.0, "augment__flip": 0.5})
    return stack_of(one, other, split=images(channels=3), space=space_of(one, other), lowering=request.param)


@pytest.fixture(scope="module")
def traced(stack: Stack) -> Any:
    """The program's call with its arguments, as JAX traces it."""
    given: list[Any] = []
    train = stack._program.train

    def watch(*arguments: Any) -> Any:
        given[:] = [train.trace(*arguments)]
        return train(*arguments)

    stack._program.train = watch
    try:
        stack.epoch()
    finally:
        stack._program.train = train
    return given[0]


def operations(jaxpr: Any) -> Iterator[Any]:
    """All operations of a program and of those within."""
    for each in jaxpr.eqns:
        yield each
        for inner in inner_programs(each):
            yield from operations(inner)


def inner_programs(operation: Any) -> Iterator[Any]:
    for value in operation.params.values():
        for each in value if isinstance(value, tuple | list) else (value,):
            inner = getattr(each, "jaxpr", each)
            if hasattr(inner, "eqns"):
                yield inner


def loops(jaxpr: Any) -> list[Any]:
    """The loops of a program, without those within other loops."""
    found = []
    for each in jaxpr.eqns:
        if each.primitive.name in ("while", "scan"):
            found.append(each)
        else:
            found += [loop for inner in inner_programs(each) for loop in loops(inner)]
    return found


def of_steps(traced: Any) -> Any:
    """The body of the loop over steps."""
    (found,) = [each for each in loops(traced.jaxpr.jaxpr) if products(each)]
    (body,) = [inner for inner in inner_programs(found) if products_in(inner)]
    return body


def products_in(jaxpr: Any) -> int:
    return sum(each.primitive.name == "dot_general" for each in operations(jaxpr))


def products(operation: Any) -> int:
    return sum(products_in(inner) for inner in inner_programs(operation))


def test_an_epoch_is_one_loop_over_its_steps_with_no_loop_inside(traced: Any) -> None:
    assert loops(of_steps(traced)) == []


def test_random_numbers_are_drawn_before_the_loop(traced: Any) -> None:
    # Philox multiplies halves of words: nothing else in the program shifts bits.
    inside = {each.primitive.name for each in operations(of_steps(traced))}
    everywhere = {each.primitive.name for each in operations(traced.jaxpr.jaxpr)}
    assert "shift_right_logical" in everywhere
    assert "shift_right_logical" not in inside


def test_no_lookup_is_merged_into_what_reads_it_for_a_product(traced: Any) -> None:
    body = of_steps(traced)
    assert products_in(body) > 6
    assert unstored(body) == []
    barriers = [each for each in operations(body) if each.primitive.name == "optimization_barrier"]
    assert len(barriers) >= 5  # images; windows and matrices of two convolutions


def unstored(jaxpr: Any) -> list[str]:
    """Products one of whose operands comes from a lookup with no stored array between."""
    made_by = {variable: each for each in jaxpr.eqns for variable in each.outvars}
    found = []
    for each in jaxpr.eqns:
        for inner in inner_programs(each):
            found += unstored(inner)
        if each.primitive.name == "dot_general":
            seen, waiting = set(), list(each.invars)
            while waiting:
                variable = waiting.pop()
                source = made_by.get(variable) if type(variable).__name__ == "Var" else None
                if source is None or id(source) in seen or source.primitive.name == "optimization_barrier":
                    continue
                seen.add(id(source))
                if source.primitive.name == "gather" and np.prod(source.outvars[0].aval.shape) > 10_000:
                    found.append(str(each.outvars))
                waiting += source.invars
    return found


def test_what_slots_have_learned_is_used_up_by_the_program(stack: Stack, traced: Any) -> None:
    numbers = sum(array.size for array in (stack._state.weights, *stack._state.moments, stack._state.moving))
    compiled = traced.lower().compile()
    assert compiled.memory_analysis().alias_size_in_bytes >= 4 * numbers
