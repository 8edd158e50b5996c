"""A study's history, against what its storage says, while trials begin, wait again and end."""

import random
from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from lenet_search.search.history import History
from lenet_search.storage import open_storage

OPEN, FINISHED = (
    (TrialState.RUNNING, TrialState.WAITING),
    (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL),
)


@pytest.fixture(params=["memory", "journal", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> BaseStorage:
    """Storages that count changes, that keep a cache of their own, and that do neither."""
    if request.param == "memory":
        return InMemoryStorage()
    address = {"journal": f"{tmp_path}/study.journal", "sqlite": f"sqlite:///{tmp_path}/study.db"}[request.param]
    return open_storage(address, create=True, batched=True)


def pause(study: optuna.Study, trial: FrozenTrial) -> None:
    study._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)


def walk(study: optuna.Study, luck: random.Random) -> None:
    """Begin or resume a trial, or have one that runs report, wait again or end."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    if len(running) < 3:
        study.ask()
        return
    trial = luck.choice(running)
    fate = luck.choice([*FINISHED, TrialState.WAITING, None])
    if fate is None:
        study._storage.set_trial_intermediate_value(trial._trial_id, luck.randrange(9), luck.random())
    elif fate == TrialState.WAITING:
        pause(study, trial)
    else:
        value = luck.choice([0.1, 0.2, 0.3]) if fate == TrialState.COMPLETE else None
        study.tell(trial.number, value, state=fate)


def test_it_agrees_with_the_storage_and_hands_out_no_finished_trial_twice(storage):
    study, luck = optuna.create_study(storage=storage), random.Random(1)
    history = History(study)
    read: list[FrozenTrial] = []
    for _ in range(80):
        for _ in range(luck.randint(0, 3)):
            walk(study, luck)
        history.update()
        read += history.since(len(read))
        trials = study.get_trials()
        assert list(history.unfinished) == [t.number for t in trials if t.state in OPEN]
        assert [trial.state for trial in history.unfinished.values()] == [t.state for t in trials if t.state in OPEN]
        assert sorted(read, key=lambda trial: trial.number) == [t for t in trials if t.state in FINISHED]
        assert list(history.finished.values()) == read
        for states in ((TrialState.COMPLETE,), (TrialState.FAIL, TrialState.PRUNED), FINISHED, ()):
            assert history.ended(states) == [t for t in trials if t.state in states]
    assert {trial.state for trial in read} == set(FINISHED)


def test_a_trial_that_waits_again_is_not_remembered_until_it_has_ended(storage):
    study = optuna.create_study(storage=storage)
    history = History(study)
    first = study.ask()
    history.update()
    pause(study, history.unfinished[0])
    history.update()
    assert [trial.state for trial in history.unfinished.values()] == [TrialState.WAITING]
    assert history.finished == {}
    resumed = study.ask()
    assert resumed.number == first.number
    history.update()
    assert [trial.state for trial in history.unfinished.values()] == [TrialState.RUNNING]
    study.tell(resumed, 0.5)
    history.update()
    assert history.unfinished == {}
    assert history.finished[0].value == 0.5


def test_a_list_of_finished_trials_belongs_to_whoever_asked_for_it(storage):
    study = optuna.create_study(storage=storage)
    history = History(study)
    study.tell(study.ask(), 0.5)
    history.ended(FINISHED).clear()
    assert len(history.ended(FINISHED)) == 1


def test_a_look_sees_what_was_noted_of_running_trials_and_an_update_asks_only_after_a_change(tmp_path, monkeypatch):
    storage = open_storage(str(tmp_path / "study.journal"), create=True, batched=True)
    study = optuna.create_study(storage=storage)
    history = History(study)
    trial = study.ask()
    history.update()
    trial.report(0.5, 1)
    with monkeypatch.context() as patched:
        patched.setattr(storage, "get_all_trials", None)  # to call it would raise
        history.update()
    history.look()
    assert history.unfinished[0].intermediate_values == {1: 0.5}
