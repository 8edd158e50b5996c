"""The registry, walked: what holds for every data set, and needs no network."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lenet_search.data import DATASETS, class_names, keras_datasets, load, load_test
from lenet_search.data.dataset import Dataset
from lenet_search.data.table import table
from lenet_search.recipe import FIELDS, Recipe
from lenet_search.recipe.data import Images
from lenet_search.results.script import train_script

EMBEDDED = ["digits"]
DOWNLOADED = [name for name in DATASETS if name not in EMBEDDED]


def small(dataset: Dataset) -> Any:
    """What `load_data` of `keras.datasets` gives, with 4 images of each class for training and 1 for the test."""
    rng, classes = np.random.default_rng(0), len(dataset.classes)
    shape = dataset.image_shape if dataset.image_shape[2] == 3 else dataset.image_shape[:2]
    labels = [rng.permutation(np.arange(times * classes) % classes) for times in (4, 1)]
    return tuple((rng.integers(0, 256, (len(y), *shape), dtype=np.uint8), y) for y in labels)


@pytest.fixture(params=DATASETS.values(), ids=DATASETS)
def dataset(request, monkeypatch) -> Dataset:
    """Each data set in turn; Keras's loader gives a small one instead of downloading."""
    if request.param.name in DOWNLOADED:
        import keras

        loader = getattr(keras.datasets, request.param.name)
        monkeypatch.setattr(loader, "load_data", lambda: small(request.param))
    return request.param


def test_every_data_set_loads_under_its_name_with_the_classes_and_the_shape_that_it_is_listed_with(dataset):
    classes = len(dataset.classes)
    split = load(Images(dataset.name, validation=classes, padded=False))
    assert split.classes == classes
    assert split.class_names == class_names(dataset.name, classes) == dataset.classes
    assert len(set(dataset.classes)) == classes
    assert split.x_train.shape[1:] == dataset.image_shape
    x_test, _, names = load_test(dataset.name)
    assert x_test.shape[1:] == dataset.image_shape
    assert names == dataset.classes
    if dataset.name in EMBEDDED:
        assert (len(split.x_train) + len(split.x_val), len(x_test)) == dataset.images


def test_the_script_of_every_data_set_loads_what_the_search_sees(dataset, tmp_path):
    recipe = Recipe.from_values({"data.name": dataset.name, "data.validation": len(dataset.classes)})
    split = load(recipe.images)
    text = train_script(recipe, split.describe(), "A recipe.")
    assert dataset.script_note in text
    scope: dict[str, Any] = {"__name__": "train"}
    exec(text, scope)
    scope["keras"] = SimpleNamespace(
        datasets=SimpleNamespace(**{dataset.name: SimpleNamespace(load_data=lambda: small(dataset))})
    )
    for mine, theirs in zip(scope["load"](None), (split.x_train, split.y_train, split.x_val, split.y_val), strict=True):
        assert np.array_equal(mine, theirs)

    arrays = dataset.read()
    file = tmp_path / "own.npz"
    np.savez(file, x_train=255 - arrays["x_train"], y_train=arrays["y_train"])
    from_file = scope["load"](str(file))[0]
    pad = slice(split.pad, -split.pad or None)
    assert np.array_equal(from_file[:, pad, pad], 255 - split.x_train[:, pad, pad])


@pytest.mark.parametrize("name", DOWNLOADED)
def test_keras_says_the_same_of_the_sets_that_it_downloads(name):
    import keras

    dataset, said = DATASETS[name], getattr(keras.datasets, name).load_data.__doc__
    for part, count in zip(("train", "test"), dataset.images, strict=True):
        shape = (count, *dataset.image_shape[: 3 if dataset.image_shape[2] == 3 else 2])
        assert f"x_{part}.shape == {shape}" in said
    assert dataset.read.func is keras_datasets.download


def test_the_help_for_the_name_lists_the_registry_and_nothing_else():
    listed = FIELDS["data.name"].legal.meaning.split(", or ")[0]
    assert sorted(listed.split(", ")) == sorted(DATASETS)
    assert FIELDS["data.name"].default in DATASETS


def test_a_name_is_one_that_an_argument_and_a_file_can_have():
    for name, dataset in DATASETS.items():
        assert name == dataset.name
        assert re.fullmatch("[a-z0-9_]+", name)


def test_the_table_in_the_docs_is_the_registrys():
    text = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
    inside = text.partition("<!-- data sets -->")[2].partition("<!-- end of data sets -->")[0]
    assert inside.strip() == table(), "put the output of `python -m lenet_search.data.table` into docs/studies.md"
