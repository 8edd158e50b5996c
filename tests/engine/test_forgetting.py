"""What stays of a program when its stack is gone."""

import gc

import keras
import pytest
from stacks import images, recipe, stack_of

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's graphs")


def programs() -> set[int]:
    """The graphs of all epochs and evaluations that were ever compiled and are still there."""
    import tensorflow as tf

    gc.collect()
    graphs = [found for found in gc.get_objects() if issubclass(type(found), tf.Graph)]
    return {id(graph) for graph in graphs if getattr(graph, "name", "") in ("_train", "_evaluate")}


@pytest.mark.parametrize(
    ("activation", "pooling", "batch_norm"),
    [("tanh", "average", False), ("relu", "max", False), ("gelu", "max", True), ("silu", "average", True)],
)
def test_a_stack_that_is_dropped_takes_its_program_along(activation: str, pooling: str, batch_norm: bool) -> None:
    before = programs()
    one = recipe(model__activation=activation, model__pooling=pooling, model__batch_norm=batch_norm)
    stack = stack_of(one, one, split=images())
    stack.epoch()
    assert len(programs() - before) == 2
    del stack
    assert programs() <= before
