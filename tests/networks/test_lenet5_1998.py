"""LeNet-5 of 1998: its counts, its table, its figures, its own layers."""

from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest
from counts import counts

from lenet_search.errors import DataError
from lenet_search.networks import keras_layers, network, parameters, walk
from lenet_search.networks.bitmaps import bitmaps
from lenet_search.networks.initial import initial_value
from lenet_search.networks.lenet5_1998 import TABLE_I
from lenet_search.networks.plain import plain_model
from lenet_search.recipe import Recipe
from lenet_search.recipe.model import Model

MODEL = Model("lenet5_1998", initializer="lecun_1998")
GREY = (32, 32, 1)
IMAGES = {"image_shape": [32, 32, 1], "pad": 2, "classes": 10, "mean": [0.1], "std": [0.3]}
RECIPE = Recipe.from_values({"model.network": "lenet5_1998", "data.normalize": "lecun_1998"})


def test_it_has_60000_trainable_parameters_layer_by_layer() -> None:
    found = counts(MODEL, GREY)
    assert found == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164}
    assert sum(found.values()) == 60_000
    assert plain_model(RECIPE, IMAGES).count_params() == 60_000


def test_its_maps_have_the_sizes_of_figure_2() -> None:
    shapes = {layer.name: layer.output(shape) for layer, shape in walk(network(MODEL, GREY, 10), GREY)}
    expected = {"c1": (28, 28, 6), "s2": (14, 14, 6), "c3": (10, 10, 16), "s4": (5, 5, 16), "c5": (1, 1, 120)}
    assert {name: shapes[name] for name in expected} == expected
    assert shapes["f6"] == (84,)


def test_table_i_has_60_connections_and_every_map_of_s2_ten_of_them() -> None:
    assert [len(seen) for seen in TABLE_I] == [3] * 6 + [4] * 9 + [6]
    assert len(set(TABLE_I)) == 16
    assert np.bincount([each for seen in TABLE_I for each in seen]).tolist() == [10] * 6


def test_a_map_of_c3_sees_the_maps_of_its_column_and_no_others() -> None:
    layer = keras_layers.TableConv2D(5, TABLE_I)
    pixels = np.random.default_rng(0).normal(size=(1, 5, 5, 6)).astype("float32")
    layer.build(pixels.shape)
    before = np.asarray(layer(pixels))[0, 0, 0]
    for each in range(6):
        changed = pixels.copy()
        changed[..., each] += 1
        moved = np.asarray(layer(changed))[0, 0, 0] != before
        assert moved.tolist() == [each in seen for seen in TABLE_I]


def test_a_table_with_every_connection_is_an_ordinary_convolution() -> None:
    table = [(0, 1, 2)] * 4
    own, ordinary = keras_layers.TableConv2D(3, table), keras.layers.Conv2D(4, 3)
    pixels = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype("float32")
    own.build(pixels.shape)
    ordinary.build(pixels.shape)
    kernel, bias = ordinary.get_weights()
    own.set_weights([kernel.transpose(0, 1, 3, 2).reshape(3, 3, 12), bias])
    np.testing.assert_allclose(np.asarray(own(pixels)), np.asarray(ordinary(pixels)), atol=1e-5)


def test_subsampling_adds_four_pixels_times_the_coefficient_and_the_bias() -> None:
    layer = keras_layers.Subsampling2D()
    pixels = np.arange(32, dtype="float32").reshape(1, 4, 4, 2)
    layer.build(pixels.shape)
    layer.set_weights([np.array([2.0, -1.0], "float32"), np.array([10.0, 0.0], "float32")])
    found = np.asarray(layer(pixels))[0]
    for map_, (coefficient, bias) in enumerate([(2.0, 10.0), (-1.0, 0.0)]):
        four = pixels[0, 2:4, 0:2, map_].sum()
        assert found[1, 0, map_] == pytest.approx(coefficient * four + bias)


def test_the_figures_are_ten_different_ones_of_7_by_12_pixels() -> None:
    figures = bitmaps(10)
    assert figures.shape == (10, 84)
    assert set(np.unique(figures)) == {-1.0, 1.0}
    apart = (figures[:, None] != figures[None]).sum(-1) + 84 * np.eye(10, dtype=int)
    assert apart.min() >= 9  # pixels between the two that are most alike
    assert bitmaps(4).tolist() == figures[:4].tolist()


def test_the_output_is_nearest_to_zero_for_the_class_whose_figure_f6_draws() -> None:
    units = bitmaps(10)[3:4] * 0.9
    found = np.asarray(keras_layers.RadialBasis(10)(units))[0]
    assert found.argmax() == 3
    assert found[3] == pytest.approx(-84 * 0.01, rel=1e-4)
    assert found[0] == pytest.approx(-float(((units - bitmaps(1)) ** 2).sum()), rel=1e-5)


def test_weights_start_by_the_fan_in_that_a_unit_has() -> None:
    named = {p.name: p for p in parameters(network(MODEL, GREY, 10), GREY)}
    kernel = initial_value(named["c3.kernel"], "lecun_1998", 7)
    starts = np.cumsum([0, *(len(seen) for seen in TABLE_I)])
    for start, end in pairwise(starts):
        bound = 2.4 / (25 * (end - start))
        largest = np.abs(kernel[:, :, start:end]).max()
        assert 0.8 * bound < largest <= bound  # of 75 draws or more all would be below 0.8 once in 10^7 times
    coefficients = initial_value(named["s4.coefficient"], "lecun_1998", 7)
    assert np.abs(coefficients).max() <= 2.4 / 4
    assert coefficients.shape == (16,)
    assert not np.any(initial_value(named["c5.bias"], "lecun_1998", 7))


def test_its_plain_model_loads_again_in_safe_mode(tmp_path: Path) -> None:
    model = plain_model(RECIPE, IMAGES)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype("float32")
    np.testing.assert_allclose(again.predict(pixels, verbose=0), model.predict(pixels, verbose=0), atol=1e-6)
    assert model.predict(pixels, verbose=0).sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_more_classes_than_digits_and_other_sizes_are_refused() -> None:
    with pytest.raises(DataError, match="received 100: choose"):
        network(MODEL, GREY, 100)
    with pytest.raises(DataError, match="lenet5_1998 needs images of 32x32 pixels; received 28x28"):
        network(MODEL, (28, 28, 1), 10)
