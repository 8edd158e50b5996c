from collections.abc import Callable
from datetime import timedelta

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from lenet_search.errors import ResultError
from lenet_search.results.best import (
    best_trial,
    complete_trials,
    metric_of,
    pick_study,
    top_rows,
)
from lenet_search.results.chosen import headline
from lenet_search.storage import DEFINITION
from lenet_search.study import read
from tests.results.conftest import drawn, trial_of

Make = Callable[..., optuna.Study]


def test_trials_are_listed_best_first_whichever_way_is_up(made_study: Make) -> None:
    up = [trial.value for trial in complete_trials(made_study(30))]
    down = [trial.value for trial in complete_trials(made_study(30, direction="minimize"))]
    assert up == sorted(up, reverse=True)
    assert down == sorted(down)


def test_pruned_trials_are_never_among_the_best(made_study: Make) -> None:
    assert {trial.state for trial in complete_trials(made_study(30))} == {TrialState.COMPLETE}


def test_of_two_equal_trials_the_older_comes_first(made_study: Make) -> None:
    study = made_study(0)
    params = drawn(np.random.default_rng(0))
    for number in range(3):
        study.add_trial(trial_of(params, 0.5, number))
    assert [trial.number for trial in complete_trials(study)] == [0, 1, 2]


def test_a_study_without_complete_trials_says_what_it_has(made_study: Make) -> None:
    study = made_study(0)
    with pytest.raises(ResultError, match=r"\(no trials\)"):
        best_trial(study)
    study.ask()
    with pytest.raises(ResultError, match=r"no complete trial yet \(1 running\)"):
        best_trial(study)


def test_the_only_study_is_picked_without_a_name(made_study: Make) -> None:
    storage = optuna.storages.InMemoryStorage()
    made_study(3, storage=storage)
    assert pick_study(storage).study_name == "cifar"


def test_of_several_studies_that_with_the_newest_trial_is_picked(made_study: Make) -> None:
    storage = optuna.storages.InMemoryStorage()
    study = made_study(3, name="recent", storage=storage)
    late = trial_of(study.trials[0].params, 0.5, 3)
    assert late.datetime_start is not None and late.datetime_complete is not None
    late.datetime_start += timedelta(days=1)
    late.datetime_complete += timedelta(days=1)
    study.add_trial(late)
    made_study(3, name="older", storage=storage)
    made_study(0, name="empty", storage=storage)
    assert pick_study(storage).study_name == "recent"


def test_a_name_that_is_not_there_is_answered_with_those_that_are(made_study: Make) -> None:
    storage = optuna.storages.InMemoryStorage()
    made_study(1, name="mnist", storage=storage)
    made_study(1, name="cifar", storage=storage)
    with pytest.raises(ResultError, match=r"no study named 'cifra'\. Available: cifar, mnist"):
        pick_study(storage, "cifra")


def test_an_empty_storage_says_how_to_begin() -> None:
    with pytest.raises(ResultError, match=r"no study yet.*lenet-search run"):
        pick_study(optuna.storages.InMemoryStorage())


def test_the_metric_is_read_from_the_stored_definition(made_study: Make) -> None:
    study = made_study(0, direction="minimize")
    assert metric_of(study) == "val_loss"
    study.set_user_attr(DEFINITION, read("cifar").lines() | {"study.metric": '"val_accuracy"'})
    assert metric_of(study) == "val_accuracy"


def test_a_row_carries_its_interval_and_n(made_study: Make) -> None:
    rows = top_rows(made_study(30), 3)
    assert [row.rank for row in rows] == [1, 2, 3]
    for row in rows:
        low, value, high = row.estimate.low, row.estimate.value, row.estimate.high
        assert low is not None and value is not None and high is not None and low < value < high
    assert {row.estimate.n for row in rows} == {5000}


def test_a_loss_has_no_interval_of_a_share(made_study: Make) -> None:
    (row,) = top_rows(made_study(30, direction="minimize"), 1)
    assert (row.estimate.low, row.estimate.high) == (None, None)


def test_a_balanced_accuracy_is_shown_in_percent_without_an_interval(made_study: Make) -> None:
    study = made_study(30)
    study.set_user_attr(DEFINITION, read("cifar").lines() | {"study.metric": '"val_balanced_accuracy"'})
    (row,) = top_rows(study, 1)
    assert str(row.estimate).endswith(" %")
    assert not row.estimate.bounds()
    assert "balanced validation accuracy" in headline(study, study.best_trial)


def test_a_rows_parameters_stand_in_the_order_of_the_study_language(made_study: Make) -> None:
    (row,) = top_rows(made_study(30), 1)
    assert next(iter(row.params)).startswith("model.")
    assert list(row.params)[-1].startswith("schedule.")


def test_a_study_of_another_tool_is_taken_by_name_only_and_with_one_objective_only() -> None:
    storage = optuna.storages.InMemoryStorage()
    own = optuna.create_study(study_name="own", storage=storage)
    own.set_user_attr(DEFINITION, {})
    for name, directions in (("theirs", ["minimize"]), ("two", ["minimize", "maximize"])):
        optuna.create_study(study_name=name, storage=storage, directions=directions).ask()
    assert pick_study(storage).study_name == "own"
    assert pick_study(storage, "theirs").study_name == "theirs"
    with pytest.raises(ResultError, match="2 objectives"):
        pick_study(storage, "two")
