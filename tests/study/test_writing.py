from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_search.recipe import Recipe
from lenet_search.study import Component, read, read_recipe, shipped, write_recipe, write_study
from tests.recipe_strategy import recipes


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recipes") / "recipe.toml"


@given(recipe=recipes(), header=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_written_recipe_reads_back_as_the_same_recipe(file: Path, recipe: Recipe, header: str) -> None:
    file.write_text(write_recipe(recipe, header), encoding="utf-8", newline="\n")
    definition, again = read_recipe(file)
    assert again == recipe
    assert {path: repr(value) for path, value in again.values().items()} == {
        path: repr(value) for path, value in recipe.values().items()
    }
    assert definition.space.entries == recipe.values()


def test_what_is_known_of_the_study_is_written_with_it(file: Path) -> None:
    pruner = Component("PatientPruner", {"patience": 2, "wrapped_pruner": Component("MedianPruner")})
    study = {"metric": "val_loss", "trials": 3, "timeout": 1.5, "seed": 4, "pruner": pruner}
    file.write_text(write_recipe(Recipe(), "Two lines,\nand no more.", study), encoding="utf-8")
    assert file.read_text(encoding="utf-8").startswith(
        '# Two lines,\n# and no more.\n\n[study]\nmetric  = "val_loss"\n'
    )
    definition = read(file)
    assert (definition.metric, definition.trials, definition.timeout, definition.seed) == ("val_loss", 3, 1.5, 4)
    assert definition.pruner == pruner


def test_a_written_recipe_holds_the_picked_branches_only() -> None:
    text = write_recipe(Recipe.from_values({"optimizer.kind": "adam"}))
    assert "adam.beta_1" in text and "sgd" not in text


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_stored_study_is_written_as_a_file_of_the_same_study(file: Path, name: str) -> None:
    lines = read(name).lines()
    file.write_text(write_study(lines), encoding="utf-8")
    assert read(file).lines() == lines
