"""Jobs of which one may have killed a worker. They are tried again alone, so the culprit harms no other job."""

from collections import deque
from collections.abc import Sequence

from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.job import Job


class Suspects:
    """Jobs waiting for a worker of their own."""

    def __init__(self) -> None:
        self.waiting: deque[Job] = deque()

    def add(self, held: Sequence[Job], *, beside: int = 0, trained: bool) -> list[Job]:
        """Take the jobs of a worker that died. Returns those to give up: alone, they have killed two workers.

        Any of the `beside` jobs that were given up, but still trained, may be to blame as well. No job is given up
        before some job of the crew has `trained` for an epoch: the machine may be to blame.
        """
        culprits: list[Job] = []
        for job in held:
            job.alone = True
            if len(held) + beside > 1:
                job.suspected += 1
            else:
                job.kills += 1
            (culprits if job.kills > 1 and trained else self.waiting).append(job)
        return culprits

    def clear(self, job: Job) -> None:
        """Let others train beside a job that has completed an epoch, unless it was suspected twice or killed alone."""
        job.alone = job.alone and (job.suspected > 1 or job.kills > 0)

    def deal(self, worker: WorkerHandle, leaving: int, workers: Sequence[WorkerHandle]) -> list[Job] | None:
        """The jobs for a worker that `leaving` of its jobs are about to leave; None if suspects do not concern it.

        A suspect gets a worker to itself. While one is waiting, the worker with the fewest jobs gets no new ones.
        """
        staying = len(worker.held) - leaving
        if staying and any(job.alone for job in worker.held.values()):
            return []
        if not self.waiting:
            return None
        if not staying:
            return [self.waiting.popleft()]
        return [] if worker is min(workers, key=lambda each: len(each.held)) else None
