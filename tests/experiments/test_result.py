from dataclasses import replace

import pytest

from lenet_search.experiments.result import Result
from lenet_search.look.intervals import mean_of, share_of
from lenet_search.study import Claim
from tests.experiments.made import IMAGES, result, run, task


def test_a_mean_over_seeds_has_student_s_interval_and_one_seed_the_images_own() -> None:
    found = result("mine", (900, 920, 910)).mean("test_accuracy")
    assert found == mean_of([0.9, 0.92, 0.91], share=True)
    assert (found.n, found.over) == (3, "seeds")
    alone = result("mine", (900,)).mean("test_accuracy")
    assert alone == replace(share_of(0.9, 1000), n=1)
    assert alone.over == "images"
    assert result("mine", (900,)).mean("val_loss") == mean_of([0.9], share=False)


def test_runs_that_diverged_are_counted_and_are_in_no_mean() -> None:
    runs = (run(1, 0.9, 900), run(2, float("nan"), diverged=True))
    found = Result(task(seeds=(1, 2)), runs, IMAGES, 1)
    assert found.diverged == 1
    assert found.values("val_accuracy") == {1: 0.9}


def test_the_seconds_of_all_seeds_add_up() -> None:
    runs = (run(1, 0.9), replace(run(3, 0.9), seconds=4.0))
    assert Result(task(), runs, IMAGES, 1).seconds == 12.5 + 4.0


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (0.85, "above"),
        (0.905, "reached"),
        (0.915, "within the interval"),
        (0.99, "below"),
        (None, ""),
    ],
)
def test_the_verdict_says_on_which_side_of_the_claim_mean_and_interval_lie(claim: float | None, verdict: str) -> None:
    assert result("mine", (900, 920, 910), Claim("somebody", claim)).verdict() == verdict


def test_a_claim_for_other_images_is_not_judged() -> None:
    assert result("mine", (900, 920), Claim("somebody", 0.5, comparable=False)).verdict() == "other images"


def test_without_a_test_there_is_no_verdict() -> None:
    found = Result(task(claim=Claim("somebody", 0.5)), (run(1, 0.9),), IMAGES, 1)
    assert found.verdict() == ""
    assert found.summary()["metrics"]["test_accuracy"]["mean"] is None
