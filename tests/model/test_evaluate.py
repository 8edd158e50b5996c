import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lenet_search.errors import DataError, ResultError
from lenet_search.look.intervals import share_of
from lenet_search.model.evaluate import evaluate

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
