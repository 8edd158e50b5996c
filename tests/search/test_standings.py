"""Standings, against sorting and counting all trials."""

import random

import optuna
import pytest
from optuna.trial import TrialState

from lenet_search.search.history import History
from lenet_search.search.standings import Standings
from lenet_search.storage.trials import CURVE, OURS, TRAINED, carries_run
from search.test_history import walk


@pytest.mark.parametrize("maximize", [True, False])
def test_trials_that_end_in_any_order_are_counted_ranked_and_ordered_by_time(maximize):
    study, luck = optuna.create_study(), random.Random(3)
    standings = Standings(History(study), maximize=maximize)
    assert standings.count(*TrialState) == 0
    for _ in range(120):
        for _ in range(luck.randint(1, 4)):
            walk(study, luck)
            for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                for name in (CURVE, TRAINED) if trial.number % 3 else ():  # as those that lenet-search runs
                    study._storage.set_trial_system_attr(trial._trial_id, OURS + name, {})
        standings.update()
        trials = study.get_trials()
        complete = [each for each in trials if each.state == TrialState.COMPLETE]
        sign = -1 if maximize else 1
        assert standings.ranked == sorted(complete, key=lambda each: (sign * each.value, each.number))
        assert standings.ended == sorted(complete, key=lambda each: (each.datetime_complete, each.number))
        for state in TrialState:
            assert standings.count(state) == sum(each.state == state for each in trials)
        assert standings.own == [each for each in standings.ranked if carries_run(each)]
        assert sorted(standings.arrived, key=standings.own.index) == standings.own
        better = sum(each.value >= 0.2 if maximize else each.value <= 0.2 for each in standings.own)
        assert [standings.is_among(count, 0.2) for count in range(5)] == [better < count for count in range(5)]
    assert standings.count(*TrialState) == len(trials)
    assert len(complete) > len(standings.own) > 10
