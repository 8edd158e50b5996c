"""The sampler that remembers what finished trials were draws what Optuna's draws, to the bit."""

import math
import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import TPESampler

from lenet_search.search.opening import KNOWN_INSIDE
from lenet_search.search.tpe import RememberingTPESampler
from lenet_search.storage import open_storage

TRIALS = 40
ARGUMENTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "one by one": {"multivariate": False},
    "groups": {"multivariate": True, "group": True},
    "no liar": {"constant_liar": False},
}


def params(trial: optuna.Trial) -> float:
    """A space with conditions, and all kinds of distributions."""
    value = trial.suggest_float("rate", 1e-4, 1.0, log=True) + trial.suggest_int("shift", 0, 4)
    if trial.suggest_categorical("kind", ["sgd", "adam", "lion"]) == "sgd":
        value += trial.suggest_float("momentum", 0.0, 0.95)
    elif trial.suggest_categorical("amsgrad", [False, True]):
        value -= trial.suggest_int("steps", 1, 64, log=True) / 64
    return value + trial.suggest_float("dropout", 0.0, 0.5, step=0.1)


def course(sampler: TPESampler, direction: str, fates: list[int], slots: int) -> list[tuple[Any, ...]]:
    """What a study draws of which several trials run at once; `fates` say how each ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(sampler=sampler, direction=direction)
    running: list[tuple[optuna.Trial, float]] = []
    for fate in fates:
        trial = study.ask()
        running.append((trial, params(trial)))
        if len(running) < slots:
            continue
        trial, value = running.pop(fate % slots)  # a later one may end first
        if fate == 4:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        elif fate == 5:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)  # before it reported anything
        elif fate < 2:
            study.tell(trial, round(value))  # ties
        else:
            for step in range(1, fate):
                trial.report(math.nan if value < 0.1 else value, step)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    return [(trial.number, trial.state, tuple(trial.params.items())) for trial in study.trials]


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
@given(
    seed=st.integers(0, 1000),
    direction=st.sampled_from(["minimize", "maximize"]),
    fates=st.lists(st.integers(0, 5), min_size=TRIALS, max_size=TRIALS),
    slots=st.sampled_from([2, 6]),
)
@settings(max_examples=6, deadline=None)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_it_draws_what_optunas_draws(
    arguments: dict[str, Any], seed: int, direction: str, fates: list[int], slots: int
) -> None:
    optunas = course(TPESampler(seed=seed, n_startup_trials=5, **arguments), direction, fates, slots)
    ours = course(RememberingTPESampler(seed=seed, n_startup_trials=5, **arguments), direction, fates, slots)
    assert ours == optunas


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_trial_that_waited_is_drawn_from_what_has_ended_in_the_meantime():
    def drawn(sampler: TPESampler) -> float:
        study = optuna.create_study(sampler=sampler)
        for _ in range(6):
            trial = study.ask()
            study.tell(trial, trial.suggest_float("x", 0, 1) + trial.suggest_float("y", 0, 1))
        other, waiting = study.ask(), study.ask()
        other.suggest_float("y", 0, 1)
        waiting.suggest_float("x", 0, 1)
        study._storage.set_trial_state_values(waiting._trial_id, optuna.trial.TrialState.WAITING)
        study.tell(other, -1)
        resumed = study.ask()
        assert resumed.number == waiting.number
        return resumed.suggest_float("y", 0, 1)

    arguments = {"seed": 1, "n_startup_trials": 2, "multivariate": False}
    assert drawn(RememberingTPESampler(**arguments)) == drawn(TPESampler(**arguments))


@pytest.mark.parametrize("batched", [False, True], ids=["memory", "journal"])
@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_trials_that_are_drawn_in_turns_know_what_is_drawn_of_each_other(
    arguments: dict[str, Any], batched: bool, tmp_path: Path
) -> None:
    def drawn(sampler: TPESampler) -> list[float]:
        file = str(tmp_path / f"{type(sampler).__name__}.journal")
        storage = open_storage(file, create=True, batched=True) if batched else None
        study = optuna.create_study(sampler=sampler, storage=storage)
        for _ in range(8):
            trial = study.ask()
            study.tell(trial, trial.suggest_float("x", 0, 1) + trial.suggest_float("y", 0, 1))
        values = []
        for _ in range(4):
            trials = [study.ask() for _ in range(4)]
            values += [trial.suggest_float("x", 0, 1) for trial in trials]
            values.append(study.ask().suggest_float("x", 0, 1))  # looks at the others
            values += [trial.suggest_float(name, 0, 1) for name in ("y", "z") for trial in trials]
            study.tell(trials[1], values[-1])
        return values

    ours, optunas = (kind(seed=1, n_startup_trials=2, **arguments) for kind in (RememberingTPESampler, TPESampler))
    assert drawn(ours) == drawn(optunas)


def test_a_queued_value_counts_and_not_the_one_that_was_drawn_with_the_others() -> None:
    def drawn(sampler: TPESampler) -> list[float]:
        study = optuna.create_study(sampler=sampler)
        for _ in range(8):
            trial = study.ask()
            study.tell(trial, trial.suggest_float("x", 0, 1) + trial.suggest_float("y", 0, 1))
        for _ in range(6):
            study.enqueue_trial({"x": 0.01})
            queued = study.ask()
            queued.suggest_float("y", 0, 1)
            study.ask().suggest_float("x", 0, 1)
            queued.suggest_float("x", 0, 1)
        return [study.ask().suggest_float("x", 0, 1) for _ in range(4)]

    assert drawn(RememberingTPESampler(seed=1, n_startup_trials=2)) == drawn(TPESampler(seed=1, n_startup_trials=2))


def test_a_range_that_changes_between_trials_is_drawn_from_as_optuna_does() -> None:
    def drawn(sampler: TPESampler) -> list[float]:
        study = optuna.create_study(sampler=sampler)
        values = []
        for number in range(20):
            trial = study.ask()
            values.append(trial.suggest_float("x", 0, 10 if number < 10 else 5))
            study.tell(trial, values[-1])
        return values

    assert drawn(RememberingTPESampler(seed=1, n_startup_trials=2)) == drawn(TPESampler(seed=1, n_startup_trials=2))


@pytest.mark.parametrize("impossible", [1e300, -1e300, math.nan, math.inf])
def test_a_trial_with_an_impossible_parameter_is_passed_over(impossible: float) -> None:
    study = optuna.create_study(sampler=RememberingTPESampler(seed=1, n_startup_trials=2))
    for _ in range(6):
        trial = study.ask()
        study.tell(trial, trial.suggest_float("x", 0, 1))
    for state in (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.RUNNING):
        strange = study.trials[0]
        strange.state, strange.params = state, {"x": impossible}  # as a damaged journal might have it
        study._storage.create_new_trial(study._study_id, strange)
    assert 0 <= study.ask().suggest_float("x", 0, 1) <= 1


def test_a_study_gets_it_and_its_insides_are_known_for_the_optuna_that_is_installed(opened):
    assert optuna.__version__.startswith(KNOWN_INSIDE)
    study = opened().study
    assert not isinstance(study.sampler, RememberingTPESampler)  # a random one


def test_what_is_not_known_is_left_to_optuna(opened, definition, monkeypatch):
    from lenet_search.study import read

    tpe = read("small.toml", overrides=['study.sampler={ kind = "TPESampler", n_startup_trials = 3 }'], name="tpe")
    assert type(opened(tpe).study.sampler) is RememberingTPESampler
    monkeypatch.setattr(optuna, "__version__", "6.1.0")
    assert type(opened(tpe).study.sampler) is TPESampler
