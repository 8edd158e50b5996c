"""LeNet-5 behind a spatial transformer."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
from counts import counts

from lenet_search.networks.keras_layers import AffineSampler
from lenet_search.networks.plain import plain_model
from lenet_search.recipe import Recipe
from lenet_search.recipe.model import Model

IMAGES = {"image_shape": [32, 32, 1], "pad": 2, "classes": 10, "mean": [0.1], "std": [0.3]}
RECIPE = Recipe.from_values({"model.network": "lenet5_stn"})
LOCALIZATION = {
    "localization_conv1": 520,
    "localization_conv2": 10_020,
    "localization_dense": 10_020,
    "localization_affine": 126,
}
LENET5 = {"conv1": 156, "conv2": 2416, "dense1": 48120, "dense2": 10164, "logits": 850}


def test_it_has_82392_parameters_layer_by_layer() -> None:
    found = counts(Model("lenet5_stn"), (32, 32, 1))
    assert found == LOCALIZATION | LENET5
    assert sum(LOCALIZATION.values()) == 20_686
    assert sum(found.values()) == 82_392
    assert sum(counts(Model("lenet5_stn"), (32, 32, 3)).values()) == 83_692
    assert plain_model(RECIPE, IMAGES).count_params() == 82_392


def test_it_begins_as_the_identity() -> None:
    model = plain_model(RECIPE, IMAGES)
    inner = keras.Model(model.inputs[0], [model.get_layer("normalize").output, model.get_layer("transformer").output])
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype("float32")
    seen, turned = inner(pixels)
    np.testing.assert_allclose(np.asarray(turned), np.asarray(seen), atol=1e-4)


@pytest.mark.parametrize("angle", [0.3, -1.2])
def test_a_transformation_is_the_one_that_keras_makes_of_it(angle: float) -> None:
    size, middle = 15, 7.0
    images = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype("float32")
    cos, sin = 0.8 * math.cos(angle), 0.8 * math.sin(angle)
    ours = np.tile(np.array([cos, -sin, 0.2, sin, cos, -0.1], "float32"), (2, 1))
    found = np.asarray(AffineSampler()(images, ours))
    # The same in pixels: x' = middle + cos (x - middle) - sin (y - middle) + 0.2 * middle
    right = middle * (1 - cos + sin + 0.2)
    down = middle * (1 - sin - cos - 0.1)
    theirs = np.tile(np.array([cos, -sin, right, sin, cos, down, 0, 0], "float32"), (2, 1))
    expected = keras.ops.image.affine_transform(images, theirs, fill_mode="constant")
    np.testing.assert_allclose(found, np.asarray(expected), atol=1e-4)


def test_a_transformation_that_leads_far_away_gives_zeros() -> None:
    images = np.ones((1, 8, 8, 1), "float32")
    away = np.array([[1e30, 0, 1e20, 0, 1, 3.5]], "float32")
    assert not np.any(np.asarray(AffineSampler()(images, away)))


def test_its_plain_model_loads_again_in_safe_mode(tmp_path: Path) -> None:
    model = plain_model(RECIPE, IMAGES)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype("float32")
    np.testing.assert_allclose(again.predict(pixels, verbose=0), model.predict(pixels, verbose=0), atol=1e-6)
