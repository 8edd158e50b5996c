"""Jobs of which one may have killed a worker. They are tried again apart, so the culprit costs no other anything."""

from collections import deque
from collections.abc import Sequence

from lenet_search.crew.job import Job
from lenet_search.crew.process import WorkerProcess


class Suspects:
    """Jobs that wait for a worker of their own."""

    def __init__(self) -> None:
        self.waiting: deque[Job] = deque()

    def add(self, held: Sequence[Job], *, trained: bool) -> list[Job]:
        """Take the jobs of a worker that has died; gives those that are given up, for having killed twice alone.

        None is given up before any job of the crew has `trained` for an epoch: so far the machine may be to blame.
        """
        culprits: list[Job] = []
        for job in held:
            job.alone = True
            if len(held) > 1:
                job.suspected += 1
            else:
                job.kills += 1
            (culprits if job.kills > 1 and trained else self.waiting).append(job)
        return culprits

    def clear(self, job: Job) -> None:
        """A job has done an epoch. Alone it may have others beside it again, unless it is a suspect a second time."""
        job.alone = job.alone and (job.suspected > 1 or job.kills > 0)

    def deal(self, worker: WorkerProcess, leaving: int, workers: Sequence[WorkerProcess]) -> list[Job] | None:
        """What a worker gets that `leaving` of its jobs are about to leave; None where it is like any other.

        A suspect gets a worker to itself. While one waits, the worker that holds least gets nothing, to be free for it.
        """
        staying = len(worker.held) - leaving
        if staying and any(job.alone for job in worker.held.values()):
            return []
        if not self.waiting:
            return None
        if not staying:
            return [self.waiting.popleft()]
        return [] if worker is min(workers, key=lambda each: len(each.held)) else None
