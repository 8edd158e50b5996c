import ast
import json
import shutil
from pathlib import Path

import numpy as np
import optuna
import pytest

from lenet_search.data import load
from lenet_search.errors import ResultError
from lenet_search.look.intervals import share_of
from lenet_search.results.export import export
from lenet_search.storage import artifact_folder
from lenet_search.study import read_recipe
from tests.results.trained import Trained, train_one

# Keras's TensorFlow variables do not know NumPy 2's `copy` yet; saving a model converts them
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

FILES = ["curves.csv", "importance.json", "model.keras", "recipe.json", "recipe.toml", "report.html", "train.py"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two classes of padded 28x28 images, a bright half on noise, learned in part: not all right, not all wrong."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(300) % 2)
    images = rng.integers(0, 120, (300, 28, 28), dtype=np.uint8)
    images[labels == 1, :14] += 8
    np.savez(folder / "halves.npz", x_train=images, y_train=labels, x_test=images[:40], y_test=labels[:40])
    values = {"data.name": "halves", "data.validation": 100, "train.epochs": 5, "train.batch_size": 25,
              "model.activation": "scaled_tanh", "regularize.dropout": 0.2,
              "regularize.l2": 1e-4, "augment.shift": 1, "optimizer.kind": "adam"}  # fmt: skip
    trained = train_one(folder, values)
    assert 0.6 < trained.run.curve["val_accuracy"][-1] < 0.98
    return trained


def exported(trained: Trained, folder: Path, with_data: bool = True) -> list[Path]:
    return export(trained.study, trained.url, folder, data_folder=trained.data_folder if with_data else None)


def test_an_export_holds_recipe_model_script_and_pictures(trained: Trained, tmp_path: Path) -> None:
    paths = exported(trained, tmp_path / "deep" / "out")
    assert [path.name for path in paths] == FILES
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == FILES
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]  # nothing half-written is left over


def test_the_exported_recipe_is_a_legal_study_file_with_the_trials_recipe(trained: Trained, tmp_path: Path) -> None:
    exported(trained, tmp_path / "out")
    definition, recipe = read_recipe(tmp_path / "out" / "recipe.toml")
    assert recipe == trained.run.recipe
    assert definition.metric == "val_accuracy"
    header = (tmp_path / "out" / "recipe.toml").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("# Trial 0, the best of 1 complete trials of study small:")
    found = share_of(trained.run.curve["val_accuracy"][-1], 100)
    assert f"{found.figure()} of 100 validation images correct (95 % interval {found.bounds()})" in header


def test_the_exported_model_is_plain_keras_and_as_accurate_as_the_trial(trained: Trained, tmp_path: Path) -> None:
    import keras

    exported(trained, tmp_path / "out")
    model = keras.models.load_model(tmp_path / "out" / "model.keras", safe_mode=True)
    split = load(trained.run.recipe.images, trained.data_folder)
    images = split.x_val[:, 2:-2, 2:-2]  # as the file has them: the model pads them itself
    probabilities = model.predict(images, verbose=0)
    assert probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    accuracy = float(np.mean(probabilities.argmax(axis=1) == split.y_val))
    assert accuracy == pytest.approx(trained.run.curve["val_accuracy"][-1], abs=1e-6)
    assert {type(layer).__module__.split(".")[0] for layer in model.layers} == {"keras"}


def test_the_exported_json_says_what_reproduces_the_trial(trained: Trained, tmp_path: Path) -> None:
    exported(trained, tmp_path / "out")
    said = json.loads((tmp_path / "out" / "recipe.json").read_text(encoding="utf-8"))
    assert said["values"] == trained.run.recipe.values()
    assert (said["study"], said["trial"], said["seed"], said["clocks"]) == ("small", 0, 3, [[0, 5]])
    assert said["model_val_accuracy"] == pytest.approx(said["value"], abs=1e-6)
    low, high = said["interval"]
    assert low <= said["value"] <= high


def test_without_the_images_the_export_says_that_the_model_was_not_measured(trained: Trained, tmp_path: Path) -> None:
    exported(trained, tmp_path / "out", with_data=False)
    assert json.loads((tmp_path / "out" / "recipe.json").read_text(encoding="utf-8"))["model_val_accuracy"] is None


def test_the_exported_script_and_page_are_whole(trained: Trained, tmp_path: Path) -> None:
    exported(trained, tmp_path / "out")
    ast.parse((tmp_path / "out" / "train.py").read_text(encoding="utf-8"))
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").endswith("</html>\n")


def test_a_second_export_replaces_the_first_and_leaves_other_files_alone(trained: Trained, tmp_path: Path) -> None:
    exported(trained, tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "out" / "recipe.toml").write_text("old", encoding="utf-8")
    exported(trained, tmp_path / "out")
    assert (tmp_path / "out" / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "out" / "recipe.toml").read_text(encoding="utf-8") != "old"


def test_weights_that_are_gone_end_the_export_with_advice_and_without_a_folder(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = artifact_folder(trained.url)
    shutil.move(folder, tmp_path / "elsewhere")
    try:
        with pytest.raises(ResultError, match=r"weights of trial 0.*copy that folder"):
            exported(trained, tmp_path / "out")
    finally:
        shutil.move(tmp_path / "elsewhere", folder)
    assert not (tmp_path / "out").exists()


def test_weights_of_another_trial_are_noticed_and_nothing_is_written(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lenet_search.results import export as module
    from lenet_search.storage.trials import load_weights

    def strange(*arguments: object) -> dict[str, np.ndarray]:
        weights = load_weights(*arguments) or {}  # type: ignore[arg-type]
        return {**weights, "logits.kernel": -weights["logits.kernel"]}

    monkeypatch.setattr(module, "load_weights", strange)
    with pytest.raises(ResultError, match="do not belong to that trial"):
        exported(trained, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_midway_leaves_the_old_one_untouched(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lenet_search.results import export as module

    exported(trained, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def full(study: optuna.Study) -> str:
        raise OSError("No space left on device")

    monkeypatch.setattr(module, "report_page", full)
    with pytest.raises(ResultError, match=r"cannot write to .*No space left"):
        exported(trained, tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_in_the_folders_place_is_not_overwritten(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(ResultError, match="expected a folder"):
        exported(trained, tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
