"""A study that answers from its history, against Optuna's own in the same storage."""

import random

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from lenet_search.search.remembering import RememberingStudy
from search.test_history import walk


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_it_says_what_optunas_says(direction):
    storage, luck = InMemoryStorage(), random.Random(5)
    theirs = optuna.create_study(study_name="s", storage=storage, direction=direction)
    ours = RememberingStudy("s", storage)
    with pytest.raises(ValueError, match="No trials are completed yet"):
        _ = ours.best_trial
    for _ in range(80):
        walk(ours, luck)
        for states in (None, (TrialState.COMPLETE,), (TrialState.PRUNED, TrialState.FAIL), tuple(TrialState)):
            assert ours.get_trials(deepcopy=False, states=states) == theirs.get_trials(states=states)
        if theirs.get_trials(states=(TrialState.COMPLETE,)):
            assert ours.best_trial == theirs.best_trial


def test_what_it_hands_out_as_a_copy_is_one():
    storage = InMemoryStorage()
    optuna.create_study(study_name="s", storage=storage)
    study = RememberingStudy("s", storage)
    study.tell(study.ask(), 0.5)
    study.best_trial.set_user_attr("mine", 1)
    study.get_trials(states=(TrialState.COMPLETE,))[0].set_user_attr("mine", 1)
    assert study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))[0].user_attrs == {}


def test_a_search_has_one_history_for_its_standings_its_sampler_and_its_pruner(opened, definition):
    from lenet_search.study import read

    changes = ['study.sampler={ kind = "TPESampler" }', 'study.pruner={ kind = "MedianPruner" }']
    study = opened(read("small.toml", overrides=changes, name="shared")).study
    assert study.sampler.history is study.pruner.history is study.history
    study.tell(study.ask(), 0.5)
    assert study.standings().ranked == list(study.history.finished.values())
