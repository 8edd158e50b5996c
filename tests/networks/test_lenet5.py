"""LeNet-5's layers and its plain Keras form."""

from pathlib import Path

import keras
import numpy as np
import pytest
from counts import counts

from lenet_search.errors import DataError
from lenet_search.networks import network, parameters
from lenet_search.networks.plain import get_weights, plain_model
from lenet_search.recipe import Recipe
from lenet_search.recipe.model import Model

LAYERS = {"conv1": 156, "conv2": 2416, "dense1": 48120, "dense2": 10164, "logits": 850}


def images(channels: int = 1, pad: int = 0, side: int = 32) -> dict[str, object]:
    return {
        "image_shape": [side, side, channels],
        "pad": pad,
        "classes": 10,
        "mean": [0.4] * channels,
        "std": [0.2] * channels,
    }


def test_lenet5_has_61706_parameters_on_grey_images_layer_by_layer() -> None:
    found = counts(Model(), (32, 32, 1))
    assert found == LAYERS
    assert sum(found.values()) == 61_706


def test_lenet5_has_62006_parameters_on_colour_images() -> None:
    assert sum(counts(Model(), (32, 32, 3)).values()) == 62_006


def test_lenet5_28_has_44426_parameters_layer_by_layer() -> None:
    found = counts(Model("lenet5_28"), (28, 28, 1))
    assert found == {"conv1": 156, "conv2": 2416, "conv3": 30840, "dense2": 10164, "logits": 850}
    assert sum(found.values()) == 44_426


def test_lenet5_widened_by_2_535_has_395565_parameters_on_colour_images_layer_by_layer() -> None:
    found = counts(Model(width=2.535), (32, 32, 3))
    assert found == {"conv1": 1140, "conv2": 15416, "dense1": 311904, "dense2": 64965, "logits": 2140}
    assert sum(found.values()) == 395_565


def test_lenet5_28_takes_images_of_its_own_size_alone() -> None:
    with pytest.raises(DataError, match="lenet5_28 needs images of 28x28 pixels; received 32x32"):
        network(Model("lenet5_28"), (32, 32, 1), 10)


def test_width_scales_every_hidden_layer_and_never_to_nothing() -> None:
    wide = {p.name: p.shape for p in parameters(network(Model(width=2.0), (32, 32, 1), 10), (32, 32, 1))}
    assert wide["conv1.kernel"] == (5, 5, 1, 12)
    assert wide["dense2.kernel"] == (240, 168)
    thin = {p.name: p.shape for p in parameters(network(Model(width=0.01), (32, 32, 1), 10), (32, 32, 1))}
    assert thin["conv1.kernel"] == (5, 5, 1, 1)


def test_images_that_are_too_small_are_refused_in_plain_words() -> None:
    with pytest.raises(DataError, match="at least 16x16 pixels; received 8x8"):
        network(Model(), (8, 8, 1), 10)


@pytest.mark.parametrize("activation", ["scaled_tanh", "leaky_relu", "gelu"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_plain_model_loads_in_safe_mode_without_custom_code(
    activation: str, batch_norm: bool, tmp_path: Path
) -> None:
    recipe = Recipe.from_values({"model.activation": activation, "model.batch_norm": batch_norm, "regularize.l1": 1e-4})
    model = plain_model(recipe, images(3))
    model.save(tmp_path / "model.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3)).astype("float32")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict(pixels, verbose=0), model.predict(pixels, verbose=0), atol=1e-6)
    assert model.predict(pixels, verbose=0).sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)


def test_the_plain_model_takes_images_of_the_data_sets_own_size() -> None:
    model = plain_model(Recipe(), images(1, pad=2))
    assert model.input_shape == (None, 28, 28, 1)
    assert model.get_layer("conv1").input.shape == (None, 32, 32, 1)


def test_weights_come_out_as_they_were_put_in() -> None:
    recipe = Recipe.from_values({"model.batch_norm": True})
    named = get_weights(plain_model(recipe, images()), recipe, images())
    changed = {name: value + 1 for name, value in named.items()}
    found = get_weights(plain_model(recipe, images(), changed), recipe, images())
    assert all(np.array_equal(found[name], changed[name]) for name in changed)


def test_normalization_happens_inside_the_plain_model() -> None:
    for kind, expected in (
        ("unit", 0.2),
        ("invert", 0.8),
        ("standardize", (0.2 - 0.4) / 0.2),
        ("lecun_1998", 0.2 * 1.275 - 0.1),
    ):
        model = plain_model(Recipe.from_values({"data.normalize": kind}), images())
        inner = keras.Model(model.inputs[0], model.get_layer("normalize").output)
        assert float(inner(np.full((1, 32, 32, 1), 51.0))[0, 0, 0, 0]) == pytest.approx(expected, abs=1e-6)
