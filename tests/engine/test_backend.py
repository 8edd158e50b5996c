"""TensorFlow and JAX give the same: draws to the bit, training within rounding; which one runs is Keras's choice."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from stacks import WAYS, images, recipe, stack_of

from lenet_search.engine import backend

ROOT = Path(__file__).parents[2]
STEPS = 18  # two epochs of nine
# Over 18 steps the weights move by 0.1; they differ by 1e-6 where an addition has another order.
TOLERANCE = 2e-5
EVERYTHING = {
    "augment__flip": 0.5, "augment__shift": 2, "augment__rotate": 10.0, "augment__zoom": 0.1,
    "augment__brightness": 0.2, "augment__contrast": 0.2, "augment__cutout": 4,
    "regularize__dropout": 0.3, "regularize__spatial_dropout": 0.2,
    "regularize__l2": 1e-3, "optimizer__clip_norm": 1.0,
}  # fmt: skip


def trained() -> dict[str, Any]:
    """The losses and weights of two runs, and the backend that has trained them."""
    recipes = [
        recipe(optimizer__sgd__learning_rate=0.05, optimizer__sgd__momentum=0.9, model__batch_norm=True, **EVERYTHING),
        recipe(optimizer__kind="adam", optimizer__adam__epsilon=1e-4, model__batch_norm=True),
    ]
    stack = stack_of(*recipes, split=images(channels=3))
    results = [stack.epoch() for _ in range(2)][-1]
    losses = np.array([(results[slot].train_loss, results[slot].val_loss) for slot in (0, 1)])
    weights = {f"{slot} {name}": value for slot in (0, 1) for name, value in stack.weights(slot).items()}
    return {"losses": losses, "backend": next(iter(backend.versions())), **weights}


def python(code: str, backend_name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    environment = {**os.environ, "KERAS_BACKEND": backend_name, "PYTHONPATH": paths}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_both_backends_train_the_same_recipes_to_the_same_weights(tmp_path: Path) -> None:
    expected = trained()
    other = {"tensorflow": "jax", "jax": "tensorflow"}[expected.pop("backend")]
    pytest.importorskip(other)
    code = "import sys, numpy, test_backend; numpy.savez(sys.argv[1], **test_backend.trained())"
    done = python(code, other, str(tmp_path / "other.npz"))
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "other.npz")
    assert found["backend"] == other
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=TOLERANCE, rtol=0, err_msg=name)


def test_draws_are_the_same_to_the_bit_in_every_way_of_computing_them() -> None:
    tf = pytest.importorskip("tensorflow")
    # What TensorFlow's kernel has always given: a change would change every stored trial.
    for shape, stream, moment in (((3, 5), 0, 0), ((9, 130), 1000, 7), ((2, 1, 3), 12, 2**31 - 1)):
        moments = np.array([moment, 5], np.int32)
        expected = [tf.random.stateless_uniform(shape, (stream, each), alg="philox").numpy() for each in moments]
        plainly = np.asarray(backend.uniform(shape, stream, ops.convert_to_tensor(moments)))
        compiled = np.asarray(backend.compiled(lambda m, s=shape, n=stream: backend.uniform(s, n, m))(moments))
        np.testing.assert_array_equal(plainly, expected)
        np.testing.assert_array_equal(compiled, expected)


def test_draws_depend_on_stream_and_moment_and_fill_the_unit_interval() -> None:
    first, *others = (
        np.asarray(backend.uniform((10_000,), stream, ops.convert_to_tensor([moment])))[0]
        for stream, moment in ((0, 0), (1, 0), (0, 1))
    )
    assert first.min() >= 0
    assert first.max() < 1
    assert abs(first.mean() - 0.5) < 5 / np.sqrt(12 * len(first))
    for other in others:
        assert abs(np.corrcoef(first, other)[0, 1]) < 5 / np.sqrt(len(first))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles with XLA anyway")
@pytest.mark.parametrize("lowering", WAYS)
def test_tensorflow_can_have_whole_epochs_compiled_by_xla(lowering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    split = images(channels=3)
    everything = EVERYTHING if lowering != "separate" else {}  # augmentation knows nothing of lowerings
    recipes = [recipe(**everything), recipe(optimizer__kind="adam", optimizer__adam__epsilon=1e-4)]
    ends = []
    plain = backend.compiled
    for xla in (False, True):
        monkeypatch.setattr(backend, "compiled", lambda function, consumed=0, xla=xla: plain(function, xla=xla))
        monkeypatch.setattr(
            backend.chosen, "on_gpu", lambda xla=xla: xla
        )  # then arrays are stored before they are read
        stack = stack_of(*recipes, split=split, lowering=lowering)
        ends.append((stack.epoch(), stack))
    (expected, one), (found, other) = ends
    for slot in (0, 1):
        assert found[slot].val_loss == pytest.approx(expected[slot].val_loss, abs=1e-5)
        for name, value in one.weights(slot).items():
            np.testing.assert_allclose(other.weights(slot)[name], value, atol=TOLERANCE, rtol=0, err_msg=name)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles programs as a whole")
def test_programs_that_differ_in_activation_share_the_update_and_what_else_they_have_in_common() -> None:
    one, other = (stack_of(recipe(model__activation=kind), split=images(channels=3)) for kind in ("relu", "tanh"))
    assert one.structure != other.structure
    assert one._program._update is other._program._update
    assert backend.fused(np.add, 1) is backend.fused(np.add, 1)
    assert backend.fused(np.add, 1) is not backend.fused(np.add, 2)


@pytest.mark.parametrize("name", ["torch", "nonsense"])
def test_another_backend_is_refused_with_what_works_and_how_to_choose_it(name: str) -> None:
    refused = python(
        "from lenet_search.errors import RunError\n"
        "try:\n    import lenet_search.engine\n"
        "except RunError as error:\n    print(error)",
        name,
    )
    assert refused.returncode == 0, refused.stderr
    assert name in refused.stdout
    assert "KERAS_BACKEND to tensorflow, or to jax (pip install 'lenet-search[jax]')" in refused.stdout
