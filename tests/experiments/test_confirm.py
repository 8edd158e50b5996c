"""A confirmation, from runs that are in the folder already: nothing is trained here."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lenet_search import data
from lenet_search.errors import ResultError
from lenet_search.experiments.confirm import FIRST_SEED, Confirmation, Finalist, confirm
from lenet_search.experiments.race import State
from lenet_search.look.progress import Silent
from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.storage.kept import Kept
from tests.experiments.made import a_zip

SMALL = {"data.name": "digits", "data.limit": 200, "data.validation": 40, "train.epochs": 1, "train.batch_size": 20}


def recipe(**values: object) -> Recipe:
    return Recipe.from_values(SMALL | {name.replace("__", "."): value for name, value in values.items()})


def finalists(**means: float) -> list[Finalist]:
    """trial-0, trial-1, ... with recipes of their own, and `reference`."""
    made = []
    for place, name in enumerate(means):
        own = recipe(regularize__l2=1e-4, optimizer__adam__learning_rate=1e-3 * (place + 1), optimizer__kind="adam")
        if name == "reference":
            made.append(Finalist(name, recipe(), is_reference=True))
        else:
            made.append(Finalist(name, own, place, means[name] + 0.05))
    return made


def race(folder: Path, seeds: int = 16, grain: float = 0.0, **means: float) -> Confirmation:
    """The race of these recipes, whose accuracies on 16 seeds are these means and some noise."""
    racing = finalists(**means)
    for place, each in enumerate(racing):
        kept, rng = Kept(folder / each.name), np.random.default_rng(place)
        images = data.load(each.recipe.images).describe()
        kept.begin(each.recipe, images, "")
        for seed in range(FIRST_SEED, FIRST_SEED + 16):
            value = means[each.name] + float(rng.normal(0, 0.002))
            diverged = math.isnan(value) and seed > FIRST_SEED
            curve = Curve.constant([0.5 if math.isnan(value) else value])
            kept.keep_model(seed, a_zip())
            kept.keep(Run(each.recipe, seed, images, [(0, 1)], curve, diverged, "CPU", {"keras": "3"}, 1.0))
    return confirm(racing, folder, study="mine", metric="val_accuracy", seeds=seeds, view=Silent(), grain=grain)


def test_the_better_recipe_wins_and_is_better_than_the_reference(tmp_path: Path) -> None:
    found = race(tmp_path, trial_0=0.90, trial_1=0.95, trial_2=0.90, reference=0.85)
    assert found.winner.finalist.name == "trial_1"
    assert [row.finalist.name for row in found.tied] == ["trial_1"]
    assert found.gain is not None and found.gain.low is not None
    assert found.gain.low < 0.10 < (found.gain.high or 0)
    first, second, *_ = found.verdict()
    assert first.startswith("trial_1 wins: val_accuracy 9")
    assert second.startswith("It is better than the reference: +")
    assert found.summary()["gain"]["inside"] == found.inside
    before, after = found.rows[-1].standing, found.rows[0].standing
    assert before.behind is not None  # the same pairs, the same probability, from the other end
    assert (found.gain.low, found.gain.high) == pytest.approx((-(before.behind.high or 0), -(before.behind.low or 0)))
    assert after.state == State.LEADER


def test_the_search_s_own_figure_is_compared_with_that_on_fresh_seeds(tmp_path: Path) -> None:
    found = race(tmp_path, trial_0=0.90, trial_1=0.95, reference=0.85)
    line = next(line for line in found.verdict() if "The search had shown" in line)
    assert "100.00 %" in line and "trial_1" in line and "better than on fresh seeds" in line


def test_of_recipes_that_cannot_be_told_apart_the_simplest_is_taken_else_the_leader(tmp_path: Path) -> None:
    found = race(tmp_path, trial_0=0.90, trial_1=0.90)
    assert {row.finalist.name for row in found.tied} == {"trial_0", "trial_1"}
    assert found.winner is found.rows[0]
    assert f"cannot be told apart. Chosen is {found.winner.finalist.name}, which leads: " in found.verdict()[0]
    simpler = replace(found.rows[1], parameters=10)
    words = replace(found, rows=(found.rows[0], simpler), winner=simpler).verdict()[0]
    assert f"{simpler.finalist.name}, which has the fewest parameters" in words


def test_where_the_reference_leads_the_search_has_found_nothing_better(tmp_path: Path) -> None:
    tied = race(tmp_path / "tied", seeds=4, trial_0=0.8985, reference=0.9)
    assert [row.finalist.name for row in tied.tied] == ["reference", "trial_0"]
    assert tied.winner is tied.rows[0] and tied.gain is None
    assert tied.verdict()[0].startswith("The search has found nothing better than the reference: val_accuracy 90.")
    assert tied.verdict()[1] == "trial_0 cannot be told apart from it."
    alone = race(tmp_path / "alone", trial_0=0.8, trial_1=0.8, reference=0.9)
    assert [row.finalist.name for row in alone.tied] == ["reference"] and alone.winner is alone.rows[0]
    assert alone.verdict()[0].startswith("The search has found nothing as good as the reference: val_accuracy ")


def test_few_seeds_that_agree_by_chance_are_no_certainty(tmp_path: Path) -> None:
    """On 40 images, two seeds often give the same count; the interval is then that of rounding, not a point."""
    found = race(tmp_path, seeds=2, grain=1 / 40, trial_0=0.9, reference=0.9)
    for row in found.rows:
        assert row.mean.low is not None and row.mean.high is not None
        assert row.mean.high - row.mean.low > 1 / 40
    better = race(tmp_path / "better", seeds=2, grain=1 / 40, trial_0=0.95, reference=0.9)
    assert better.gain is not None and -1.0 <= (better.gain.low or 0) <= (better.gain.high or 0) <= 1.0


def test_a_recipe_that_diverges_leaves_the_race(tmp_path: Path) -> None:
    found = race(tmp_path, trial_0=0.90, trial_1=math.nan, reference=0.85)
    states = {row.finalist.name: row.standing.state for row in found.rows}
    assert states == {"trial_0": State.LEADER, "trial_1": State.DIVERGED, "reference": State.WORSE}


def test_nothing_is_claimed_against_a_reference_that_diverged_on_some_seeds(tmp_path: Path) -> None:
    found = race(tmp_path, trial_0=0.90, trial_1=0.95, reference=math.nan)
    assert found.winner.finalist.name == "trial_1" and found.gain is None
    said = " ".join(found.verdict())
    assert "The reference diverged on some of its seeds." in said
    assert "than the reference" not in said and "beats" not in said
    assert found.summary()["gain"] is None


@pytest.mark.parametrize("names", [("trial_0",), ("trial_0", "reference"), ("trial_0", "trial_1", "reference")])
def test_where_every_recipe_diverges_nothing_is_confirmed(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ResultError, match="nothing of study 'mine' is confirmed: every recipe diverged "):
        race(tmp_path, **dict.fromkeys(names, math.nan))


def test_those_that_are_set_aside_have_fewer_seeds_and_no_interval_to_the_leader(tmp_path: Path) -> None:
    found = race(tmp_path, **{f"trial_{i}": 0.9 - 1e-4 * i for i in range(6)})
    aside = [row for row in found.rows if row.standing.state == State.ASIDE]
    assert len(aside) == 4
    assert all(row.mean.n < 16 and "(" not in found.behind(row) for row in aside)


def test_the_summary_is_json_with_every_seed(tmp_path: Path) -> None:
    found = race(tmp_path, trial_0=0.90, trial_1=0.95, reference=0.85)
    summary = json.loads(json.dumps(found.summary(), allow_nan=False))
    assert summary["winner"] == "trial_1"
    assert {len(each["seeds"]) for each in summary["recipes"]} <= {4, 8, 16}
    best = summary["recipes"][0]
    assert abs(best["seeds"][str(best["model_seed"])] - best["mean"]) == min(
        abs(value - best["mean"]) for value in best["seeds"].values()
    )


def test_of_a_single_recipe_the_mean_is_told(tmp_path: Path) -> None:
    found = race(tmp_path, seeds=2, trial_0=0.90)
    assert found.winner.mean.n == 2
    assert found.gain is None


@pytest.mark.parametrize("seeds", [2, 8])
def test_all_recipes_have_the_same_fresh_seeds(tmp_path: Path, seeds: int) -> None:
    found = race(tmp_path, seeds=seeds, trial_0=0.90, reference=0.9)
    assert {tuple(row.standing.values) for row in found.rows} == {tuple(range(FIRST_SEED, FIRST_SEED + seeds))}
