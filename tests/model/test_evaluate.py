import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lenet_search.data import load
from lenet_search.errors import DataError, ResultError
from lenet_search.look.intervals import share_of
from lenet_search.model.evaluate import evaluate, load_model
from lenet_search.model.predictor import open_model
from lenet_search.recipe import Recipe

# Keras's TensorFlow variables do not know NumPy 2's `copy` yet; saving a model converts them
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def saved(path: Path, *layers: Any, shape: tuple[int, ...] = (32, 32, 1)) -> Path:
    import keras

    keras.Sequential([keras.Input(shape), *layers]).save(path)
    return path


@pytest.fixture
def brightness_model(tmp_path: Path) -> Path:
    """A model of three classes that says which third of the image is brightest, as `tiny_npz` is made."""
    import keras

    rows = keras.layers.AveragePooling2D((10, 32), strides=(10, 32))  # three bands of ten rows, then flat
    return saved(tmp_path / "model.keras", rows, keras.layers.Flatten(), keras.layers.Softmax())


def test_the_test_set_is_counted_with_interval_and_confusion(brightness_model: Path, tiny_npz: Path) -> None:
    found = evaluate(brightness_model, "tiny", tiny_npz.parent)
    with np.load(tiny_npz) as arrays:
        images, labels = arrays["x_test"], arrays["y_test"]
    guesses = images[:, :30].reshape(60, 3, -1).mean(axis=2).argmax(axis=1)
    assert found.accuracy.n == 60
    assert found.accuracy.value == pytest.approx(float(np.mean(guesses == labels)))
    assert found.accuracy == share_of(found.accuracy.value, 60)
    for true in range(3):
        assert np.array_equal(found.confusion[true], np.bincount(guesses[labels == true], minlength=3))
    assert found.class_names == ("0", "1", "2")


def test_without_a_name_the_recipe_beside_the_model_names_the_data(brightness_model: Path, tiny_npz: Path) -> None:
    beside = brightness_model.with_name("recipe.json")
    beside.write_text(json.dumps({"values": {"data.name": "tiny"}}), encoding="utf-8")
    assert evaluate(brightness_model, None, tiny_npz.parent).accuracy.n == 60


def beside(model: Path, npz: Path, **changes: Any) -> None:
    """A recipe.json as an export writes it, for a model that was trained on the images of the file `npz`."""
    recipe = Recipe.from_values({"data.name": "tiny", "data.validation": 24})
    content = {"values": recipe.values(), "images": load(recipe.images, npz.parent).describe()}
    content["data_folder"] = str(npz.parent)
    model.with_name("recipe.json").write_text(json.dumps(content | changes), encoding="utf-8")


def other_images(folder: Path, npz: Path, name: str = "tiny") -> Path:
    """A data set of which one training pixel is another."""
    with np.load(npz) as file:
        arrays = dict(file)
    arrays["x_train"][0, 0, 0] ^= 1
    folder.mkdir(exist_ok=True)
    np.savez(folder / f"{name}.npz", **arrays)
    return folder


