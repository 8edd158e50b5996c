"""Trials that somebody else added to a study, or queued: of every state, with and without values and parameters."""

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from lenet_search.errors import ResultError, RunError
from lenet_search.results.best import best_trial, complete_trials, passed_over, top_rows
from lenet_search.results.importance import importance
from lenet_search.results.report import report_page
from lenet_search.search.ledger import KEPT, Ledger
from lenet_search.search.parents import RUN
from lenet_search.storage import artifact_folder
from lenet_search.storage.trials import REASON, load_weights, noted
from lenet_search.study import read
from search.conftest import ask, finish, states, train

RATE, DROPOUT = "optimizer.adam.learning_rate", "regularize.dropout"
LONG_AGO = datetime.now() - timedelta(hours=1)
FINISHED = {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL}


def foreign(state: TrialState, value: float | None = None, **more: Any) -> FrozenTrial:
    """A trial as a storage takes it from anybody: nothing of it is checked."""
    filled = {"params": {}, "distributions": {}, "intermediate_values": {}, "user_attrs": {}, **more}
    complete = LONG_AGO if state in FINISHED else None
    start = None if state == TrialState.WAITING else LONG_AGO
    return FrozenTrial(
        number=-1, trial_id=-1, state=state, value=value, datetime_start=start, datetime_complete=complete,
        system_attrs={}, **filled,
    )  # fmt: skip


KINDS = {
    "complete": foreign(TrialState.COMPLETE, 0.99),
    "complete with a parameter of ours": foreign(
        TrialState.COMPLETE, 0.99, params={DROPOUT: 0.25}, distributions={DROPOUT: FloatDistribution(0, 0.5)}
    ),
    "complete with a parameter outside the space": foreign(
        TrialState.COMPLETE, 0.99, params={DROPOUT: 7.0}, distributions={DROPOUT: FloatDistribution(0, 9)}
    ),
    "complete with parameters of its own": foreign(
        TrialState.COMPLETE, 0.99, params={"depth": 3.0}, distributions={"depth": FloatDistribution(0, 9)}
    ),
    "complete without a value": foreign(TrialState.COMPLETE),
    "complete with NaN": foreign(TrialState.COMPLETE, math.nan),
    "complete with infinity": foreign(TrialState.COMPLETE, math.inf),
    "complete with attributes of its own": foreign(TrialState.COMPLETE, 0.99, user_attrs={"recipe": "pancakes"}),
    "pruned": foreign(TrialState.PRUNED),
    "pruned with reports": foreign(TrialState.PRUNED, intermediate_values={1: 0.5, 2: math.nan}),
    "failed": foreign(TrialState.FAIL),
    "running elsewhere": foreign(
        TrialState.RUNNING, params={DROPOUT: 0.25}, distributions={DROPOUT: FloatDistribution(0, 0.5)}
    ),
    "waiting": foreign(TrialState.WAITING),
    "waiting with a parameter": foreign(
        TrialState.WAITING, params={DROPOUT: 0.25}, distributions={DROPOUT: FloatDistribution(0, 0.5)}
    ),
}
TPE = 'study.sampler={ kind = "TPESampler", n_startup_trials = 2 }'


def add(ledger: Ledger, trial: FrozenTrial) -> None:
    ledger.study._storage.create_new_trial(ledger.study._study_id, trial)


@pytest.fixture
def url() -> str:
    """What is held here does not depend on the storage, and a journal takes every trial."""
    return "study.journal"


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_of_somebody_else_does_not_keep_a_study_from_its_total_and_its_results(opened, kind):
    ledger = opened(read("small.toml", overrides=[TPE, 'study.pruner={ kind = "MedianPruner" }']), total=11)
    finish(ledger, ask(ledger), 0.5)
    add(ledger, KINDS[kind])
    ledger.adopt_orphans()
    while ledger.wanted():
        job = ask(ledger)
        finish(ledger, job, 0.5 + job.number / 100)
    counted = KINDS[kind].state in (TrialState.COMPLETE, TrialState.PRUNED)
    study = optuna.load_study(study_name="small", storage=ledger.study._storage)
    own = 11 - counted
    assert states(study)["COMPLETE"] == own + (counted and "complete" in kind)
    assert states(study).get("RUNNING", 0) == (kind == "running elsewhere")  # and nobody takes it from them

    assert ledger.best() == best_trial(study)
    assert ledger.best().number != 1 or "waiting" in kind
    assert len(complete_trials(study)) == len(top_rows(study, 99)) == own
    assert importance(study).verdict
    assert ("trial 1," in passed_over(study)) == counted


def test_a_report_says_which_trials_it_passes_over(opened):
    ledger = opened()
    finish(ledger, ask(ledger), 0.5)
    for kind in KINDS:
        add(ledger, KINDS[kind])
    assert "Best 1 trials" in report_page(ledger.study)
    assert passed_over(ledger.study) in report_page(ledger.study)


def test_weights_of_the_best_own_trials_are_kept_however_good_those_of_others_are(opened, url):
    ledger = opened(total=20)
    for _ in range(2 * KEPT):
        add(ledger, KINDS["complete"])
    for value in (0.5, 0.6):
        finish(ledger, ask(ledger), value)
    best = ledger.best()
    assert best is not None
    assert best.value == 0.6
    assert load_weights(artifact_folder(url), best)
    assert "10, ...," not in passed_over(ledger.study)
    assert "the best of all among them" in passed_over(ledger.study)


