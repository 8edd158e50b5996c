import math
import time
from pathlib import Path

import numpy as np
from optuna.trial import TrialState

from lenet_search.search.ledger import KEPT, MOST_RETRIES, TOTAL_REACHED
from lenet_search.search.parents import PREFIX
from lenet_search.storage import REASON, Record, artifact_folder, load_weights
from lenet_search.study import read
from search.conftest import ask, epoch_of, finish, states


def test_a_complete_trial_stores_its_value_and_everything_that_reproduces_it(opened):
    ledger = opened()
    held = ask(ledger)
    assert finish(ledger, held, 0.75)

    (trial,) = ledger.study.trials
    assert trial.value == 0.75
    assert trial.intermediate_values == {1: 0.75, 2: 0.75}
    record = Record.of(trial)
    assert record.recipe == held.recipe
    assert record.seed == held.seed
    assert record.curve["val_loss"] == [0.75, 0.75]
    assert {"lenet-search", "keras", "optuna"} <= set(record.versions)
    assert record.images["name"] == "tiny"


def test_a_diverged_trial_is_pruned_with_its_reason_and_its_curve_and_is_never_the_best(opened):
    ledger = opened()
    held = ask(ledger)
    held.add(epoch_of(held, math.nan), {}, held.worker)
    ledger.report(held, 1, math.nan)
    assert ledger.prune(held, "diverged in epoch 1")

    (trial,) = ledger.study.trials
    assert trial.state == TrialState.PRUNED
    assert trial.value is None
    assert trial.user_attrs[REASON] == "diverged in epoch 1"
    assert math.isnan(Record.of(trial).curve["val_loss"][0])
    assert ledger.best() is None
    assert ask(ledger).number == 1  # a sampler copes with it


def test_complete_pruned_and_running_trials_count_towards_the_total_and_failed_ones_do_not(opened):
    ledger = opened(total=4)
    finish(ledger, ask(ledger), 0.5)
    ledger.prune(ask(ledger), "pruned")
    ledger.requeue(ask(ledger).number, "worker died", death=True)
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


def test_a_trial_that_waits_keeps_its_place_before_a_newer_one(opened):
    ledger, other = opened(total=2), opened(total=2)
    lost = ask(ledger)
    finish(ledger, ask(ledger), 0.5)
    ledger.requeue(lost.number, "worker died", death=True)
    again = ask(other)
    assert again.number == 2
    assert again.recipe == lost.recipe


def test_a_retry_has_the_same_recipe_and_seed(opened):
    ledger = opened()
    first = ask(ledger)
    assert ledger.requeue(first.number, "worker died", death=True)
    second = ask(ledger)
    assert ledger.requeue(second.number, "worker died again", death=True)
    third = ask(ledger)
    assert (third.recipe, third.seed) == (first.recipe, first.seed)
    assert third.trial.user_attrs["retry of"] == first.number
    assert third.trial.user_attrs["retries"] == 2
    assert ledger.study.trials[0].user_attrs[REASON] == "worker died"


def test_a_trial_whose_workers_keep_dying_is_given_up_after_three_retries(opened):
    ledger = opened()
    queued = [ledger.requeue(ask(ledger).number, "worker died", death=True) for _ in range(MOST_RETRIES + 1)]
    assert queued == [True] * MOST_RETRIES + [False]
    assert states(ledger.study) == {"FAIL": MOST_RETRIES + 1}


def test_interruptions_are_no_deaths(opened):
    ledger = opened()
    assert all(ledger.requeue(ask(ledger).number, "interrupted", death=False) for _ in range(MOST_RETRIES + 2))


def test_seeds_differ_between_trials_and_follow_from_the_study_seed(opened, definition):
    ledger = opened()
    seeds = [ask(ledger).seed for _ in range(6)]
    assert len(set(seeds)) == 6
    other = opened(read("small.toml", overrides=["study.seed=1"], name="other"))
    assert ask(other).seed not in seeds


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


def test_the_trials_of_a_run_whose_process_is_gone_are_queued_again(opened):
    dead, alive = opened(), opened()
    lost, kept = ask(dead), ask(alive)
    dead.study.set_user_attr(dead.run.attribute, {**dead.run.heartbeat(), "started": "long ago"})
    third = opened()
    assert third.adopt_orphans() == [lost.number]
    assert third.adopt_orphans() == []
    assert ask(third).recipe == lost.recipe
    assert third.study.trials[kept.number].state == TrialState.RUNNING


def test_the_trials_of_a_silent_run_on_another_machine_are_queued_again_after_three_minutes(opened):
    elsewhere, here = opened(), opened()
    lost = ask(elsewhere)
    beat = {**elsewhere.run.heartbeat(), "host": "another machine"}
    elsewhere.study.set_user_attr(elsewhere.run.attribute, {**beat, "time": time.time() - 170})
    assert here.adopt_orphans() == []
    elsewhere.study.set_user_attr(elsewhere.run.attribute, {**beat, "time": time.time() - 190})
    assert here.adopt_orphans() == [lost.number]


def test_a_run_that_said_that_it_is_over_leaves_nothing_behind(opened):
    gone, here = opened(), opened()
    lost = ask(gone)
    gone.beat(over=True)
    assert here.adopt_orphans() == [lost.number]


def test_a_run_that_was_taken_for_dead_learns_it_and_tells_nothing(opened):
    slow, other = opened(), opened()
    held, pruned = ask(slow), ask(slow)
    assert other.requeue(held.number, "taken for dead", death=True)
    assert other.requeue(pruned.number, "taken for dead", death=True)
    assert slow.report(held, 1, 0.5)  # given up
    assert not slow.complete(held, 0.5, {"kernel": np.ones(1, np.float32)})
    assert not slow.prune(pruned, "pruned")
    assert not slow.requeue(held.number, "worker died", death=True)
    assert states(slow.study) == {"FAIL": 2, "WAITING": 2}


def test_every_run_leaves_its_heartbeat(opened):
    ledger = opened()
    (heartbeat,) = [v for k, v in ledger.study.user_attrs.items() if k.startswith(PREFIX)]
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