def test_the_images_that_a_model_was_trained_on_are_found_where_they_were(
    brightness_model: Path, tiny_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside(brightness_model, tiny_npz)
    found = evaluate(brightness_model)
    assert (found.trained_on, found.measured_on, found.same_images) == ("tiny", "tiny", True)
    assert found.remark == ""


def test_other_images_of_that_name_are_measured_only_when_they_are_named(
    brightness_model: Path, tiny_npz: Path, tmp_path: Path
) -> None:
    beside(brightness_model, tiny_npz)
    folder = other_images(tmp_path / "changed", tiny_npz)
    with pytest.raises(ResultError, match=r"not trained on the training images of tiny .*--on tiny"):
        evaluate(brightness_model, None, folder)
    found = evaluate(brightness_model, "tiny", folder)
    assert (found.trained_on, found.measured_on, found.same_images) == ("tiny", "tiny", False)
    assert found.remark == "The model was trained on other images of tiny than these."
    assert evaluate(brightness_model, "tiny", tiny_npz.parent).same_images


def test_another_data_set_is_measured_with_a_word_and_the_same_under_another_name_without(
    brightness_model: Path, tiny_npz: Path, tmp_path: Path
) -> None:
    beside(brightness_model, tiny_npz)
    found = evaluate(brightness_model, "other", other_images(tmp_path / "changed", tiny_npz, "other"))
    assert found.same_images is False
    assert found.remark == "The model was trained on tiny, and measured on other."
    copied = tiny_npz.with_name("copied.npz")
    copied.write_bytes(tiny_npz.read_bytes())
    assert evaluate(brightness_model, str(copied)).same_images


def test_a_data_set_too_small_for_the_split_is_another_one(
    brightness_model: Path, tiny_npz: Path, tmp_path: Path
) -> None:
    beside(brightness_model, tiny_npz)
    with np.load(tiny_npz) as file:
        arrays = {name: array[:20] for name, array in file.items()}
    np.savez(tmp_path / "few.npz", **arrays)
    assert evaluate(brightness_model, str(tmp_path / "few.npz")).same_images is False


def test_where_nothing_is_known_of_a_models_images_it_is_said(brightness_model: Path, tiny_npz: Path) -> None:
    found = evaluate(brightness_model, "tiny", tiny_npz.parent)
    assert (found.trained_on, found.same_images) == (None, None)
    assert found.remark == "No recipe.json says which images the model was trained on; measured on tiny."


def test_without_a_name_or_a_recipe_one_is_asked_for(brightness_model: Path, tiny_npz: Path) -> None:
    with pytest.raises(ResultError, match=r"no recipe.json next to it.*--on"):
        evaluate(brightness_model, None, tiny_npz.parent)


def test_a_recipe_that_is_no_recipe_is_named(brightness_model: Path, tiny_npz: Path) -> None:
    brightness_model.with_name("recipe.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ResultError, match=r"recipe.json: not a recipe.json written by an export"):
        evaluate(brightness_model, None, tiny_npz.parent)


def test_a_model_for_images_of_another_size_is_refused_with_both_sizes(tmp_path: Path, tiny_npz: Path) -> None:
    import keras

    path = saved(tmp_path / "m.keras", keras.layers.Flatten(), keras.layers.Dense(3), shape=(28, 28, 1))
    with pytest.raises(ResultError, match=r"takes images of 28x28x1, but tiny has 32x32x1"):
        evaluate(path, "tiny", tiny_npz.parent)


def test_a_model_of_another_number_of_classes_is_refused(tmp_path: Path, tiny_npz: Path) -> None:
    import keras

    path = saved(tmp_path / "m.keras", keras.layers.Flatten(), keras.layers.Dense(10))
    with pytest.raises(ResultError, match=r"has 10 classes, but tiny has 3"):
        evaluate(path, "tiny", tiny_npz.parent)


def test_a_model_that_gives_no_row_of_numbers_is_refused(tmp_path: Path, tiny_npz: Path) -> None:
    import keras

    path = saved(tmp_path / "m.keras", keras.layers.AveragePooling2D(2))
    with pytest.raises(ResultError, match="one row of numbers"):
        evaluate(path, "tiny", tiny_npz.parent)


def test_a_model_that_loads_but_cannot_be_computed_is_refused(brightness_model: Path, tiny_npz: Path) -> None:
    with zipfile.ZipFile(brightness_model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["name"] = "\x1b[31m"  # the backend takes no such name
    with zipfile.ZipFile(brightness_model, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, json.dumps(config) if name == "config.json" else content)
    with pytest.raises(ResultError, match=rf"{brightness_model.name}: Keras cannot compute this model"):
        open_model(brightness_model).classify(np.zeros((1, 32, 32, 1), np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_with_a_weight_that_is_no_number_is_refused(value: float, tmp_path: Path) -> None:
    import keras

    path = saved(tmp_path / "m.keras", keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(3))
    model = load_model(path)
    kernel, bias = model.layers[0].get_weights()
    model.layers[0].set_weights([kernel, np.full_like(bias, value)])
    model.save(path)
    with pytest.raises(ResultError, match=r"m\.keras: weights of this model are not finite: .*bias"):
        load_model(path)


def test_a_model_with_python_code_is_refused_and_the_code_not_run(tmp_path: Path, tiny_npz: Path) -> None:
    import keras

    marker = tmp_path / "ran"
    code = keras.layers.Lambda(lambda x, touch=str(marker): (open(touch, "w").close(), x)[1])
    path = saved(tmp_path / "m.keras", code, keras.layers.Flatten(), keras.layers.Dense(3))
    marker.unlink(missing_ok=True)
    with pytest.raises(ResultError, match="contains Python code"):
        evaluate(path, "tiny", tiny_npz.parent)
    assert not marker.exists()


def test_a_model_with_a_layer_of_its_own_is_refused(tmp_path: Path, tiny_npz: Path) -> None:
    import keras

    class Own(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    path = saved(tmp_path / "m.keras", Own(), keras.layers.Flatten(), keras.layers.Dense(3))
    with pytest.raises(ResultError, match="Keras cannot load this model"):
        evaluate(path, "tiny", tiny_npz.parent)


def test_a_model_that_was_never_built_is_refused(tmp_path: Path, tiny_npz: Path) -> None:
    import keras

    path = saved(tmp_path / "whole.keras", keras.layers.Flatten())
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "empty", "layers": []}}
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "m.keras", "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, json.dumps(config) if name == "config.json" else whole.read(name))
    with pytest.raises(ResultError, match="expected one with an input layer; received a Sequential"):
        evaluate(tmp_path / "m.keras", "tiny", tiny_npz.parent)


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_truncated_model_is_refused(brightness_model: Path, tiny_npz: Path, keep: float) -> None:
    whole = brightness_model.read_bytes()
    brightness_model.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    with pytest.raises(ResultError, match="not a Keras model, or truncated"):
        evaluate(brightness_model, "tiny", tiny_npz.parent)


def test_a_zip_that_is_no_model_is_refused(tmp_path: Path, tiny_npz: Path) -> None:
    path = tiny_npz.rename(tmp_path / "m.keras")
    with pytest.raises(ResultError, match="cannot load this model"):
        evaluate(path, "digits")


def test_a_file_of_another_kind_or_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.h5").write_bytes(b"x" * 100)
    with pytest.raises(ResultError, match=r"expected a complete .keras file"):
        evaluate(tmp_path / "model.h5", "digits")
    with pytest.raises(ResultError, match=r"no such file.*best --export"):
        evaluate(tmp_path / "model.keras", "digits")


def test_a_data_set_that_is_not_there_is_a_data_error(brightness_model: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        evaluate(brightness_model, "nowhere", tmp_path)


def test_a_model_that_is_not_there_is_said_so_before_a_recipe_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="there is no such file"):
        evaluate(tmp_path / "none.keras")
    with pytest.raises(ResultError, match="received a folder"):
        evaluate(tmp_path)


def with_config(path: Path, change: Callable[[str], str], **members: bytes) -> Path:
    """The file with another configuration, and more members."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()} | members
    content["config.json"] = change(content["config.json"].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def test_a_model_whose_weights_are_not_in_its_file_is_refused_before_they_are_allocated(tmp_path: Path) -> None:
    import keras

    model = saved(tmp_path / "model.keras", keras.layers.Flatten(), keras.layers.Dense(3, name="out"), shape=(8, 8, 1))
    load_model(model)
    with_config(model, lambda text: text.replace('"units": 3', '"units": 1000000000000'))
    with pytest.raises(ResultError, match=r"its layers have weights of 260,000,000,000,000 bytes, and the file holds"):
        load_model(model)
    assert keras.layers.Dense(2)(np.ones((1, 3))).shape == (1, 2)  # Keras goes on as before


def test_a_small_model_that_unpacks_to_much_is_refused(brightness_model: Path) -> None:
    with_config(brightness_model, str, more=bytes(2**27))
    with pytest.raises(ResultError, match=r"unpacks to .* save it uncompressed"):
        load_model(brightness_model)


def test_a_model_of_huge_images_is_refused(tmp_path: Path) -> None:
    import keras

    pooled = keras.layers.GlobalAveragePooling2D()
    model = saved(tmp_path / "model.keras", pooled, shape=(100_000, 100_000, 1))
    with pytest.raises(ResultError, match="takes images of 100000x100000x1, more than 4,194,304 numbers"):
        open_model(model)
