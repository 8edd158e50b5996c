"""Files of runs, exports and settings to damage: frozen, finished and trained runs, weights, keras.json."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np

from fuzzing.damage import array_bytes, damaged, damaged_archive, damaged_json
from lenet_search import keras_settings
from lenet_search.errors import ResultError
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.frozen import RUN, WEIGHT, SlotState, read_finished, read_frozen
from lenet_search.model.predictor import _images_beside
from lenet_search.model.trained_on import trained_on
from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run, curves_csv
from lenet_search.storage.kept import Kept
from lenet_search.storage.trials import KEPT_AS, load_weights

IMAGES = {
    "name": "digits", "digest": "0" * 16, "image_shape": [28, 28, 1], "pad": 0, "classes": 3,
    "class_names": ["0", "1", "2"], "mean": [0.1], "std": [0.3], "train": 216, "validation": 24,
    "source": {"format": "npz", "files": [], "size": 0}, "frame": {"side": 20, "by": "mass"},
}  # fmt: skip
VERSIONS = {"keras": "3.15", "numpy": "2"}
ARTIFACT = "0123abcd"


def a_run(seed: int = 1) -> Run:
    """A run of two epochs, with a result on the test set."""
    recipe = Recipe.from_values({"data.name": "digits", "train.epochs": 2})
    return Run(recipe, seed, IMAGES, [(0, 2)], Curve.constant([0.5, 0.25]), False, "CPU", VERSIONS, 1.5, 50, 60)


def _use(run: Run) -> None:
    """What commands do with any run that they read: all of it must hold once it is read."""
    text = json.dumps(run.to_json(), allow_nan=False)
    assert text == json.dumps(Run.from_json(json.loads(text)).to_json())
    run.is_of(Recipe(), 1)
    curves_csv("seed", [(run.seed, run.curve)])
    assert run.test_accuracy is None or 0 <= run.test_accuracy <= 1
    assert isinstance(run.over, bool)
    run.back_to(1)


def _archive_of_run(rng: Random, arrays: dict[str, np.ndarray]) -> bytes:
    text = json.dumps(a_run().to_json())
    text = damaged_json(rng, json.loads(text)) if rng.random() < 0.6 else text
    raw = np.frombuffer(text.encode("utf-8", "surrogateescape"), np.uint8)
    members = {f"{name}.npy": array_bytes(array) for name, array in {RUN: raw, **arrays}.items()}
    return damaged_archive(rng, members)


def frozen_file(rng: Random, folder: Path) -> Path:
    """A damaged frozen run."""
    state = {
        name: np.arange(n, dtype=np.float32) for name, n in zip(SlotState.__annotations__, (6, 6, 6, 0, 2), strict=True)
    }
    (folder / "run.npz").write_bytes(_archive_of_run(rng, state))
    return folder / "run.npz"


def finished_file(rng: Random, folder: Path) -> Path:
    """A damaged finished run."""
    weights = {f"{WEIGHT}kernel": np.ones((5, 5), np.float32), f"{WEIGHT}bias": np.ones(3, np.float32)}
    (folder / "run.finished.npz").write_bytes(_archive_of_run(rng, weights))
    return folder / "run.finished.npz"


def read_run(read: Callable[[Path], tuple[Run, Any] | None]) -> Callable[[Path], None]:
    """Reads a run of one kind, and uses it."""

    def reading(path: Path) -> None:
        found = read(path)
        assert found is not None
        _use(found[0])

    return reading


READ_FROZEN, READ_FINISHED = read_run(read_frozen), read_run(read_finished)


def weights_file(rng: Random, folder: Path) -> Path:
    """A damaged artifact."""
    members = {"kernel.npy": array_bytes(np.ones((5, 5), np.float32)), "bias.npy": array_bytes(np.ones(3))}
    (folder / ARTIFACT).write_bytes(damaged_archive(rng, members))
    return folder / ARTIFACT


def read_weights(path: Path) -> None:
    """As `best --export` reads them."""
    trial: Any = SimpleNamespace(number=0, system_attrs={KEPT_AS: path.name})
    load_weights(path.parent, trial)


def _summary() -> dict[str, Any]:
    return {"values": a_run().recipe.values(), "images": IMAGES, "precision": "float32", "data_folder": "/nowhere"}


def recipe_file(rng: Random, folder: Path) -> Path:
    """A damaged recipe.json of an export or a training."""
    path = folder / "recipe.json"
    path.write_text(damaged_json(rng, _summary()), encoding="utf-8", errors="surrogateescape")
    return path


def read_recipe_file(path: Path) -> None:
    """As `evaluate`, `predict` and `train` read it; the last error is passed on."""
    kept = Kept(path.parent)
    told: ResultError | None = None
    for read in (
        lambda: _images_beside(path.with_name("model.keras")),
        lambda: trained_on(path.with_name("model.keras")),
        lambda: kept.begin(a_run().recipe, IMAGES, ""),
        lambda: kept.precision,
        lambda: kept.data_folder,
        lambda: kept.settle("float32"),
    ):
        try:
            read()
        except ResultError as error:
            told = error
    if told is not None:
        raise told


def seed_folder(rng: Random, folder: Path) -> Path:
    """The folder of a trained recipe with a damaged file of a run; sometimes one of version 0.1.0."""
    raw = a_run().to_json()
    if rng.random() < 0.2:
        del raw["recipe"], raw["clocks"]
        raw |= {"stack": [1, 2]}
    (folder / "recipe.json").write_text(json.dumps(_summary()))
    (folder / "seed-1.json").write_text(damaged_json(rng, raw), encoding="utf-8", errors="surrogateescape")
    (folder / "seed-1.keras").write_bytes(b"PK\x05\x06" + bytes(18))  # an empty archive
    return folder


def read_seeds(folder: Path) -> None:
    """As `train`, `reproduce` and `compare` read it, and its figures."""
    kept = Kept(folder)
    run = kept.run(1)
    if run is not None:
        _use(run)
        task = Task("digits", "Digits", run.recipe, None, (1,))
        json.dumps(Result.of(task, kept, IMAGES, 1).summary(), allow_nan=False)


def settings_folder(rng: Random, folder: Path) -> Path:
    """A damaged keras.json."""
    settings = {"floatx": "float16", "epsilon": 1e-3, "backend": "tensorflow", "image_data_format": "channels_first"}
    text = damaged_json(rng, settings).encode("utf-8", "surrogateescape")
    (folder / "keras.json").write_bytes(damaged(rng, text) if rng.random() < 0.3 else text)
    return folder


def read_settings(folder: Path) -> None:
    """As each process that uses Keras starts. No settings are an error: what is wrong with them is set aside."""
    before = dict(os.environ)
    os.environ["KERAS_HOME"] = str(folder)
    os.environ.pop("KERAS_BACKEND", None)
    try:
        keras_settings.set_aside()
    finally:
        os.environ.clear()
        os.environ.update(before)
