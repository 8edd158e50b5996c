import re

import pytest

from lenet_search.study import Claim, read, shipped
from lenet_search.study.locate import find
from tests.study.conftest import DefinitionOf, ProblemsOf


def test_a_claim_is_read_with_the_figure_as_a_share(definition_of: DefinitionOf) -> None:
    definition = definition_of(
        "[claim]\nsource = 'somebody'\ntest_accuracy = 0.98\ncomparable = false\nnote = 'n'\ncomparisons = ['a', 'b']"
    )
    assert definition.claim == Claim("somebody", 0.98, False, "n", ("a", "b"))


def test_a_study_without_a_claim_has_none(definition_of: DefinitionOf) -> None:
    assert definition_of("").claim is None


def test_a_claim_changes_nothing_about_the_study(definition_of: DefinitionOf) -> None:
    assert definition_of("[claim]\nsource = 'somebody'").lines() == definition_of("").lines()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("claim = 3", "mine.toml:1: claim: expected a table, [claim]; received 3"),
        (
            "[claim]\ntest_accuracy = 0.9",
            "mine.toml:1: claim.source: expected a string that names the source of the figure; received nothing",
        ),
        (
            "[claim]\nsource = 's'\ntest_accuracy = 98.5",
            "mine.toml:3: claim.test_accuracy: expected a fraction from 0 to 1; received 98.5; did you mean 0.985?",
        ),
        (
            "[claim]\nsource = 's'\nacuracy = 0.9",
            "mine.toml:3: claim.acuracy: expected one of source, test_accuracy, comparable, note, comparisons; "
            'received "acuracy"; did you mean test_accuracy?',
        ),
        (
            "[claim]\nsource = 's'\ncomparisons = 'a'",
            'mine.toml:3: claim.comparisons: expected a list of names; received "a"',
        ),
        (
            "[claim]\nsource = 's'\ncomparable = 1",
            "mine.toml:3: claim.comparable: expected true or false; received 1",
        ),
    ],
)
def test_what_is_wrong_with_a_claim_is_reported_with_its_line(text: str, problem: str, problems_of: ProblemsOf) -> None:
    assert problems_of(text)[0] == problem


RECIPES = shipped("recipes")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_ships_leaves_nothing_open_and_has_a_claim_a_source_and_a_command(name: str) -> None:
    definition = read(RECIPES[name])
    header = RECIPES[name].read_text(encoding="utf-8").partition("\n[")[0]
    assert definition.claim is not None and definition.claim.source
    assert not definition.space.searched()
    assert "# Source: " in header
    assert f"lenet-search reproduce {name}" in header or f"lenet-search compare {name}" in header
    if definition.claim.test_accuracy is not None:  # the header and the table give one figure
        percent = f"{100 * definition.claim.test_accuracy:.2f}".rstrip("0").rstrip(".")
        error = f"{100 - 100 * definition.claim.test_accuracy:.2f}".rstrip("0")
        assert f"{percent} %" in header or f"{error} % test error" in header


def test_every_recipe_of_a_comparison_has_the_same_images_and_only_one_thing_in_it_differs() -> None:
    base = read(find("lenet5-cifar", "recipes")).space.entries
    for name, section in (
        ("l1", "regularize"), ("l2", "regularize"), ("adam", "optimizer"), ("rmsprop", "optimizer"), ("he", "model"),
    ):  # fmt: skip
        other = read(find(f"lenet5-cifar-{name}", "recipes")).space.entries
        changed = {path for path in {*base, *other} if base.get(path) != other.get(path)}
        assert changed and {path.split(".")[0] for path in changed} == {section}


@pytest.mark.parametrize("name", RECIPES)
def test_a_claim_names_a_publication_with_its_year_or_says_that_its_source_is_anonymous(name: str) -> None:
    claim, header = read(RECIPES[name]).claim, RECIPES[name].read_text(encoding="utf-8").partition("\n[")[0]
    assert claim is not None
    if not re.search(r" \d{4}\b", claim.source):
        assert claim.source.startswith("An anonymous ")
        assert "nonymous" in header.partition("# Source: ")[2]
