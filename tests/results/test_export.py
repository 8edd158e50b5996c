import ast
import json
import os
import resource
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from lenet_search.data import load
from lenet_search.data.dataset import silent
from lenet_search.errors import ResultError
from lenet_search.experiments.images import data_folder_of, look, other_images
from lenet_search.experiments.task import task_of
from lenet_search.look.intervals import share_of
from lenet_search.results.export import Export, export
from lenet_search.storage import DATA_FOLDERS, artifact_folder
from lenet_search.study import read_recipe
from tests.results.trained import Trained, train_one
from tests.test_whole import moved_between_disks

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


def exported(trained: Trained, folder: Path, data_folder: Path | None = None) -> Export:
    return export(trained.study, trained.url, folder, data_folder=data_folder or trained.data_folder)


def told(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    return content


def test_an_export_holds_recipe_model_script_and_pictures(trained: Trained, tmp_path: Path) -> None:
    made = exported(trained, tmp_path / "deep" / "out")
    assert [path.name for path in made.files] == FILES
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
    said = told(tmp_path / "out")
    assert said["values"] == trained.run.recipe.values()
    assert (said["study"], said["trial"], said["seed"], said["clocks"]) == ("small", 0, 3, [[0, 5]])
    assert said["model_val_accuracy"] == pytest.approx(said["value"], abs=1e-6)
    low, high = said["interval"]
    assert low <= said["value"] <= high


def test_without_the_images_the_export_says_that_the_model_was_not_measured(trained: Trained, tmp_path: Path) -> None:
    made = export(trained.study, trained.url, tmp_path / "out")
    assert made.not_measured is not None
    assert "there is no data set 'halves'" in made.not_measured
    assert told(tmp_path / "out")["model_val_accuracy"] is None
    assert told(tmp_path / "out")["not_measured"] == made.not_measured


def test_images_are_found_where_the_search_found_them(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENET_SEARCH_DATA", str(tmp_path))  # a folder that has other things
    trained.study.set_user_attr(DATA_FOLDERS, {"halves": str(trained.data_folder)})
    try:
        made = export(trained.study, trained.url, tmp_path / "out")
    finally:
        trained.study.set_user_attr(DATA_FOLDERS, {})
    assert made.not_measured is None
    assert told(tmp_path / "out")["data_folder"] == str(trained.data_folder)
    script = (tmp_path / "out" / "train.py").read_text(encoding="utf-8")
    assert f'default="{trained.data_folder / "halves.npz"}"' in script


def test_other_images_of_the_same_name_are_not_measured_and_it_is_said(trained: Trained, tmp_path: Path) -> None:
    with np.load(trained.data_folder / "halves.npz") as file:
        arrays = dict(file)
    arrays["x_train"][0, 0, 0] ^= 1
    np.savez(tmp_path / "halves.npz", **arrays)
    made = exported(trained, tmp_path / "out", data_folder=tmp_path)
    assert made.not_measured == "the images of halves found here are not those that the trial was trained on"
    assert told(tmp_path / "out")["model_val_accuracy"] is None
    assert str(tmp_path) not in (tmp_path / "out" / "train.py").read_text(encoding="utf-8")


def test_the_exported_recipe_trains_on_its_images_from_any_folder(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(trained, tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for recipe in (tmp_path / "out" / "recipe.toml", "../out/recipe.toml"):
        task, _ = task_of(recipe, 1)
        folder = data_folder_of([task], None)
        assert folder == trained.data_folder
        images = look([task], folder, silent)[task.name].images
        assert images["digest"] == trained.run.images["digest"]
        assert other_images(task, images) == ""
        assert "other images" in other_images(task, {**images, "digest": "0" * 16})


@pytest.mark.parametrize("name", ["with space", "äöü", os.fsdecode(b"caf\xe9"), "new\nline", "bell\a"])
def test_every_file_of_an_export_is_good_whatever_the_folder_is_called(
    trained: Trained, tmp_path: Path, name: str
) -> None:
    exported(trained, tmp_path / name)
    read_recipe(tmp_path / name / "recipe.toml")
    ast.parse((tmp_path / name / "train.py").read_text(encoding="utf-8"))


def test_an_export_to_a_mounted_folder_is_whole(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, moved_between_disks(tmp_path / "out")(getattr(os, name)))
    exported(trained, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


@pytest.mark.parametrize("bytes_left", [1000, 100_000])
def test_a_full_disk_ends_an_export_without_a_trace(trained: Trained, tmp_path: Path, bytes_left: int) -> None:
    """First the model does not fit, then the page, whose plots need megabytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, hard))
    try:
        with pytest.raises(ResultError, match=r"cannot write to .*deep/out: .* too large; nothing was exported"):
            exported(trained, tmp_path / "deep" / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


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
    from lenet_search.results import chosen as module
    from lenet_search.storage.trials import load_weights

    def strange(*arguments: object) -> dict[str, np.ndarray]:
        weights = load_weights(*arguments) or {}  # type: ignore[arg-type]
        return {**weights, "logits.kernel": -weights["logits.kernel"]}

    monkeypatch.setattr(module, "load_weights", strange)
    with pytest.raises(
        ResultError,
        match=r"accuracy of \d+\.\d\d %, but its run \(seed \d+\) had \d+\.\d\d %: it is not the model of that run",
    ):
        exported(trained, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_midway_leaves_the_old_one_untouched(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lenet_search.results import export as module

    exported(trained, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def full(study: optuna.Study, url: str) -> str:
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
