"""A model built in a notebook in which Keras is set to something else."""

import json
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from lenet_search.model.evaluate import outputs
from lenet_search.networks.plain import plain_model
from lenet_search.recipe import Recipe

IMAGES = {"image_shape": (20, 20, 1), "pad": 2, "classes": 3, "mean": [0.2], "std": [0.3]}
CHANGES = {
    "floatx": "float16", "epsilon": 0.1, "image_data_format": "channels_first", "dtype_policy": "mixed_float16",
    "max_steps_per_epoch": 1, "max_epochs": 1,
}  # fmt: skip


@pytest.fixture(params=CHANGES)
def changed(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a setting that another project has changed."""
    before = getattr(keras.config, request.param)()
    getattr(keras.config, f"set_{request.param}")(CHANGES[request.param])
    yield request.param
    getattr(keras.config, f"set_{request.param}")(before)


def built(recipe: Recipe) -> tuple[keras.Model, object]:
    model = plain_model(recipe, IMAGES)
    return model, json.loads(model.to_json())["config"]["layers"]


def test_settings_of_a_notebook_change_neither_model_nor_outputs(changed):
    recipe = Recipe.from_values({"data.name": "tiny", "model.batch_norm": True})
    model, config = built(recipe)
    assert {str(variable.dtype) for variable in model.weights} == {"float32"}
    images = np.random.default_rng(0).integers(0, 256, (300, 16, 16, 1), np.uint8)
    found = outputs(model, images, Path("model.keras"))
    assert found.shape == (300, 3) and found.dtype == np.float32
    now = getattr(keras.config, changed)()
    assert getattr(now, "name", now) == CHANGES[changed]  # as the notebook has set it
    getattr(keras.config, f"set_{changed}")({"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last",
                                             "dtype_policy": "float32"}.get(changed))  # fmt: skip
    assert config == built(recipe)[1]
