import pytest

from lenet_search.recipe import FIELDS, Recipe
from lenet_search.recipe.optimizer import OPTIMIZERS
from lenet_search.space import Space
from lenet_search.study import read, shipped, value_problem
from lenet_search.study.portfolio import RELATED, from_portfolio, portfolio
from lenet_search.study.toml_text import value_text
from tests.study.conftest import DefinitionOf, ProblemsOf

KINDS = {str(recipe["schedule.kind"]) for recipe in portfolio()}
SEARCHED = "[regularize]\ndropout = { low = 0.0, high = 0.5 }\n[augment]\nshift = { low = 0, high = 2 }\n"
SCHEDULES = f"[schedule]\nkind = {{ choices = [{', '.join(repr(each) for each in sorted(KINDS))}] }}\n"


@pytest.mark.parametrize("recipe", portfolio(), ids=range(len(portfolio())))
def test_every_recipe_of_the_portfolio_is_legal(recipe: dict[str, object], definition_of: DefinitionOf) -> None:
    definition = definition_of("\n".join(f"{path} = {value_text(value)}" for path, value in recipe.items()))
    assert {path: value for path, value in definition.space.entries.items() if path in recipe} == recipe


def test_no_two_recipes_of_the_portfolio_are_alike() -> None:
    found = [Space.from_recipe(Recipe()).nearest({}) | recipe for recipe in portfolio()]
    assert all(found.count(each) == 1 for each in found)


@pytest.mark.parametrize("name", shipped())
def test_in_any_space_the_portfolio_is_trials_that_can_be_drawn(name: str) -> None:
    space = read(name).space
    for trial in from_portfolio(space, portfolio()):
        assert Recipe.from_values(trial).values() == trial
        assert all(value_problem(value, space.entries[path]) is None for path, value in trial.items())


def test_recipes_whose_kinds_the_space_lacks_come_last(definition_of: DefinitionOf) -> None:
    for kind in {str(recipe["optimizer.kind"]) for recipe in portfolio()}:
        space = definition_of(f"[optimizer]\nkind = '{kind}'\n{SEARCHED}{SCHEDULES}").space
        own = [space.nearest(recipe) for recipe in portfolio() if recipe["optimizer.kind"] == kind]
        assert from_portfolio(space, portfolio())[0] in own


def test_a_related_optimizer_or_schedule_takes_the_arguments_of_one_that_the_space_lacks(
    definition_of: DefinitionOf,
) -> None:
    recipe = {
        "optimizer.kind": "nadam",
        "optimizer.nadam.learning_rate": 0.006,
        "schedule.kind": "one_cycle",
        "schedule.one_cycle.warmup": 0.11,
        "augment.shift": 2,
    }
    space = definition_of(
        "[optimizer]\nkind = { choices = ['sgd', 'rmsprop', 'adamw'] }\n"
        "adamw.learning_rate = { low = 1e-4, high = 1e-2, log = true }\n"
        "[schedule]\nkind = { choices = ['constant', 'linear'] }\nlinear.warmup = { low = 0.0, high = 0.1 }\n"
        + SEARCHED
    ).space
    (trial,) = from_portfolio(space, [recipe])
    assert trial["optimizer.kind"] == "adamw" and trial["optimizer.adamw.learning_rate"] == 0.006
    assert trial["schedule.kind"] == "linear" and trial["schedule.linear.warmup"] == 0.1  # the nearest
    own = {**recipe, "optimizer.kind": "adamw", "schedule.kind": "linear", "augment.shift": 1}
    assert [each["augment.shift"] for each in from_portfolio(space, [recipe, own])] == [1, 2]  # its own kinds first
    sgd = definition_of(f"[optimizer]\nkind = 'sgd'\n{SEARCHED}").space
    assert (
        from_portfolio(sgd, [recipe])[0]["optimizer.sgd.learning_rate"] == FIELDS["optimizer.sgd.learning_rate"].default
    )


def test_every_related_kind_is_one_and_takes_a_learning_rate_or_is_a_schedule() -> None:
    for path, related in RELATED.items():
        assert set(related) <= set(FIELDS[path].legal.choices)
    assert all(f"optimizer.{kind}.learning_rate" in FIELDS for kind in RELATED["optimizer.kind"])


def test_two_of_the_portfolio_come_before_the_starts_and_the_defaults_the_others_after_them(
    definition_of: DefinitionOf,
) -> None:
    text = f"[study]\nreference = true\nportfolio = 8\n{SEARCHED}\n[[start]]\nregularize.dropout = 0.25\n"
    own = ({"regularize.dropout": 0.25}, {"regularize.dropout": 0.0, "augment.shift": 0})
    first = definition_of(text).first
    assert first[2:4] == own
    assert len(first) in (9, 10)  # one of the recipes may be the defaults here
    assert definition_of(text, "study.portfolio=0").first == own


def test_a_study_with_nothing_open_tries_nothing_else(definition_of: DefinitionOf) -> None:
    assert definition_of("[study]\nportfolio = 2\nreference = true\n[train]\nepochs = 3").first == ()


def test_more_recipes_than_there_are_is_an_error_that_says_how_many_there_are(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of(f"[study]\nportfolio = {len(portfolio()) + 1}\n")
    assert problem == (
        f"mine.toml:2: study.portfolio: expected a whole number from 0 to {len(portfolio())}, the recipes that there "
        f"are; received {len(portfolio()) + 1}"
    )


def test_a_choice_of_kinds_leaves_each_recipe_its_own(definition_of: DefinitionOf) -> None:
    kinds = ", ".join(f"'{kind}'" for kind in OPTIMIZERS if kind != "sdlm")
    space = definition_of(f"[optimizer]\nkind = {{ choices = [{kinds}] }}").space
    found = {each["optimizer.kind"] for each in from_portfolio(space, portfolio())}
    assert found == {recipe["optimizer.kind"] for recipe in portfolio()}
