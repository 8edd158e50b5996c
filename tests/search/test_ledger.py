import math
import time
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState

from lenet_search.errors import ResultError
from lenet_search.frozen import SlotState
from lenet_search.search import parents
from lenet_search.search.frozen_trials import FROZEN
from lenet_search.search.ledger import KEPT, TOTAL_REACHED
from lenet_search.search.opening import PRECISION
from lenet_search.search.parents import PREFIX
from lenet_search.storage import artifact_folder
from lenet_search.storage.facts import facts, store_fact
from lenet_search.storage.trials import KEPT_AS, OURS, REASON, attributes_of, load_weights, run_of
from lenet_search.study import read
from search.conftest import ask, finish, states, train


def test_a_complete_trial_stores_its_value_and_everything_that_reproduces_it(opened):
    ledger = opened()
    held = ask(ledger)
    assert finish(ledger, held, 0.75)

    (trial,) = ledger.study.trials
    assert trial.value == 0.75
    assert trial.intermediate_values == {1: 0.75, 2: 0.75}
    run = run_of(trial)
    assert run.recipe == held.run.recipe
    assert run.seed == held.run.seed
    assert run.clocks == [(0, 2)]
    assert run.curve["val_loss"] == [0.75, 0.75]
    assert {"lenet-search", "keras", "optuna"} <= set(run.versions)
    assert run.images["name"] == "tiny"


def test_a_diverged_trial_is_pruned_with_its_reason_and_its_curve_and_is_never_the_best(opened):
    ledger = opened()
    held = ask(ledger)
    train(held, math.nan, finite=False)
    ledger.report(held, math.nan)
    assert ledger.prune(held, "diverged in epoch 1")

    (trial,) = ledger.study.trials
    assert trial.state == TrialState.PRUNED
    assert trial.value is None
    assert trial.user_attrs[REASON] == "diverged in epoch 1"
    assert math.isnan(run_of(trial).curve["val_loss"][0])
    assert ledger.best() is None
    assert ask(ledger).number == 1  # a sampler copes with it


def test_complete_pruned_and_running_trials_count_towards_the_total_and_interrupted_ones_do_not(opened):
    ledger = opened(total=4)
    finish(ledger, ask(ledger), 0.5)
    ledger.prune(ask(ledger), "pruned")
    ledger.give_back(ask(ledger).number, "interrupted")
    assert ledger.wanted() == 2
    ask(ledger)
    assert ledger.wanted() == 1


def test_of_two_runs_that_ask_for_the_last_trial_at_once_one_gives_way(opened):
    first, second = opened(total=3), opened(total=3)
    finish(first, ask(first), 0.5)
    finish(first, ask(first), 0.5)
    assert first.wanted() == second.wanted() == 1
    assert ask(first).number == 2
    assert second.ask() is None

    assert states(first.study) == {"COMPLETE": 2, "FAIL": 1, "RUNNING": 1}
    assert second.study.trials[3].user_attrs[REASON] == TOTAL_REACHED
    assert first.wanted() == 0


STATE = SlotState(*(np.arange(n, dtype=np.float32) for n in (5, 5, 0, 0, 2)))


def test_an_interrupted_trial_is_resumed_before_a_new_one_with_its_number_recipe_and_seed(opened):
    ledger, other = opened(), opened()
    lost, kept = ask(ledger), ask(ledger)
    train(lost, 0.5)
    ledger.report(lost, 0.5)
    assert ledger.give_back(lost.number, "after 1 of 2 epochs")
    assert ledger.counts().interrupted == 1
    assert ledger.study.trials[0].user_attrs[REASON] == "interrupted: after 1 of 2 epochs"
    again = ask(other)
    assert (again.number, again.run.recipe, again.run.seed) == (lost.number, lost.run.recipe, lost.run.seed)
    assert ask(other).number == kept.number + 1
    assert other.counts().interrupted == 0


