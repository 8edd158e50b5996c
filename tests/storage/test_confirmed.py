import optuna
import pytest

from lenet_search.errors import ResultError
from lenet_search.storage.confirmed import CONFIRMED, SUFFIX, read_confirmed

RECIPE = {"name": "trial-1", "trial": 1, "mean": 0.5, "n": 3, "low": 0.4, "high": None, "state": "winner",
          "seeds": {"1": 0.5}, "model_seed": 1}  # fmt: skip
SUMMARY = {"metric": "val_accuracy", "winner": "trial-1", "tied": [], "epochs": None, "recipes": [RECIPE]}


def read(summary):
    study = optuna.create_study(study_name="mine")
    beside = optuna.create_study(study_name=f"mine{SUFFIX}", storage=study._storage)
    beside.set_user_attr(CONFIRMED, summary)
    return read_confirmed(study)


def test_a_confirmation_is_read_as_it_was_stored():
    assert read(SUMMARY) == SUMMARY


@pytest.mark.parametrize(
    "summary",
    [
        [], "x", {}, SUMMARY | {"recipes": 3}, SUMMARY | {"recipes": [3]}, SUMMARY | {"recipes": []},
        SUMMARY | {"winner": "trial-2"}, SUMMARY | {"metric": "x"}, SUMMARY | {"epochs": "x"},
        SUMMARY | {"winner": "../x", "recipes": [RECIPE | {"name": "../x"}]},
        *(SUMMARY | {"recipes": [RECIPE | {name: [{}]}]} for name in RECIPE),
        *(SUMMARY | {"recipes": [{key: value for key, value in RECIPE.items() if key != name}]} for name in RECIPE),
    ],
)  # fmt: skip
def test_what_is_no_confirmation_is_an_error_that_says_what_to_do(summary):
    with pytest.raises(ResultError, match=r"'mine\.confirm' is damaged: .*; run `lenet-search confirm` again"):
        read(summary)
