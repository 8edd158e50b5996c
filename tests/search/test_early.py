"""A search with a portfolio begins narrow on a processor, so that a good recipe is complete soon."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from lenet_search.crew.messages import RunEpoch
from lenet_search.look.progress import Silent
from lenet_search.run import Curve
from lenet_search.search.searching import Searching
from lenet_search.study import read
from tests.search.conftest import train


class Worker(SimpleNamespace):
    """A worker that is up, with a stack of four slots."""

    def __init__(self, gpu: str | None = None) -> None:
        super().__init__(held={}, structures=set(), place=SimpleNamespace(gpu=gpu), ready=SimpleNamespace(slots=4))


def deal(decider, worker, workers, leaving=()):
    """Let a worker report that these runs have ended, and take what it is given. The trials' numbers."""
    for job in leaving:
        while not job.run.over:
            train(job, 0.5)
            epoch = RunEpoch(job.number, 0, job.run.epochs, dict.fromkeys(Curve.NAMES, 0.5), 1, True, None)
            decider.report(job, epoch)
        decider.ended(job, replace(epoch, weights={"kernel": np.zeros(3, np.float32)}))
        del worker.held[job.number]
    jobs = decider.deal(worker, workers, 4 - len(worker.held), 0)
    worker.held |= {job.number: job for job in jobs}
    return [job.trial.number for job in jobs]


@pytest.fixture
def searching(opened):
    return lambda *overrides: Searching(opened(read("small.toml", overrides=overrides), total=30), Silent())


def test_until_a_trial_has_ended_every_worker_trains_one_alone(searching):
    decider = searching("study.portfolio=4")
    workers = one, other = Worker(), Worker()
    assert deal(decider, one, workers) == [0] and deal(decider, other, workers) == [1]
    assert deal(decider, one, workers) == []  # nothing has ended
    (first,) = one.held.values()
    assert deal(decider, one, workers, [first]) == [2, 3, 4, 5]
    assert len(deal(decider, other, workers)) == 3


@pytest.mark.parametrize(("portfolio", "gpu"), [(0, None), (4, "0")])
def test_without_a_portfolio_or_on_a_gpu_a_search_begins_with_full_stacks(portfolio, gpu, searching):
    decider = searching(f"study.portfolio={portfolio}")
    worker = Worker(gpu)
    assert len(deal(decider, worker, (worker,))) == 4