def test_a_frozen_trial_goes_on_after_its_last_epoch_and_its_file_goes_when_it_is_over(opened, url):
    ledger = opened()
    job = ask(ledger)
    train(job, 0.5)
    ledger.report(job, 0.5)
    job.froze(1, STATE)
    ledger.frozen.freeze(job)
    ledger.give_back(job.number, "after 1 of 2 epochs")

    other = opened()
    again = ask(other)
    assert (again.run.epochs, again.frozen, again.run.clocks) == (1, 1, [(0, 1)])
    assert again.state is not None
    assert np.array_equal(again.state.weights, STATE.weights)
    assert list((artifact_folder(url) / FROZEN).iterdir())
    train(again, 0.75)
    other.report(again, 0.75)
    assert other.complete(again, 0.75, None)
    (trial,) = other.study.trials
    assert trial.intermediate_values == {1: 0.5, 2: 0.75}
    assert run_of(trial).curve["val_loss"] == [0.5, 0.75]
    assert not list((artifact_folder(url) / FROZEN).iterdir())


def test_what_was_reported_after_the_last_freezing_is_reported_anew(opened):
    ledger = opened()
    job = ask(ledger)
    train(job, 0.5)
    ledger.report(job, 0.5)
    ledger.give_back(job.number, "killed")
    again = ask(opened())
    assert again.run.epochs == 0
    train(again, 0.25)
    other = opened()
    other.report(again, 0.25)
    other.flush()
    assert ledger.study.trials[0].intermediate_values == {1: 0.25}


def test_the_pruner_does_not_judge_a_run_that_goes_on_from_a_copy_by_what_it_reported_later(opened):
    pruned = read("small.toml", overrides=['study.pruner={ kind = "ThresholdPruner", lower = 0.6 }'])
    ledger, other = opened(pruned), opened(pruned)
    job = ask(ledger)
    train(job, 0.75)
    assert not ledger.report(job, 0.75)
    train(job, 0.5)
    assert ledger.report(job, 0.5)
    ledger.give_back(job.number, "killed before it was told")

    again = ask(other)
    train(again, 0.75)
    assert not other.report(again, 0.75), "it must get to the epoch after which it was pruned"
    train(again, 0.5)
    assert other.report(again, 0.5)
    assert other.prune(again, "ThresholdPruner after epoch 2")
    (trial,) = other.study.trials
    assert len(trial.intermediate_values) == run_of(trial).epochs == 2


def test_a_damaged_frozen_file_is_said_and_its_trial_begins_anew(opened, url):
    ledger = opened()
    job = ask(ledger)
    train(job, 0.5)
    job.froze(1, STATE)
    ledger.frozen.freeze(job)
    ledger.give_back(job.number, "killed")
    (file,) = (artifact_folder(url) / FROZEN).iterdir()
    file.write_bytes(file.read_bytes()[:100])
    notes = []
    other = opened()
    other._note = notes.append
    assert ask(other).run.epochs == 0
    assert "trial 0 starts again" in notes[0]


def test_a_trial_that_cannot_be_frozen_does_not_end_the_search(opened, url):
    notes = []
    ledger = opened()
    ledger._note = notes.append
    artifact_folder(url).write_text("a file where the folder should be")
    job = ask(ledger)
    train(job, 0.5)
    job.froze(1, STATE)
    ledger.frozen.freeze(job)
    assert "cannot save the state of trial 0" in notes[0]


def test_what_auto_means_as_a_precision_is_settled_once_for_a_study(opened):
    assert opened().settle("mixed_bfloat16") == "mixed_bfloat16"
    assert opened().settle("float32") == "mixed_bfloat16"


@pytest.mark.parametrize("stored", [3, [], {}, "float64", "auto", ""])
def test_a_damaged_precision_of_a_study_is_an_error(opened, stored):
    store_fact(opened().study, PRECISION, stored)
    with pytest.raises(ResultError, match="the precision that is stored with study 'small' is damaged"):
        opened().settle("float32")


