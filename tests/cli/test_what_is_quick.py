"""Tables of a quick check say so, so that nobody takes its figures for the result."""

import json
from dataclasses import replace
from pathlib import Path

from calls import call, store, write_study

from lenet_search.cli import compare, reproduce, train
from lenet_search.cli.terminal import console
from lenet_search.experiments.compare import compare as pairs_of
from lenet_search.experiments.train import Training
from lenet_search.recipe import Recipe
from tests.experiments.made import RECIPE, result

WHY = "only the first 1,200 training images were used"
WARNING = f"Quick check, not a result: {WHY}."


def on_a_part(name, rights):
    made = result(name, rights)
    return replace(made, task=replace(made.task, recipe=Recipe.from_values(RECIPE.values() | {"data.limit": 1200})))


def said(capsys):
    return " ".join(capsys.readouterr().out.split())


def test_reproduce_marks_table_and_recipe_and_gives_the_verdict(capsys):
    reproduce._conclude([on_a_part("a", (900,))], Path("results"), console())
    text = said(capsys)
    assert "Reported accuracy, and ours (quick)" in text
    assert "a (quick)" in text
    assert f"{WARNING} No recipe here has a reported accuracy to compare with." in text


def test_compare_marks_its_tables_and_gives_the_verdict(capsys):
    comparison = pairs_of("c", [on_a_part("a", (900, 920, 910)), on_a_part("b", (800, 790, 795))], "val_accuracy")
    compare._conclude(comparison, [], console())
    text = said(capsys)
    assert "Means over seeds (quick)" in text and "Paired differences (quick)" in text
    assert f"{WARNING} a is better than b, by 11.50 points" in text


def test_fewer_seeds_than_usual_are_named_in_the_titles(capsys):
    comparison = pairs_of("c", [result("a", (900, 920)), result("b", (800, 790))], "val_accuracy")
    compare._conclude(comparison, [], console())
    text = said(capsys)
    assert "Means over seeds (2 seeds)" in text
    assert "Only 2 seeds instead of 5, so the intervals are wide." in text


def test_train_says_it_first(capsys):
    train._conclude(Training(on_a_part("a", (900,)), 1.0), console())
    assert capsys.readouterr().out.startswith(WARNING)


def test_best_says_it_in_its_title_and_in_json():
    store(write_study(Path("mine.toml")), limit=240)
    answered = call("best", "--json")
    assert json.loads(answered.stdout)["quick"] == "only the first 240 training images were used"
    assert "complete trials (quick)" in answered.stderr
    assert "Quick check, not a result: only the first 240 training images were used." in answered.stderr


def test_a_search_of_all_images_is_not_quick():
    store(write_study(Path("mine.toml")))
    answered = call("best", "--json")
    assert json.loads(answered.stdout)["quick"] is None
    assert "quick" not in answered.stderr.lower()
