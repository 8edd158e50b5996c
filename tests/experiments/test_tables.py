import json
from dataclasses import replace
from pathlib import Path

from lenet_search.experiments.result import Result
from lenet_search.experiments.tables import verdict, write_tables
from lenet_search.recipe import Recipe
from lenet_search.study import Claim
from tests.experiments.made import RECIPE, result, run

RESULTS = [
    result("good", (900, 920, 910), Claim("Somebody 1998.", 0.9, note="A note.", comparisons=("both",))),
    result("bad <b>", (800, 790, 795), Claim("Somebody else.", 0.9, comparisons=("both",))),
]


def test_the_table_holds_reported_accuracy_and_result_with_n_and_interval(tmp_path: Path) -> None:
    markdown, machine = write_tables(RESULTS, tmp_path)
    lines = markdown.read_text().splitlines()
    assert lines[0] == "**Only 3 seeds instead of 5, so the intervals are wide.**"
    assert lines[2] == " ".join(verdict(RESULTS))
    assert lines[6] == ("| good | digits | 90.00 % | 91.00 % (88.52 to 93.48) | 3 | reached | 61,706 | 2 | 38 |")
    assert "- `good`: Somebody 1998. A note." in lines
    assert any(line.startswith("| bad <b> against good | -11.50 (") for line in lines)
    answer = json.loads(machine.read_text())
    assert [each["name"] for each in answer["recipes"]] == ["good", "bad <b>"]
    assert answer["comparisons"][0]["pairs"][0]["verdict"] == "good is better than bad <b>"


def claimed(name: str, rights: tuple[int, ...], reported: float | None, *, comparable: bool = True) -> Result:
    return result(name, rights, Claim("Somebody.", reported, comparable=comparable))


def test_the_verdict_counts_the_recipes_that_reach_the_reported_accuracy() -> None:
    results = [
        claimed("above", (950, 951, 949), 0.9),
        claimed("within", (900, 920, 910), 0.915),
        claimed("less", (800, 790, 795), 0.9),
        claimed("elsewhere", (950, 951), 0.9, comparable=False),
        claimed("unknown", (950, 951), None),
    ]
    assert verdict(results) == [
        "2 of 3 recipes reached the reported accuracy, or had it within the interval.",
        "Below it, but with it in the interval: within.",
        "Below it: less, 79.50 % (78.26 to 80.74) against 90.00 %.",
        "Reported on other images, so not comparable: elsewhere.",
    ]
    told = [each.verdict() for each in results]
    assert told == ["above", "within the interval", "below", "other images", ""]


def test_without_a_reported_accuracy_there_is_nothing_to_be_judged() -> None:
    assert verdict([claimed("a", (900,), None)]) == ["No recipe here has a reported accuracy to compare with."]


def test_a_quick_run_is_not_compared() -> None:
    made = claimed("a", (900,), 0.9)
    assert verdict([replace(made, task=replace(made.task, claim=None, quick=True))]) == [
        "A quick run is not compared with the reported accuracies."
    ]


def test_the_verdict_tells_runs_that_diverged() -> None:
    made = result("a", (900, 910))
    lost = replace(made, runs=(*made.runs, run(3, 0.1, diverged=True)))
    assert verdict([lost])[-1] == "1 of 3 runs diverged; the means leave it out."


def test_a_quick_check_says_so_in_the_tables_and_in_json(tmp_path: Path) -> None:
    made = result("a", (450,))
    recipe = Recipe.from_values(RECIPE.values() | {"data.limit": 1200})
    quick = replace(made, task=replace(made.task, quick=True, recipe=recipe))
    markdown, machine = write_tables([quick], tmp_path)
    why = "2 epochs; 1 seed; 1,000 test images; only the first 1,200 training images were used"
    assert markdown.read_text().splitlines()[0] == f"**Quick check, not a result: {why}.**"
    assert "| a (quick) |" in markdown.read_text()
    answer = json.loads(machine.read_text())
    assert answer["quick"] == answer["recipes"][0]["quick"] == why
    whole = json.loads(write_tables([result("a", (900,) * 5)], tmp_path)[1].read_text())
    assert whole["quick"] is whole["recipes"][0]["quick"] is None


def test_a_recipe_whose_file_name_is_not_utf_8_has_its_table(tmp_path: Path) -> None:
    markdown, machine = write_tables([result("caf\udce9", (900,))], tmp_path)
    assert "| caf? |" in markdown.read_text(encoding="utf-8")
    assert json.loads(machine.read_text())["recipes"][0]["name"] == "caf\udce9"
