"""A trial of several seeds: what is reported, told and kept, with trained values made up."""

import math

import numpy as np
import optuna
import pytest

from lenet_search.crew.messages import RunEpoch
from lenet_search.look.progress import Silent
from lenet_search.run import Curve
from lenet_search.search.ledger import Ledger
from lenet_search.search.replicates import TrialJob
from lenet_search.search.searching import Searching
from lenet_search.storage.trials import load_weights, noted, run_of, runs_of
from lenet_search.study import read
from tests.search.conftest import ask, train


class Searched:
    """A search whose workers are this class."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.decider = Searching(ledger, Silent())
        self.given_up: list[TrialJob] = []

    def take(self, count: int) -> list[TrialJob]:
        return [self.decider._supply.take() for _ in range(count)]

    def epoch(self, job: TrialJob, value: float, *, finite: bool = True) -> bool:
        """Train an epoch, as a crew does; returns whether the run has left."""
        train(job, value, finite=finite)
        last = job.run.over
        measured = dict.fromkeys(Curve.NAMES, value)
        weights = {"kernel": np.full(3, job.run.seed % 1000, np.float32)} if last and finite else None
        epoch = RunEpoch(job.number, 0, job.run.epochs, measured, 1, finite, weights)
        leaves = self.decider.report(job, epoch) or last
        if leaves:
            self.decider.ended(job, epoch)
        return leaves


@pytest.fixture
def searched(opened):
    def search(*overrides: str, **options) -> Searched:
        return Searched(opened(read("small.toml", overrides=overrides), **options))

    return search


def test_a_trial_reports_the_mean_of_its_seeds_once_all_have_got_there(searched):
    search = searched("study.seeds=3")
    a, b, c = search.take(3)
    assert [job.name for job in (a, b, c)] == ["trial 0, seed 1", "trial 0, seed 2", "trial 0, seed 3"]
    assert len({job.run.seed for job in (a, b, c)}) == 3 and a.run.recipe == b.run.recipe == c.run.recipe
    stored = search.ledger.study
    search.epoch(a, 0.5)
    search.epoch(a, 0.6)  # another stack: a is an epoch ahead
    search.epoch(b, 0.6)
    assert stored.trials[0].intermediate_values == {}
    search.epoch(c, 0.7)
    assert stored.trials[0].intermediate_values == pytest.approx({1: 0.6})
    search.epoch(b, 0.9)
    assert stored.trials[0].state.name == "RUNNING"
    search.epoch(c, 0.6)
    (trial,) = stored.trials
    assert trial.state.name == "COMPLETE"
    assert trial.value == pytest.approx(0.7)
    assert trial.intermediate_values == pytest.approx({1: 0.6, 2: 0.7})


def test_all_runs_of_a_trial_are_stored_and_the_one_nearest_the_mean_stands_for_it(searched):
    search = searched("study.seeds=3")
    jobs = search.take(3)
    for job, value in zip(jobs, (0.5, 0.9, 0.64), strict=True):
        search.epoch(job, value)
    for job, value in zip(jobs, (0.5, 0.9, 0.64), strict=True):
        search.epoch(job, value)
    (trial,) = search.ledger.study.trials
    runs = runs_of(trial)
    assert [run.curve["val_accuracy"][-1] for run in runs] == [0.64, 0.5, 0.9]
    assert {run.seed for run in runs} == {job.run.seed for job in jobs}
    assert run_of(trial).seed == runs[0].seed == jobs[2].run.seed
    kept = load_weights(search.ledger._folder, trial)
    assert kept["kernel"][0] == jobs[2].run.seed % 1000
    assert not list(search.ledger._folder.glob("frozen/*"))


def test_a_pruner_sees_the_mean_and_all_seeds_of_a_pruned_trial_leave(searched):
    pruner = 'study.pruner={kind="ThresholdPruner", lower=0.5}'
    search = searched("study.seeds=2", pruner)
    a, b = search.take(2)
    assert not search.epoch(a, 0.4)  # below the threshold, but the mean is not
    assert not search.epoch(b, 0.8)
    search.epoch(a, 0.4)
    search.epoch(b, 0.8)
    c, d = search.take(2)
    assert not search.epoch(c, 0.45)
    assert search.epoch(d, 0.4)
    assert search.epoch(c, 0.9)  # at its next epoch
    trial = search.ledger.study.trials[1]
    assert trial.state.name == "PRUNED"
    assert trial.user_attrs["reason"] == "ThresholdPruner after epoch 1"
    assert len(runs_of(trial)) == 2


def test_one_seed_that_diverges_ends_its_trial(searched):
    search = searched("study.seeds=2")
    a, b = search.take(2)
    assert search.epoch(a, math.nan, finite=False)
    assert search.ledger.study.trials[0].state.name == "RUNNING"  # until its other run has left its slot
    assert search.epoch(b, 0.5)
    (trial,) = search.ledger.study.trials
    assert trial.state.name == "PRUNED"
    assert trial.user_attrs["reason"] == "diverged in epoch 1: the loss is not finite"


def test_promising_trials_get_more_seeds_before_they_are_told(searched):
    search = searched("study.seeds={first=1, more=2, best=0.5}", total=4)

    def run(value: float) -> optuna.trial.FrozenTrial:
        (job,) = search.take(1)
        search.epoch(job, value)
        search.epoch(job, value)
        for more in search.take(2) if job.replicates.pending else []:
            assert more.run.recipe == job.run.recipe
            search.epoch(more, value - 0.1)
            search.epoch(more, value - 0.1)
        return search.ledger.study.trials[-1]

    first = run(0.6)  # the best of one
    assert first.value == pytest.approx(0.6 - 0.2 / 3)
    assert first.intermediate_values == pytest.approx({1: 0.6, 2: 0.6})
    assert len(runs_of(first)) == 3
    worse = run(0.3)
    assert (worse.value, len(runs_of(worse))) == (0.3, 1)
    better = run(0.7)
    assert len(runs_of(better)) == 3
    assert search.decider.wanted() == 1


def test_trials_that_end_at_the_same_time_are_compared_with_each_other(searched):
    search = searched("study.seeds={first=1, more=2, best=0.25}", total=4)
    jobs = search.take(4)
    for job, value in zip(jobs, (0.5, 0.4, 0.6, 0.3), strict=True):
        search.epoch(job, value)
        search.epoch(job, value)
    assert [len(job.replicates.jobs) for job in jobs] == [3, 1, 3, 1]
    assert [trial.state.name for trial in search.ledger.study.trials] == ["RUNNING", "COMPLETE"] * 2


def test_an_interrupted_trial_keeps_the_seeds_that_have_finished(searched, opened):
    search = searched("study.seeds=2")
    a, b = search.take(2)
    search.epoch(a, 0.5)
    search.epoch(a, 0.6)
    search.epoch(b, 0.7)
    search.decider.give_back([b])
    again = searched("study.seeds=2")
    (left,) = again.take(1)
    assert left.run.seed == b.run.seed
    assert left.replicates.jobs[0].run.epochs == 2
    again.epoch(left, 0.7)
    again.epoch(left, 0.8)
    trial = again.ledger.study.trials[0]
    assert trial.value == pytest.approx(0.7)
    assert trial.intermediate_values == pytest.approx({1: 0.6, 2: 0.7})
    assert not list(again.ledger._folder.glob("frozen/*"))


def test_a_promising_trial_that_is_interrupted_goes_on_with_all_its_seeds(searched):
    overrides = "study.seeds={first=1, more=2, best=0.5}"
    search = searched(overrides)
    (a,) = search.take(1)
    search.epoch(a, 0.5)
    search.epoch(a, 0.6)
    b, c = search.take(2)
    search.epoch(b, 0.5)
    search.epoch(b, 0.6)
    search.decider.give_back([c])
    again = searched(overrides)
    (left,) = again.take(1)
    assert left.run.seed == c.run.seed
    again.epoch(left, 0.5)
    again.epoch(left, 0.9)
    assert again.ledger.study.trials[0].value == pytest.approx(0.7)


def test_with_one_seed_a_trial_is_stored_as_by_earlier_versions(searched):
    search = searched()
    job = ask(search.ledger)
    search.epoch(job, 0.5)
    search.epoch(job, 0.5)
    (trial,) = search.ledger.study.trials
    assert job.name == "trial 0" and job.number == 0
    assert noted(trial, "run 2") is None and "study.seeds" not in search.ledger.definition.lines()