def test_seeds_differ_between_trials_and_follow_from_the_study_seed(opened, definition):
    ledger = opened()
    seeds = [ask(ledger).run.seed for _ in range(6)]
    assert len(set(seeds)) == 6
    other = opened(read("small.toml", overrides=["study.seed=1"], name="other"))
    assert ask(other).run.seed not in seeds


def test_weights_of_the_best_few_are_kept_and_of_the_others_dropped(opened, url):
    ledger = opened(total=20)
    values = [0.1, 0.9, 0.3, 0.8, 0.2, 0.7, 0.6, 0.05, 0.5]
    for value in values:
        finish(ledger, ask(ledger), value)
    folder = artifact_folder(url)
    kept = {}
    for trial in ledger.study.trials:
        if weights := load_weights(folder, trial):
            kept[trial.value] = weights["kernel"][0] == trial.number
    assert kept == dict.fromkeys(sorted(values)[-KEPT:], True)
    assert len(list(folder.iterdir())) == KEPT


def test_weights_that_cannot_be_written_do_not_end_the_search(opened, url):
    notes = []
    ledger = opened()
    ledger._note = notes.append
    artifact_folder(url).write_text("a file where the folder should be")
    assert finish(ledger, ask(ledger), 0.5)
    assert states(ledger.study) == {"COMPLETE": 1}
    assert "weights of trial 0" in notes[0]


def test_the_trials_of_a_process_that_is_gone_are_resumed(opened):
    dead, alive = opened(), opened()
    lost, kept = ask(dead), ask(alive)
    store_fact(dead.study, dead.parent.attribute, {**dead.parent.heartbeat(), "started": "long ago"})
    third = opened()
    assert third.adopt_orphans() == [lost.number]
    assert third.adopt_orphans() == []
    assert ask(third).number == lost.number
    assert third.study.trials[kept.number].state == TrialState.RUNNING


def test_the_trials_of_a_silent_process_on_another_machine_are_resumed_after_three_minutes(opened, monkeypatch):
    there, here = opened(), opened()
    lost = ask(there)
    beat = {**there.parent.heartbeat(), "host": "another machine"}
    store_fact(there.study, there.parent.attribute, {**beat, "time": time.time() - 170})
    assert here.adopt_orphans() == []
    store_fact(there.study, there.parent.attribute, {**beat, "time": time.time() - 190})
    assert here.adopt_orphans() == []  # its clock may be wrong
    assert here.doubtful == 1  # a search does not end meanwhile
    monkeypatch.setattr(parents, "CONFIRM", 0.0)
    assert here.adopt_orphans() == [lost.number]
    assert here.doubtful == 0


def test_a_process_that_said_that_it_is_over_leaves_nothing_behind(opened):
    gone, here = opened(), opened()
    lost = ask(gone)
    gone.beat(over=True)
    assert here.adopt_orphans() == [lost.number]


def test_a_process_that_was_taken_for_dead_learns_it_and_tells_nothing(opened):
    slow, other = opened(), opened()
    job, pruned = ask(slow), ask(slow)
    assert other.give_back(job.number, "taken for dead")
    assert other.give_back(pruned.number, "taken for dead")
    for _ in range(2):
        assert finish(other, ask(other), 0.5)
    train(job, 0.25)
    slow.report(job, 0.25)
    slow.flush()  # a database is asked here whose the trial is
    train(job, 0.25)
    assert slow.report(job, 0.25)  # given up
    assert not slow.complete(job, 0.25, {"kernel": np.ones(1, np.float32)})
    assert not slow.prune(pruned, "pruned")
    assert not slow.give_back(job.number, "interrupted")
    assert [trial.value for trial in slow.study.trials] == [0.5, 0.5]


