"""Standings, against sorting and counting all trials."""

import random
from datetime import datetime, timedelta

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.standings import Standings

START = datetime(2026, 1, 1)


def trial(number: int, state: TrialState, value: float, second: int) -> FrozenTrial:
    made = optuna.create_trial(state=state, value=value if state == TrialState.COMPLETE else None)
    made.number = number
    made.datetime_complete = START + timedelta(seconds=second) if state.is_finished() else None
    return made


@pytest.mark.parametrize("maximize", [True, False])
def test_trials_that_end_in_any_order_are_counted_ranked_and_ordered_by_time(maximize):
    luck = random.Random(3)
    open_, finished = (
        (TrialState.RUNNING, TrialState.WAITING),
        (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL),
    )
    states = [luck.choice(open_) for _ in range(60)]
    trials = [trial(number, state, 0.0, 0) for number, state in enumerate(states)]
    standings = Standings(maximize=maximize)
    second = 0
    while any(not each.state.is_finished() for each in trials):
        for _ in range(luck.randint(1, 9)):
            number, second = luck.randrange(60), second + 1
            if not trials[number].state.is_finished():
                trials[number] = trial(number, luck.choice(finished), luck.choice([0.1, 0.2, 0.3]), second)
        standings.update(trials)
        complete = [each for each in trials if each.state == TrialState.COMPLETE]
        sign = -1 if maximize else 1
        assert standings.ranked == sorted(complete, key=lambda each: (sign * each.value, each.number))
        assert standings.ended == sorted(complete, key=lambda each: each.datetime_complete)
        for state in TrialState:
            assert standings.count(state) == sum(each.state == state for each in trials)
        assert standings.better(0.2) == sum(each.value >= 0.2 if maximize else each.value <= 0.2 for each in complete)
    assert standings.count(*TrialState) == 60
