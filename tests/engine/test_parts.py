"""Epochs that are trained in parts: where memory is short, and to tell how far a long one is."""

import math

import numpy as np
import pytest
from stacks import images, recipe, stack_of

from lenet_search.engine import program as programs

EVERYTHING = {
    "augment__shift": 2, "augment__cutout": 4, "augment__brightness": 0.2, "regularize__dropout": 0.2,
    "regularize__spatial_dropout": 0.2, "regularize__input_dropout": 0.1, "optimizer__kind": "adam",
}  # fmt: skip
STEPS = 9  # of an epoch of 152 images in batches of 16


def test_an_epoch_in_parts_whose_draws_fit_into_memory_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one = recipe(**EVERYTHING)
    whole, divided = (stack_of(one, split=images(channels=3)) for _ in range(2))
    of_step = 4 * sum(math.prod(shape) for shape in whole._program._draws.values())  # bytes
    expected = whole.epoch()[0]
    monkeypatch.setattr(programs, "DRAWS", 4 * of_step)
    assert divided._program.parts(STEPS) == 3
    told: list[float] = []
    found = divided.take(divided.compute(told.append))[0]
    assert told == pytest.approx([1 / 3, 2 / 3])
    assert found.train_loss == pytest.approx(expected.train_loss, rel=1e-6)
    for name, value in whole.weights(0).items():
        np.testing.assert_array_equal(divided.weights(0)[name], value)


@pytest.mark.parametrize(
    ("steps", "parts"), [(351, 13), (55_000, 11), (32, 2), (64, 4), (STEPS, 1), (353, 1), (0, 1), (1, 1)]
)
def test_on_a_processor_a_long_epoch_has_parts_of_one_length(
    monkeypatch: pytest.MonkeyPatch, steps: int, parts: int
) -> None:
    monkeypatch.setattr(programs, "DRAWS", 10**12)
    program = stack_of(recipe(**EVERYTHING), split=images(channels=3))._program
    assert program.parts(steps) == parts
    monkeypatch.setattr(programs.backend, "on_gpu", lambda: True)
    assert program.parts(steps) == 1
