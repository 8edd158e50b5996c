import csv
import json
from pathlib import Path

import pytest

from lenet_search.errors import ResultError
from lenet_search.experiments import Course, Training, prepared, write
from lenet_search.recipe import Recipe
from lenet_search.storage import CURVES
from lenet_search.study import read_recipe

RECIPE = Recipe.from_values({"data.name": "digits", "train.epochs": 2, "optimizer.kind": "lion"})
COURSES = (
    Course(1, 0, {name: [0.25, 0.5] for name in CURVES}),
    Course(2, 0, {name: [0.75, float("nan")] for name in CURVES}, diverged=True),
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write(Training(RECIPE, COURSES, {"name": "digits"}, "CPU", 1.5, None, None), tmp_path / "a" / "b", "mine, 2 seeds")
    return tmp_path / "a" / "b"


def test_the_recipe_can_be_read_again(written):
    assert read_recipe(written / "recipe.toml")[1] == RECIPE


def test_the_json_holds_values_and_results_and_no_word_that_json_does_not_know(written):
    summary = json.loads((written / "recipe.json").read_text(), parse_constant=lambda word: pytest.fail(word))
    assert summary["values"]["data.name"] == "digits"
    assert summary["metrics"]["val_accuracy"] == {"n": 1, "mean": 0.5, "low": None, "high": None}
    assert [seed["val_accuracy"] for seed in summary["seeds"]] == [0.5, None]


def test_the_table_has_a_line_per_seed_and_epoch(written):
    with (written / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["epoch"], row["val_accuracy"]) for row in rows] == [
        ("1", "1", "0.25"), ("1", "2", "0.5"), ("2", "1", "0.75"), ("2", "2", "nan"),
    ]  # fmt: skip


def test_the_picture_stands_alone_and_has_a_title_and_units(written):
    page = (written / "curves.html").read_text()
    assert "mine, 2 seeds" in page
    assert "accuracy (%)" in page
    assert "epoch" in page
    assert "seed 2, diverged" in page
    assert 'src="http' not in page


def test_there_is_no_model_where_every_run_diverged(written):
    assert not (written / "model.keras").exists()


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ResultError, match="taken"), prepared(tmp_path / "taken"):
        pass


def test_a_folder_that_nothing_came_into_is_taken_away_again(tmp_path):
    with pytest.raises(RuntimeError), prepared(tmp_path / "a" / "b"):
        raise RuntimeError
    assert not (tmp_path / "a").exists()
    with pytest.raises(RuntimeError), prepared(tmp_path / "c" / "d"):
        (tmp_path / "c" / "kept").write_text("")
        raise RuntimeError
    assert (tmp_path / "c" / "kept").exists()
