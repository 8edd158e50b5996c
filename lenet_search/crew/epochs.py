"""The epochs of a worker's stack, as its crew takes them: recorded at once, and judged by the decider."""

from collections.abc import Sequence

from lenet_search.crew.decider import Decider
from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.job import Job
from lenet_search.crew.messages import EpochDone, RunEpoch
from lenet_search.crew.pace import Pace
from lenet_search.crew.suspects import Suspects

Heard = tuple[Job, RunEpoch]


def record(worker: WorkerHandle, done: EpochDone, pace: Pace, suspects: Suspects) -> list[Heard]:
    """Add an epoch to the runs that trained it. Takes microseconds for each, and touches no storage.

    Runs that were given up while they trained it have gained nothing: their epoch is only counted. Those that have
    left their slots by themselves, at their last epoch, need no order to leave any more.

    Returns:
        The other runs, each with its epoch.
    """
    assert worker.ready is not None
    heard = []
    for epoch in done.epochs:
        if epoch.number in worker.given_up:
            pace.vain += 1
            if not epoch.finite or epoch.epoch == worker.given_up[epoch.number].run.recipe.train.epochs:
                del worker.given_up[epoch.number]
            continue
        job = worker.held[epoch.number]
        suspects.clear(job)
        run = job.run
        run.images, run.device, run.versions = done.images, worker.ready.device, worker.ready.versions
        run.add(epoch.clock, epoch.measured, finite=epoch.finite, seconds=done.seconds / len(done.epochs))
        pace.epochs += 1
        heard.append((job, epoch))
    pace.add_images(sum(epoch.images for _, epoch in heard))
    for epoch in done.epochs:
        worker.parts.pop(epoch.number, None)
    worker.heard += 1
    worker.programs = done.programs
    return heard


def judge(heard: Sequence[Heard], decider: Decider) -> tuple[list[Heard], dict[int, Job]]:
    """Report an epoch to the decider, after all its runs were recorded: if a storage fails, all of them are as far.

    Returns:
        The runs that are over or given up, each with its last epoch, and of these the ones that still have their slots,
        by number.
    """
    ended, given_up = [], {}
    for job, epoch in heard:
        give_up = decider.report(job, epoch)
        if give_up and not job.run.over:
            given_up[job.number] = job
        if give_up or job.run.over:
            ended.append((job, epoch))
    return ended, given_up
