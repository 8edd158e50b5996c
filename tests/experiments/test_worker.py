from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lenet_search.experiments.kept import Kept
from lenet_search.experiments.worker import work
from lenet_search.recipe import Recipe

# Keras's TensorFlow variables do not know NumPy 2's `copy` yet; saving a model and predicting convert them
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

VALUES = Recipe.from_values(
    {"data.name": "tiny", "data.validation": 40, "train.epochs": 2, "train.batch_size": 40, "optimizer.kind": "adam"}
).values()


def job(folder: Path, **changes: Any) -> dict[str, Any]:
    whole = {
        "values": VALUES, "folder": str(folder / "mine"), "data": str(folder), "threads": 1,
        "train": [], "test": [], "test_limit": None,
    }  # fmt: skip
    return whole | changes


def test_seeds_are_trained_side_by_side_kept_and_measured_when_asked(tiny_npz: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    kept, told = Kept(tmp_path / "mine"), list[Mapping[str, Any]]()
    work(job(tmp_path, train=[1, 2], test=[1]), told.append)
    one, two = kept.run(1), kept.run(2)
    assert one is not None and two is not None
    assert one.stack == two.stack == [1, 2]
    assert (one.n, two.n) == (60, None)
    assert one.curve["val_loss"] != two.curve["val_loss"]
    assert [(each["epochs"], each["of"]) for each in told[:2]] == [(2, 4), (4, 4)]
    assert told[2:] == [{"testing": 1}]

    work(job(tmp_path, test=[2], test_limit=10), told.append)
    two = kept.run(2)
    assert two is not None and two.n == 10


def test_a_run_that_diverges_is_kept_as_such_and_never_measured(tiny_npz: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    wild = {"optimizer.kind": "sgd", "optimizer.sgd.learning_rate": 10.0, "model.activation": "relu",
            "regularize.l2": 1.0}  # fmt: skip
    values = {path: value for path, value in VALUES.items() if not path.startswith("optimizer.")} | wild
    work(job(tmp_path, values=values, train=[1], test=[1]), lambda message: None)
    run = Kept(tmp_path / "mine").run(1)
    assert run is not None and run.diverged and run.n is None
    assert not Kept(tmp_path / "mine").model(1).exists()
