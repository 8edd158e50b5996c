import optuna
import pytest

from lenet_search.errors import ResultError
from lenet_search.recipe import Recipe
from lenet_search.storage import open_storage
from lenet_search.storage.confirmed import CONFIRMED, CONFIRMED_OF, SUFFIX, check_room, read_confirmed, write_confirmed
from lenet_search.storage.facts import store_fact

RECIPE = {"name": "trial-1", "trial": 1, "mean": 0.5, "n": 3, "low": 0.4, "high": None, "state": "winner",
          "seeds": {"1": 0.5}, "model_seed": 1, "behind": None, "parameters": 61706, "searched": 0.6,
          "values": Recipe().values()}  # fmt: skip
SUMMARY = {"study": "mine", "metric": "val_accuracy", "winner": "trial-1", "tied": [], "epochs": None, "gain": None,
           "verdict": ["trial-1 wins."], "recipes": [RECIPE]}  # fmt: skip


def read(summary, *, beside=False):
    study = optuna.create_study(study_name="mine")
    if beside:
        optuna.create_study(study_name=f"mine{SUFFIX}", storage=study._storage).set_user_attr(CONFIRMED, summary)
    else:
        store_fact(study, CONFIRMED_OF, summary)
    return read_confirmed(study)


@pytest.mark.parametrize("beside", [True, False])
def test_a_confirmation_is_read_as_it_was_stored_by_this_version_or_an_earlier_one(beside):
    assert read(SUMMARY, beside=beside) == SUMMARY


def without(table, name):
    return {key: value for key, value in table.items() if key != name}


READ = RECIPE.keys() - {"searched"}


@pytest.mark.parametrize(
    "summary",
    [
        [], "x", {}, SUMMARY | {"recipes": 3}, SUMMARY | {"recipes": [3]}, SUMMARY | {"recipes": []},
        SUMMARY | {"winner": "trial-2"}, SUMMARY | {"metric": "x"}, SUMMARY | {"epochs": "x"},
        SUMMARY | {"verdict": []},
        SUMMARY | {"winner": "../x", "recipes": [RECIPE | {"name": "../x"}]},
        *(SUMMARY | {"recipes": [RECIPE | {"seeds": seeds}]} for seeds in ({"a": 0.5}, {"1": None})),
        *(SUMMARY | {name: {"x": 3}} for name in SUMMARY),
        *(without(SUMMARY, name) for name in SUMMARY),
        *(SUMMARY | {"recipes": [RECIPE | {name: [{}]}]} for name in READ),
        *(SUMMARY | {"recipes": [without(RECIPE, name)]} for name in READ),
    ],
)  # fmt: skip
def test_what_is_no_confirmation_is_an_error_that_says_what_to_do(summary):
    with pytest.raises(ResultError, match=r"'mine' is damaged: .*; run `lenet-search confirm` again"):
        read(summary)


def test_a_confirmation_that_is_killed_at_any_write_loses_neither_the_earlier_nor_the_new_one(tmp_path):
    journal, later = tmp_path / "a.journal", SUMMARY | {"verdict": ["trial-1 wins again."]}
    study = optuna.create_study(study_name="mine", storage=open_storage(str(journal), create=True))
    created = len(journal.read_bytes().splitlines())
    write_confirmed(study, SUMMARY)
    between = len(journal.read_bytes().splitlines())
    write_confirmed(study, later)
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) > between + 3 > created + 6
    seen = []
    for length in range(created, len(lines) + 1):
        cut = tmp_path / f"{length}.journal"
        cut.write_bytes(b"".join(lines[:length]))
        again = optuna.load_study(study_name="mine", storage=open_storage(str(cut), create=True))
        found = read_confirmed(again)
        seen.append(None if found is None else found["verdict"])
        check_room(again)
        write_confirmed(again, SUMMARY)
        assert read_confirmed(again) == SUMMARY
        beside = optuna.load_study(study_name=f"mine{SUFFIX}", storage=again._storage)
        assert len(beside.trials) == 1
    first, second = SUMMARY["verdict"], later["verdict"]
    assert seen == sorted(seen, key=[None, first, second].index)  # from none to the first to the second, and never back
    assert seen[0] is None and seen[1] == first and seen[between - created + 1] == second


def test_a_study_that_somebody_uses_under_the_name_of_the_confirmation_is_kept():
    study = optuna.create_study(study_name="mine")
    other = optuna.create_study(study_name=f"mine{SUFFIX}", storage=study._storage)
    check_room(study)  # an empty one
    other.ask()
    with pytest.raises(ResultError, match=r"'mine\.confirm' that is not a confirmation"):
        write_confirmed(study, SUMMARY)
    assert read_confirmed(study) is None and len(other.trials) == 1