def test_a_study_in_which_every_trial_is_foreign_says_so(opened):
    ledger = opened()
    add(ledger, KINDS["complete"])
    with pytest.raises(ResultError, match=r"no complete trial of its own \(1 complete\).*trial 0"):
        best_trial(ledger.study)


def test_a_parameter_of_another_kind_under_a_name_of_ours_is_explained(opened):
    ledger = opened()
    choice = CategoricalDistribution(("low", "high"))
    add(ledger, foreign(TrialState.COMPLETE, 0.9, params={DROPOUT: "low"}, distributions={DROPOUT: choice}))
    with pytest.raises(RunError, match=r"another tool added \(0\); choose another name with --name"):
        ask(ledger)


# Values that no trial of the study can have, and a word of the reason.
ILLEGAL: dict[str, tuple[dict[str, Any], str]] = {
    "out of its range": ({"optimizer.kind": "adam", RATE: 0.5}, "a value from"),
    "out of every range": ({"optimizer.kind": "adam", RATE: 100.0}, "a number above 0 to 10"),
    "not a number": ({"optimizer.kind": "adam", RATE: math.nan}, "a number above 0 to 10"),
    "a text for a number": ({DROPOUT: "much"}, "a number from 0 to below 1"),
    "a flag for a number": ({DROPOUT: True}, "a number from 0 to below 1"),
    "nothing": ({DROPOUT: None}, "a number from 0 to below 1"),
    "a list": ({DROPOUT: [0.1, 0.2]}, "a number from 0 to below 1"),
    "an unknown name": ({"dropout": 0.1}, "there is no hyperparameter of this name"),
    "a choice that is none": ({"optimizer.kind": "lion"}, 'one of "sgd", "adam"'),
    "a choice that does not exist": ({"optimizer.kind": "magic"}, "one of"),
    "of a kind that is not queued": ({"optimizer.kind": "sgd", RATE: 0.001}, "no effect with optimizer.kind = 'sgd'"),
    "of a kind that cannot be": ({"optimizer.lion.learning_rate": 0.001}, "no trial of this study has"),
    "another value than the fixed one": ({"train.epochs": 3}, "2, the value fixed by the study"),
}


@pytest.mark.parametrize("kind", ILLEGAL)
def test_a_queued_value_that_is_not_legal_fails_its_trial_with_the_reason_and_the_run_goes_on(opened, kind):
    values, reason = ILLEGAL[kind]
    ledger, notes = opened(total=3), []
    ledger._note = notes.append
    finish(ledger, ask(ledger), 0.5)
    for _ in range(2):
        ledger.study.enqueue_trial(values)
    while ledger.wanted():
        finish(ledger, ask(ledger), 0.5)
    assert states(ledger.study) == {"COMPLETE": 3, "FAIL": 2}
    for number in (1, 2):
        trial = ledger.study.trials[number]
        assert (trial.state, trial.params) == (TrialState.FAIL, {})
        assert reason in trial.user_attrs[REASON]
        assert list(values)[-1] in trial.user_attrs[REASON]
        assert notes[number - 1] == f"trial {number} failed: {trial.user_attrs[REASON]}"


def test_a_queued_value_without_effect_fails_its_trial_once_that_is_known(opened):
    ledger = opened(total=12)
    for _ in range(12):
        ledger.study.enqueue_trial({RATE: 0.001})
    while ledger.wanted():
        finish(ledger, ask(ledger), 0.5)
    failed = [trial for trial in ledger.study.trials if trial.state == TrialState.FAIL]
    assert failed  # with 12 draws of two kinds: all but one time in 4096
    assert all("no effect with optimizer.kind = 'sgd', which was drawn" in each.user_attrs[REASON] for each in failed)
    assert states(ledger.study)["COMPLETE"] == 12


def test_queued_values_that_are_legal_are_trained_also_those_that_optuna_drew(opened, tmp_path):
    (tmp_path / "steps.toml").write_text(
        Path("small.toml").read_text().replace("high = 0.5 }", "high = 0.5, step = 0.1 }")
    )
    ledger = opened(read("steps.toml"))
    queued = [
        {DROPOUT: 0.1 + 0.2, "train.epochs": 2},
        {"optimizer.kind": "adam", RATE: 0.001},
        {DROPOUT: 0},
        {},
    ]
    for values in queued:
        ledger.study.enqueue_trial(values)
    for values in queued:
        recipe = ask(ledger).run.recipe.values()
        assert {path: recipe[path] for path in values} == values
    assert states(ledger.study) == {"RUNNING": 4}


def test_a_trial_is_signed_from_its_first_moment(opened):
    ledger, other = opened(), opened()
    trial_id = ledger.study._pop_waiting_trial_id()
    (trial,) = other.study.trials
    assert trial._trial_id == trial_id
    assert noted(trial, RUN) == ledger.parent.id


def test_prepared_trials_that_were_not_begun_are_not_called_interrupted_and_come_first(opened):
    ledger = opened()
    begun, prepared = ask(ledger), ask(ledger)
    train(begun, 0.5)
    ledger.report(begun, 0.5)
    for job in (begun, prepared):
        ledger.give_back(job.number, "the end")
    assert ledger.counts().interrupted == 1
    assert [ask(opened()).number for _ in range(2)] == [begun.number, prepared.number]
