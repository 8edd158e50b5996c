import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_search.recipe import FIELDS, Recipe
from lenet_search.run import Curve, Run, curves_csv
from tests.recipe_strategy import recipes

NUMBERS = st.floats(allow_infinity=False, width=32)


def measured(value: float) -> dict[str, float]:
    """An epoch that measured `value`, or for accuracies the nearest share."""
    share = value if math.isnan(value) else min(1.0, abs(value))
    return {name: share if name.endswith("accuracy") else value for name in Curve.NAMES}


def epochs(run: Run, values: list[float], clock: int = 0) -> Run:
    for place, value in enumerate(values):
        run.add(clock + place, measured(value), finite=math.isfinite(value), seconds=0.5)
    return run


@given(recipes(), st.lists(NUMBERS, max_size=5), st.integers(0, 2**31 - 1))
def test_a_run_survives_json_whatever_it_was(recipe: Recipe, values: list[float], seed: int) -> None:
    run = epochs(Run(recipe, seed, {"name": "tiny"}, device="CPU", versions={"keras": "3"}), values, clock=7)
    text = json.dumps(run.to_json(), allow_nan=False)
    back = Run.from_json(json.loads(text))
    assert back.to_json() == run.to_json()
    assert back.recipe == recipe


OLDER = epochs(Run(Recipe(), 3, {"name": "tiny"}, device="CPU", versions={"keras": "3"}), [0.5, 0.25], clock=7)
NEEDED = ("recipe", "seed", "curve", "clocks")


@pytest.mark.parametrize("path", FIELDS)
def test_a_hyperparameter_that_did_not_exist_when_a_run_was_stored_had_its_default(path: str) -> None:
    content = OLDER.to_json()
    content["recipe"].pop(path, None)
    assert Run.from_json(content) == OLDER


@pytest.mark.parametrize("name", Curve.NAMES)
def test_what_was_not_measured_when_a_run_was_stored_is_not_known(name: str) -> None:
    content = OLDER.to_json()
    del content["curve"][name]
    back = Run.from_json(content)
    assert np.isnan(back.curve[name]).tolist() == [True, True]
    assert back.epochs == 2
    assert all(back.curve[other] == OLDER.curve[other] for other in Curve.NAMES if other != name)
    assert Run.from_json(json.loads(json.dumps(back.to_json(), allow_nan=False))).to_json() == back.to_json()


@pytest.mark.parametrize("name", [name for name in OLDER.to_json() if name not in NEEDED])
def test_what_was_not_noted_when_a_run_was_stored_is_empty(name: str) -> None:
    content = OLDER.to_json()
    del content[name]
    assert not getattr(Run.from_json(content), name)


@pytest.mark.parametrize("name", NEEDED)
def test_without_its_recipe_seed_curve_or_clocks_it_is_no_run(name: str) -> None:
    content = OLDER.to_json()
    del content[name]
    with pytest.raises(KeyError):
        Run.from_json(content)
    with pytest.raises(KeyError):
        Run.from_json(OLDER.to_json() | {"curve": {}})


@pytest.mark.parametrize(
    "changes",
    [
        {"n": "60"}, {"n": -1}, {"n": 10**400}, {"right": 61, "n": 60}, {"right": True}, {"seed": 1.5}, {"seed": -1},
        {"seed": None}, {"clocks": 3}, {"clocks": [[0]]}, {"clocks": [[0, -1]]}, {"clocks": [[0, math.inf]]},
        {"images": 3}, {"images": [3]}, {"versions": "x"}, {"seconds": math.nan}, {"seconds": 10**400}, {"seconds": -1},
        {"recipe": []}, {"recipe": {"train.epochs": "x"}}, {"curve": {"val_loss": 3}},
        {"curve": {"val_loss": [10**400]}}, {"curve": {"val_loss": [[]]}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_run_is_a_value_error_and_nothing_else(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Run.from_json(epochs(Run(Recipe(), 1), [0.5]).to_json() | changes)


def test_stretches_that_follow_on_each_other_are_one_and_others_are_not() -> None:
    run = epochs(epochs(epochs(Run(Recipe(), 0), [1.0, 2.0]), [3.0], clock=2), [4.0], clock=9)
    assert run.clocks == [(0, 3), (9, 1)]
    assert (run.epochs, run.seconds) == (4, 2.0)


@pytest.mark.parametrize(("kept", "clocks"), [(4, [(0, 3), (9, 1)]), (3, [(0, 3)]), (2, [(0, 2)]), (0, [])])
def test_going_back_forgets_later_epochs_and_where_they_were_trained(kept: int, clocks: list[tuple[int, int]]) -> None:
    run = epochs(epochs(Run(Recipe(), 0), [1.0, 2.0, 3.0]), [math.nan], clock=9)
    assert run.diverged
    run.back_to(kept)
    assert (run.epochs, run.clocks) == (kept, clocks)
    assert not run.diverged


def test_a_run_is_over_after_its_last_epoch_or_when_it_has_diverged() -> None:
    recipe = Recipe.from_values({"train.epochs": 2})
    assert not epochs(Run(recipe, 0), [1.0]).over
    assert epochs(Run(recipe, 0), [1.0, 2.0]).over
    assert epochs(Run(recipe, 0), [math.nan]).over


def test_a_table_of_curves_has_a_line_for_each_curve_and_epoch() -> None:
    lines = curves_csv("seed", [(3, Curve.constant([0.5, 0.25])), (4, Curve.constant([math.nan]))]).splitlines()
    assert lines[0] == "seed,epoch," + ",".join(Curve.NAMES)
    assert lines[1:3] == ["3,1" + ",0.5" * 6, "3,2" + ",0.25" * 6]
    assert lines[3] == "4,1" + ",nan" * 6


def test_a_curve_knows_no_other_names() -> None:
    with pytest.raises(KeyError):
        Curve()["add"]


def test_a_curve_with_more_numbers_under_one_name_is_none() -> None:
    content = Curve.constant([0.5, 0.25]).to_json()
    content["val_loss"] = content["val_loss"][:1]
    with pytest.raises(ValueError, match="as many numbers"):
        Curve.from_json(content)
