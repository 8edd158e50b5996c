import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lenet_search.errors import ResultError
from lenet_search.frozen import SlotState
from lenet_search.recipe import FIELDS, Recipe
from lenet_search.recipe.regularize import DROPOUTS
from lenet_search.run import Curve
from lenet_search.storage.kept import Kept
from lenet_search.study import read_recipe
from tests.experiments.made import IMAGES, RECIPE, a_zip, folder_of, run


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    made = Kept(tmp_path / "mine")
    made.begin(RECIPE, IMAGES, "mine")
    return made


def test_a_run_is_given_back_as_it_was_kept(kept: Kept) -> None:
    kept.model(1).write_bytes(a_zip())
    kept.keep(run(1, 0.9, 912))
    found = kept.run(1)
    assert found == run(1, 0.9, 912)
    assert found is not None and found.test_accuracy == 0.912


def test_a_run_that_diverged_is_kept_without_a_model_and_with_words_that_json_knows(kept: Kept) -> None:
    kept.keep(run(1, math.nan, diverged=True))
    json.loads((kept.folder / "seed-1.json").read_text(), parse_constant=lambda word: pytest.fail(word))
    found = kept.run(1)
    assert found is not None and found.diverged and math.isnan(found.curve["val_loss"][-1])


def test_a_run_whose_model_is_gone_or_cut_short_is_to_be_trained_again(kept: Kept) -> None:
    kept.keep(run(1, 0.9))
    assert kept.run(1) is None
    assert kept.run(2) is None

    whole = a_zip()
    for length in range(len(whole)):
        kept.model(1).write_bytes(whole[:length])
        assert kept.run(1) is None
    kept.model(1).write_bytes(whole)
    assert kept.run(1) is not None


def test_a_file_that_is_no_run_is_named(kept: Kept) -> None:
    (kept.folder / "seed-1.json").write_text('{"seed": 1}')
    with pytest.raises(ResultError, match=r"seed-1\.json: expected the file of a run"):
        kept.run(1)


def test_an_error_names_the_first_few_of_many_differences(kept: Kept) -> None:
    other = RECIPE.values() | {f"regularize.{name}": 0.25 for name in ("l1", "l2", *DROPOUTS)}
    (kept.folder / "recipe.json").write_text(json.dumps({"values": other, "images": IMAGES}))
    with pytest.raises(ResultError, match=r"another recipe of this name \([^;]+(; [^;]+){3}; and 1 more\)"):
        kept.begin(RECIPE, IMAGES, "mine")


@pytest.mark.parametrize(
    "change, said",
    [
        ({"recipe": RECIPE.with_epochs(3)}, r"another \(train\.epochs: stored 3, now 2\)"),
        ({"seed": 2}, "seed 1; this is of seed 2"),
        ({"images": IMAGES | {"digest": "f" * 16}}, "on others"),
        ({"images": {}}, "on others"),
        ({"curve": Curve()}, "2 epochs; this has 0"),
        ({"curve": Curve(), "diverged": True}, "2 epochs; this has 0"),
        ({"curve": Curve.constant([0.5])}, "2 epochs; this has 1"),
        ({"curve": Curve.constant([0.5] * 9)}, "2 epochs; this has 9"),
        ({"curve": Curve.constant([0.5, 7.0])}, "the file of a run"),
    ],
)
def test_the_run_of_something_else_is_named_and_never_counted(kept: Kept, change: dict[str, Any], said: str) -> None:
    kept.model(1).write_bytes(a_zip())
    kept.keep(run(1, 0.9))
    (kept.folder / "seed-1.json").write_text(json.dumps(replace(run(1, 0.9), **change).to_json()))
    with pytest.raises(ResultError, match=rf"seed-1\.json: expected .*{said}.*remove it to train the run again"):
        kept.run(1)


def test_the_folder_holds_the_recipe_for_people_and_for_programs(kept: Kept) -> None:
    assert folder_of(kept.folder) == ["recipe.json", "recipe.toml"]
    assert read_recipe(kept.folder / "recipe.toml")[1] == RECIPE
    assert json.loads((kept.folder / "recipe.json").read_text())["images"] == IMAGES


@pytest.mark.parametrize("path", RECIPE.values())
def test_a_hyperparameter_that_did_not_exist_when_a_folder_was_begun_is_no_change(kept: Kept, path: str) -> None:
    kept.model(1).write_bytes(a_zip())
    kept.keep(run(1, 0.9))
    summary = json.loads((kept.folder / "recipe.json").read_text())
    value = summary["values"].pop(path)
    (kept.folder / "recipe.json").write_text(json.dumps(summary))
    stored = json.loads((kept.folder / "seed-1.json").read_text())
    del stored["recipe"][path]
    (kept.folder / "seed-1.json").write_text(json.dumps(stored))
    if value == FIELDS[path].default:
        kept.begin(RECIPE, IMAGES, "")
        assert kept.run(1) == run(1, 0.9)
    else:
        with pytest.raises(ResultError, match=f"{path}: stored"):
            kept.begin(RECIPE, IMAGES, "")


