"""Every kind of data that a person can bring, walked: the search, the test set and an exported script agree."""

import builtins
import gzip
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kinds import KINDS, NAMES, labels, pixels

from lenet_search.data import Split, load, load_test
from lenet_search.errors import DataError
from lenet_search.recipe import Recipe
from lenet_search.recipe.data import Images
from lenet_search.results.script import train_script


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def own(request, tmp_path) -> str:
    if "SVHN" in request.node.name:
        pytest.importorskip("scipy")
    (tmp_path / "data").mkdir()
    return request.param(tmp_path / "data")


def script_of(recipe: Recipe, split: Split) -> dict[str, Any]:
    """The names of an exported train.py, which must not need this package."""
    text = train_script(recipe, split.describe(), "A recipe.")
    assert "import lenet_search" not in text
    scope: dict[str, Any] = {"__name__": "train"}
    exec(text, scope)
    return scope


@pytest.mark.parametrize("size", [0, 12])
def test_the_script_loads_what_the_search_sees(own, size):
    values = {"data.name": own, "data.validation": 10, "data.size": size, "data.limit": 29}
    recipe = Recipe.from_values(values | {"model.network": "mlp"})  # takes images of any size
    split = load(recipe.images)
    scope = script_of(recipe, split)
    loaded = scope["load"](own)
    for mine, theirs in zip(loaded, (split.x_train, split.y_train, split.x_val, split.y_val), strict=True):
        assert mine.dtype.kind == theirs.dtype.kind
        assert np.array_equal(mine, theirs)


def test_the_search_does_not_open_the_test_set(own, monkeypatch):
    opened = watch(monkeypatch)
    load(Images(own, validation=10))
    assert opened
    assert not [
        name for name in opened if "test" in Path(name).parts[-3:] or Path(name).name.startswith(("test", "t10k"))
    ]


def noting(real, names: list[str]):
    """The function `real`, which adds the path that it is given to `names`."""

    def function(path=".", *arguments, **named):
        names.append(os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else "")
        return real(path, *arguments, **named)

    return function


def watch(monkeypatch) -> list[str]:
    """The names of all files and folders that are opened or listed from now on."""
    names: list[str] = []
    for module, function in ((builtins, "open"), (io, "open"), (gzip, "open"), (os, "scandir"), (os, "listdir")):
        monkeypatch.setattr(module, function, noting(getattr(module, function), names))
    return names


def test_test_images_are_like_the_training_images_or_missing(own):
    split = load(Images(own, validation=10))
    if split.source["files"] != ["."]:
        check_test_images(own, split)
        return
    with pytest.raises(DataError, match="the data set has no test set: expected the folders train and test"):
        load_test(own)


def check_test_images(own: str, split: Split) -> None:
    x, y, names = load_test(own)
    assert x.shape[1:] == split.x_train.shape[1:]
    assert x.dtype == np.uint8
    assert names == split.class_names
    assert set(y.tolist()) <= set(range(split.classes))
    assert load_test(own, size=12)[0].shape[1:3] == (12, 12)


def test_all_forms_of_an_npz_file_hold_the_same_images(tmp_path):
    plain = load(Images(KINDS["npz"](tmp_path)))
    for name in KINDS:
        if not name.startswith("npz") or "color" in name or "validation" in name:
            continue
        split = load(Images(KINDS[name](tmp_path)))
        assert split.digest == plain.digest, name
        assert split.class_names == (NAMES if "text" in name or "names" in name else ("0", "1", "2"))


def test_own_validation_images_are_used_and_it_is_said(tmp_path):
    split = load(Images(KINDS["npz, validation"](tmp_path), validation=0.4, limit=20))
    assert np.array_equal(split.x_val[..., 0], pixels(6, seed=2))
    assert np.array_equal(split.y_val, labels(6))
    assert np.array_equal(split.x_train[..., 0], pixels(30)[:20])
    assert split.notes == (f"{tmp_path}/own.npz: its own 6 validation images are used, and data.validation is not",)


def test_data_are_found_by_name_in_the_data_folder(tmp_path):
    for name in ("npz", "folder with parts", "idx"):
        place = tmp_path / ("" if name == "npz" else name)
        place.mkdir(exist_ok=True)
        KINDS[name](place)
        wanted = "own" if name == "npz" else name
        assert load(Images(wanted, validation=10), tmp_path).name == wanted
        assert load_test(wanted, tmp_path)[0].ndim == 4


def test_a_size_makes_other_images_and_0_keeps_the_digest(tmp_path):
    own = KINDS["npz"](tmp_path)
    assert load(Images(own)).digest == load(Images(own, size=8)).digest != load(Images(own, size=9)).digest
