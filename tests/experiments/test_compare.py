from dataclasses import replace

import pytest

from lenet_search.errors import ResultError
from lenet_search.experiments.compare import check_comparable, compare, named, shared_name
from lenet_search.recipe import Recipe
from lenet_search.study import Claim
from tests.experiments.made import RECIPE, result, run, task


def test_a_difference_that_all_seeds_share_is_told_though_the_runs_overlap() -> None:
    found = compare("c", [result("a", (900, 920, 940, 960)), result("b", (910, 931, 950, 969))], "test_accuracy")
    (pair,) = found.pairs
    assert pair.difference.mean == pytest.approx(0.01)
    assert pair.verdict() == "b is better than a"


def test_what_chance_may_have_done_is_not_called_a_difference() -> None:
    found = compare("c", [result("a", (900, 920)), result("b", (910, 915))], "test_accuracy")
    assert found.pairs[0].verdict() == "no significant difference at n = 2"
    assert compare("c", [result("a", (900,)), result("b", (990,))], "val_accuracy").pairs[0].verdict() == (
        "no verdict at n = 1"
    )


def test_a_verdict_is_held_to_5_percent_over_all_pairs_together() -> None:
    members = [result("a", (900, 900, 900)), result("b", (910, 916, 922)), result("c", (900, 901, 902))]
    alone = compare("c", members[:2], "test_accuracy").pairs[0]
    among = compare("c", members, "test_accuracy").pairs[0]
    assert alone.difference == among.difference
    assert alone.difference.low > 0 and alone.p <= 0.05 < among.p
    assert among.verdict() == "no significant difference at n = 3"


def test_only_seeds_that_came_through_in_both_are_paired() -> None:
    shorter = result("b", (910, 931))
    assert compare("c", [result("a", (900, 920, 940)), shorter], "test_accuracy").pairs[0].difference.n == 2


def test_a_summary_of_one_seed_has_no_word_that_json_does_not_know() -> None:
    pair = compare("c", [result("a", (900,)), result("b", (910,))], "test_accuracy").summary()["pairs"][0]
    assert (pair["low"], pair["high"], pair["n"]) == (None, None, 1)


def test_recipes_on_other_images_are_refused() -> None:
    other = replace(task("b"), recipe=Recipe.from_values(RECIPE.values() | {"data.validation": 100}))
    with pytest.raises(ResultError, match=r"a and b cannot be compared: data\.validation is 0\.1 in one and 100"):
        check_comparable([task("a"), other])
    with pytest.raises(ResultError, match="expected two or more recipes"):
        check_comparable([task("a")])


def test_claims_name_the_comparisons() -> None:
    rate, both = Claim("s", comparisons=("rates",)), Claim("s", comparisons=("rates", "sizes"))
    results = [result("a", (900,), rate), result("b", (910,), both), result("c", (905,))]
    (found,) = named(results, "test_accuracy")
    assert (found.name, [each.name for each in found.results]) == ("rates", ["a", "b"])
    assert shared_name([task("a", rate), task("b", both)]) == "rates"
    assert shared_name([task("a", rate), task("c")]) == "a-c"


def test_the_verdict_on_two_recipes_is_the_difference_with_its_interval_and_n() -> None:
    better = compare("c", [result("a", (900, 920, 910)), result("b", (800, 790, 795))], "test_accuracy")
    assert better.verdict() == ["a is better than b, by 11.50 points (95 % interval 7.77 to 15.23, n = 3 seeds)."]
    equal = compare("c", [result("a", (900, 920)), result("b", (910, 915))], "test_accuracy")
    assert equal.verdict() == [
        "a and b cannot be told apart on 2 seeds: the second minus the first is +0.25 (-9.28 to +9.78) points."
    ]


def test_the_verdict_on_several_names_the_best_and_what_it_cannot_be_told_from() -> None:
    members = [result("a", (900, 902, 901)), result("b", (800, 801, 799)), result("c", (901, 900, 905))]
    first, second = compare("c", members, "test_accuracy").verdict()
    assert (
        first
        == "c has the highest mean, 90.20 % (89.54 to 90.86), and is better than b; it cannot be told apart from a."
    )
    assert second == "2 of 3 pairs differ, at 5 % over all pairs together (Holm)."
    alike = [result(name, (900, 920, 910 + place)) for place, name in enumerate("abc")]
    assert ", but it cannot be told apart from a and b." in compare("c", alike, "test_accuracy").verdict()[0]


def test_one_seed_gives_no_verdict_and_neither_do_seeds_that_diverged() -> None:
    assert (
        "one seed does not show"
        in compare("c", [result("a", (900,)), result("b", (990,))], "val_accuracy").verdict()[0]
    )
    lost = replace(result("a", (900,)), runs=(run(1, 0.9, diverged=True),))
    assert "no two recipes have a run" in compare("c", [lost, result("b", (990,))], "val_accuracy").verdict()[0]


def test_every_verdict_on_pairs_follows_from_the_pairs_of_the_table() -> None:
    members = [result("a", (900, 902, 901)), result("b", (800, 801, 799)), result("c", (901, 900, 905))]
    found = compare("c", members, "test_accuracy")
    for pair in found.pairs:
        assert (pair.better is None) == pair.verdict().startswith("no ")
        if pair.better is not None:
            assert pair.verdict().startswith(f"{pair.better} is better than ")