def test_another_recipe_or_other_images_are_refused_and_the_same_are_not(kept: Kept) -> None:
    kept.begin(RECIPE, IMAGES, "another title")
    other = Recipe.from_values(RECIPE.values() | {"train.epochs": 3})
    with pytest.raises(ResultError, match=r"another recipe .*train\.epochs: stored 2, now 3.*remove that folder"):
        kept.begin(other, IMAGES, "")
    with pytest.raises(ResultError, match="other images of digits"):
        kept.begin(RECIPE, IMAGES | {"digest": "f" * 16}, "")


def test_a_recipe_with_a_list_in_it_is_known_again(tmp_path: Path) -> None:
    recipe = Recipe.from_values(
        {"schedule.kind": "piecewise", "schedule.piecewise.epochs": (1, 2), "schedule.piecewise.factors": (0.5, 0.1)}
    )
    Kept(tmp_path).begin(recipe, IMAGES, "")
    Kept(tmp_path).begin(recipe, IMAGES, "")
    assert read_recipe(tmp_path / "recipe.toml")[1] == recipe


def test_nothing_is_left_of_a_file_that_could_not_be_written(kept: Kept) -> None:
    with pytest.raises(ValueError, match="JSON"):
        kept.keep(replace(run(1, 0.9), seconds=math.inf))
    assert folder_of(kept.folder) == ["recipe.json", "recipe.toml"]


def test_a_run_that_is_not_over_is_frozen_beside_the_recipe_until_it_is(kept: Kept) -> None:
    state = SlotState(*(np.arange(n, dtype=np.float32) for n in (4, 4, 0, 0, 1)))
    kept.freeze(run(1, 0.5), state)
    assert kept.run(1) is None
    found = kept.frozen(1)
    assert found is not None and found[0] == run(1, 0.5)
    assert np.array_equal(found[1].first, state.first)
    kept.keep(run(1, math.nan, diverged=True))
    assert kept.frozen(1) is None


def test_a_run_of_version_0_1_is_read_with_the_recipe_beside_it(kept: Kept) -> None:
    old = {
        "seed": 1, "diverged": False, "curve": run(1, 0.9).curve.to_json(), "stack": [1, 2], "seconds": 25.0,
        "device": "CPU (1 thread)", "versions": {"keras": "3"}, "right": 912, "n": 1000,
    }  # fmt: skip
    (kept.folder / "seed-1.json").write_text(json.dumps(old))
    kept.model(1).write_bytes(a_zip())
    assert kept.run(1) == run(1, 0.9, 912)


@pytest.mark.parametrize("text", ["[" * 100_000, "[1]", '{"values": [[0, 1]], "images": {"digest": ""}}', "NaN", ""])
def test_a_summary_that_is_none_is_named_by_whatever_reads_it(kept: Kept, text: str) -> None:
    (kept.folder / "recipe.json").write_text(text)
    with pytest.raises(ResultError, match=r"recipe\.json: expected a trained recipe"):
        kept.begin(RECIPE, IMAGES, "mine")
    if not text.startswith("{"):
        with pytest.raises(ResultError, match=r"recipe\.json: expected a trained recipe"):
            _ = kept.precision
        with pytest.raises(ResultError, match=r"recipe\.json: expected a trained recipe"):
            kept.settle("float32")


@pytest.mark.parametrize(
    "change",
    [None, "{", "[1]", {"values": None}, {"values": {"train.epochs": "x"}}, {"images": None}, {"images": {}}],
)
def test_where_a_run_s_recipe_is_missing_or_damaged_that_file_is_named(kept: Kept, change: Any) -> None:
    kept.keep(run(1, 0.9))
    summary = kept.folder / "recipe.json"
    if isinstance(change, dict):
        change = json.dumps(json.loads(summary.read_text()) | change)
    summary.unlink()
    if change is not None:
        summary.write_text(change)
    with pytest.raises(ResultError, match=r"recipe\.json: expected the description.*remove .*mine to train"):
        kept.read(1)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[1]", '{"stack": []}', '{"stack": 3}', '{"stack": [1], "seconds": "x"}']
)
def test_whatever_a_run_s_file_holds_it_is_named(kept: Kept, text: str) -> None:
    (kept.folder / "seed-1.json").write_text(text)
    with pytest.raises(ResultError, match=r"seed-1\.json: expected the file of a run"):
        kept.run(1)