def test_a_trial_that_was_lost_to_a_process_that_then_ended_is_resumed_by_the_first(opened):
    first, other = opened(), opened()
    job = ask(first)
    assert other.give_back(job.number, "taken for dead")
    assert ask(other).number == job.number
    train(job, 0.25)
    first.report(job, 0.25)
    first.flush()
    assert first.adopt_orphans() == []
    assert other.holds(job.number)
    assert not first.holds(job.number)
    other.beat(over=True)
    assert not first.prune(job, "no longer ours")
    assert first.adopt_orphans() == [job.number]
    assert finish(first, ask(first), 0.5)


def test_every_run_leaves_its_heartbeat(opened):
    ledger = opened()
    (heartbeat,) = [v for k, v in facts(ledger.study).items() if k.startswith(PREFIX)]
    assert {"host", "pid", "started", "time"} <= set(heartbeat)


def test_a_sampler_that_has_tried_everything_ends_the_search(opened):
    Path("grid.toml").write_text(
        "[study]\n"
        'sampler = { kind = "GridSampler", search_space = { "regularize.dropout" = [0.0, 0.1] } }\n'
        "[regularize]\n"
        "dropout = { choices = [0.0, 0.1] }\n"
    )
    ledger = opened(read("grid.toml"), total=10)
    while ledger.wanted():
        finish(ledger, ask(ledger), 0.5)
    assert sorted(trial.params["regularize.dropout"] for trial in ledger.study.trials) == [0.0, 0.1]


def test_the_best_of_a_loss_is_the_lowest(opened, definition):
    ledger = opened(read("small.toml", overrides=["study.metric=val_loss"]), total=9)
    for value in (0.5, 0.25, 0.75):
        finish(ledger, ask(ledger), value)
    best = ledger.best()
    assert best is not None
    assert best.value == 0.25


def test_a_person_reads_short_attributes_of_a_trial_and_programs_read_the_others(opened):
    ledger = opened()
    assert finish(ledger, ask(ledger), 0.75)
    (trial,) = ledger.study.trials
    assert trial.user_attrs == {
        "95 % interval": "55.10 to 88.00 %", "val_loss": 0.75, "train_accuracy": 0.75, "train_loss": 0.75,
        "epochs": 2, "seconds": 2.0, "device": "CPU (1 thread)",
    }  # fmt: skip


def test_a_complete_trial_does_not_say_that_it_is_interrupted(opened):
    ledger = opened()
    ledger.give_back(ask(ledger).number, "after 0 of 2 epochs")
    assert finish(ledger, ask(ledger), 0.75)
    assert ledger.study.trials[0].user_attrs[REASON] == "once interrupted: after 0 of 2 epochs"


def test_a_study_whose_runs_are_user_attributes_is_read_and_resumed(opened, monkeypatch):
    def as_user_attributes(storage, trial, *runs):
        for name, value in attributes_of(*runs).items():
            trial.set_user_attr(name, value)

    ledger = opened()
    ledger.study.new_attributes = dict
    with monkeypatch.context() as before:  # as in version 0.1.0
        before.setattr("lenet_search.search.ledger.note", lambda storage, trial, *what: trial.set_user_attr(*what))
        before.setattr("lenet_search.search.ledger.note_runs", as_user_attributes)
        finish(ledger, ask(ledger), 0.75)
        begun = ask(ledger)
    train(begun, 0.5)
    ledger.report(begun, 0.5)
    begun.froze(1, STATE)
    ledger.frozen.freeze(begun)
    ledger.give_back(begun.number, "after 1 of 2 epochs")

    again = opened()
    assert not any(name.startswith(OURS) for name in again.study.trials[0].system_attrs if name != KEPT_AS)
    assert run_of(again.best()).epochs == 2
    resumed = ask(again)
    assert (resumed.number, resumed.run.epochs) == (begun.number, 1)
    train(resumed, 0.9)
    assert again.complete(resumed, 0.9, None)
    assert run_of(again.best()).curve["val_accuracy"] == [0.5, 0.9]
