from pathlib import Path
from typing import Any

import optuna
import pytest

from lenet_search.errors import ResultError
from lenet_search.recipe import Recipe
from lenet_search.storage import open_storage
from lenet_search.storage.ablated import ABLATED, read_ablated, write_ablated
from lenet_search.storage.confirmed import write_confirmed
from tests.storage.test_confirmed import SUMMARY as CONFIRMATION

WINNER = Recipe.from_values({"regularize.dropout": 0.3})


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    return optuna.create_study(study_name="mine", storage=open_storage(str(tmp_path / "a.journal"), create=True))


def summary(verdict: str, *, path: bool = False) -> dict[str, Any]:
    mean = {"n": 2, "mean": 0.5, "low": 0.4, "high": None}
    step = mean | {"choice": "augment.flip", "before": {}, "after": {"augment.flip": 0.5}, "verdict": "helps"}
    return {
        "study": "mine", "metric": "val_accuracy", "path": path, "verdict": verdict, "winner": mean, "reference": mean,
        "steps": [step],
    }  # fmt: skip


def test_a_study_that_was_not_ablated_has_no_ablation(study: optuna.Study) -> None:
    assert read_ablated(study) == []


def test_an_ablation_is_read_with_its_recipe_and_a_later_one_takes_its_place(study: optuna.Study) -> None:
    write_ablated(study, summary("first"), WINNER)
    write_ablated(study, summary("second"), WINNER)
    (found,) = read_ablated(study)
    assert found["verdict"] == "second"
    assert Recipe.from_values(found["values"]) == WINNER


def test_a_path_is_kept_beside_the_ablation_that_puts_choices_back(study: optuna.Study) -> None:
    write_ablated(study, summary("along", path=True), WINNER)
    write_ablated(study, summary("back"), WINNER)
    assert [each["verdict"] for each in read_ablated(study)] == ["back", "along"]


def test_ablations_outlive_a_confirmation_and_are_no_attribute_that_a_dashboard_lists(study: optuna.Study) -> None:
    write_ablated(study, summary("first"), WINNER)
    write_confirmed(study, CONFIRMATION)
    write_confirmed(study, CONFIRMATION)
    again = optuna.load_study(study_name="mine", storage=study._storage)
    assert len(read_ablated(again)) == 1
    assert again.user_attrs == {}


@pytest.mark.parametrize("missing", [True, False])
def test_what_is_no_ablation_is_an_error_that_says_what_to_do(study: optuna.Study, missing: bool) -> None:
    whole = {**summary("helps"), "values": WINNER.values()}
    (step,) = whole["steps"]
    for table in (whole, step):
        for name in table:
            changed = {key: value for key, value in table.items() if key != name}
            changed |= {} if missing else {name: [{}]}
            stored = changed if table is whole else whole | {"steps": [changed]}
            study._storage.set_study_system_attr(study._study_id, ABLATED[False], stored)
            with pytest.raises(ResultError, match=r"'mine' is damaged: .*; run `lenet-search ablate` again"):
                read_ablated(study)
