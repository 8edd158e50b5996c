import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_search.recipe import FIELDS, SECTIONS, Recipe
from lenet_search.recipe.table import tables
from tests.recipe_strategy import legal_values, recipes

NOT_NUMBERS = (True, False, "1", None, [1], math.nan, math.inf, -math.inf)
OF_NUMBERS = [path for path, field in FIELDS.items() if field.legal.type in (int, float)]


@given(recipes())
def test_a_recipe_built_from_its_own_values_is_the_same_recipe(recipe: Recipe) -> None:
    assert Recipe.from_values(recipe.values()) == recipe


@given(recipes())
def test_the_values_of_a_recipe_are_legal_and_in_the_order_of_the_fields(recipe: Recipe) -> None:
    values = recipe.values()
    assert all(FIELDS[path].legal.allows(value) for path, value in values.items())
    assert list(values) == [path for path in FIELDS if path in values]


def test_a_recipe_of_no_values_has_every_default() -> None:
    values = Recipe.from_values({}).values()
    assert values == {path: FIELDS[path].default for path in values}
    assert Recipe.from_values({}) == Recipe()


def test_a_recipe_holds_only_the_branch_that_its_kind_picks() -> None:
    recipe = Recipe.from_values({"optimizer.kind": "adam", "optimizer.adam.beta_1": 0.5, "optimizer.sgd.momentum": 0.7})
    values = recipe.values()
    assert recipe.optimizer.branch.beta_1 == 0.5
    assert {path.split(".")[1] for path in values if path.startswith("optimizer.")} == {"kind", "clip_norm", "adam"}


def test_a_whole_number_becomes_a_float_where_a_float_is_meant() -> None:
    recipe = Recipe.from_values({"optimizer.clip_norm": 1})
    assert isinstance(recipe.optimizer.clip_norm, float)


def test_a_count_stays_whole_and_a_share_stays_a_share() -> None:
    assert Recipe.from_values({"data.validation": 5000}).data.validation == 5000
    assert isinstance(Recipe.from_values({"data.validation": 5000}).data.validation, int)
    assert Recipe.from_values({"data.validation": 0.5}).data.validation == 0.5


def test_an_unknown_path_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"optimizer\.sgd\.momentun"):
        Recipe.from_values({"optimizer.sgd.momentun": 0.9})


def test_an_illegal_value_is_refused_with_what_was_expected() -> None:
    with pytest.raises(ValueError, match=r"train\.epochs: expected a whole number from 1; received 0"):
        Recipe.from_values({"train.epochs": 0})


@pytest.mark.parametrize("path", FIELDS)
def test_every_default_is_legal_and_every_field_says_what_it_means(path: str) -> None:
    field = FIELDS[path]
    assert field.legal.allows(field.default)
    assert field.legal.convert(field.default) == field.default
    assert field.legal.meaning and field.legal.expected


@pytest.mark.parametrize("path", FIELDS)
@given(data=st.data())
def test_what_a_declaration_allows_builds_a_recipe_that_holds_it(path: str, data: st.DataObject) -> None:
    field = FIELDS[path]
    value = data.draw(legal_values(field))
    kind = {f"{field.section}.kind": field.branch} if field.branch else {}
    assert Recipe.from_values({**kind, path: value}).values()[path] == value


@pytest.mark.parametrize("path", OF_NUMBERS)
@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_what_is_no_finite_number_is_illegal_for_a_number(path: str, value: object) -> None:
    assert not FIELDS[path].legal.allows(value)


@pytest.mark.parametrize("path", OF_NUMBERS)
def test_just_outside_of_its_bounds_a_number_is_illegal(path: str) -> None:
    legal = FIELDS[path].legal
    if legal.low is not None:
        assert not legal.allows(legal.low - 1)
        assert legal.allows(legal.type(legal.low)) is not legal.open_low
    if legal.high is not None:
        assert not legal.allows(legal.high + 1)
        assert legal.allows(legal.type(legal.high)) is not legal.open_high


@pytest.mark.parametrize(
    ("value", "legal"), [(1, True), (0, True), (-1, False), (0.5, True), (0.0, False), (1.0, False), (2.5, False)]
)
def test_a_count_or_share_is_a_whole_number_from_0_or_lies_between_0_and_1(value: float, legal: bool) -> None:
    assert FIELDS["data.validation"].legal.allows(value) is legal


def test_every_dataclass_field_of_a_section_is_a_declared_hyperparameter() -> None:
    declared = set()
    for section, table in SECTIONS.items():
        names = {field.name for field in dataclasses.fields(table)} - {"branch"}
        declared |= {f"{section}.{name}" for name in names}
        for kind, branch in getattr(table, "BRANCHES", {}).items():
            declared |= {f"{section}.{kind}.{field.name}" for field in dataclasses.fields(branch)}
    assert declared == set(FIELDS)


def test_the_table_in_the_docs_is_the_one_that_the_fields_give() -> None:
    text = (Path(__file__).parents[1] / "docs" / "studies.md").read_text(encoding="utf-8")
    inside = text.partition("<!-- hyperparameters -->")[2].partition("<!-- end of hyperparameters -->")[0]
    assert inside.strip() == tables(), "put the output of `python -m lenet_search.recipe.table` into docs/studies.md"


def test_the_table_names_every_hyperparameter_once() -> None:
    assert [line.split("`")[1] for line in tables().splitlines() if line.startswith("| `")] == list(FIELDS)
