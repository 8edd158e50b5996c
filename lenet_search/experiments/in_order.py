"""A decider that trains a list of runs, recipe by recipe, in the order of the list."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lenet_search import __version__
from lenet_search.crew.bench import LARGEST_COHORT
from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.job import Job
from lenet_search.crew.messages import RunEpoch, Tested, Testing
from lenet_search.experiments.task import Task
from lenet_search.look.intervals import figure
from lenet_search.look.progress import Standing, View
from lenet_search.run import Run
from lenet_search.storage.kept import Kept


@dataclass(eq=False, kw_only=True)
class SeedJob(Job):
    """A seed of a task."""

    task: Task


class InOrder:
    """The `crew.decider.Decider` of a list of runs. All start at clock 0, so runs with the same seed are pairs.

    Args:
        name: name of the work, shown with its progress
        metric: the metric to show
        jobs: the runs to train, in this order
        total: number of runs, including those trained earlier
        done: how many of them were done before
        kept: each task's folder, by the task's name
        view: where progress is shown
        test: whether to read the test set, once per model
        test_limit: number of test images to use; else all
        on_end: called with a run's task once the run's files are written
        more: called when every run is done; returns further runs, or none when the work is over
        trained: number of epochs of the runs that were done before
    """

    def __init__(
        self,
        name: str,
        metric: str,
        jobs: Sequence[SeedJob],
        total: int,
        done: int,
        kept: Mapping[str, Kept],
        view: View,
        *,
        test: bool,
        test_limit: int | None,
        on_end: Callable[[Task], None],
        more: Callable[[], Sequence[SeedJob]] = tuple,
        trained: int = 0,
    ) -> None:
        self.failures: list[str] = []
        self._name, self._metric = name, metric
        self._pending = list(jobs)
        self._total = total
        self._done = done
        self._kept = kept
        self._view = view
        self._test, self._test_limit = test, test_limit
        self._on_end, self._more = on_end, more
        self._open = total - done  # runs that are neither done nor refused
        self._interrupted = 0
        self._trained = trained
        self._epochs = trained + sum(job.run.recipe.train.epochs for job in jobs)
        self._testing: dict[int, tuple[Task, Run]] = {}

    def to_test(self, number: int, task: Task, run: Run, model: bytes | None = None) -> Testing:
        """What reads the test set for a run's model, which is kept already."""
        self._testing[number] = task, run
        file = self._kept[task.name].model(run.seed)
        data = run.recipe.data
        return Testing(number, model or file.read_bytes(), data.name, self._test_limit, data.size, str(file))

    def wanted(self) -> int:
        """The number of runs left to train."""
        if not self._open:
            self._pending += self._more()
            self._open = len(self._pending)
            self._epochs += sum(job.run.recipe.train.epochs for job in self._pending)
            self._total += self._open
        return len(self._pending)

    def is_short(self, workers: Sequence[WorkerHandle]) -> bool:
        """Never: a list needs no preparation."""
        return False

    def ask(self) -> None:
        """Do nothing."""

    def can_deal(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> bool:
        """Always."""
        return True

    def deal(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> list[SeedJob]:
        """The seeds of the next recipe, side by side in one stack, for a worker that has finished its last recipe.

        If fewer recipes are left than workers that are free, or soon will be, a recipe's seeds are divided among these.
        """
        if len(worker.held) > leaving or not self._pending:
            return []
        groups = list(dict.fromkeys(map(_group, self._pending)))
        group = [job for job in self._pending if _group(job) == groups[0]]
        free = sum(each is worker or _is_free_soon(each, group[0]) for each in workers)
        parts = max(math.ceil(len(group) / LARGEST_COHORT), min(len(group), free // len(groups)))
        dealt = group[: math.ceil(len(group) / parts)]
        self._pending = [job for job in self._pending if job not in dealt]
        return dealt

    def take_back(self, job: Job) -> None:
        """Put it back at the head of the list."""
        assert isinstance(job, SeedJob)
        self._pending.insert(0, job)

    def report(self, job: Job, epoch: RunEpoch) -> bool:
        """False: every run is trained to its end."""
        return False

    def ended(self, job: Job, last: RunEpoch) -> Testing | None:
        """Write a run's files, and have its model measured if that is wanted."""
        assert isinstance(job, SeedJob)
        run, kept = job.run, self._kept[job.task.name]
        self._trained += run.recipe.train.epochs
        run.versions = {"lenet-search": __version__, **run.versions}
        if last.model is None:
            self._end(job.task, run, "diverged")
            return None
        kept.keep_model(run.seed, last.model)
        if not self._test:
            self._end(job.task, run, self._in_words(run))
            return None
        kept.keep(run)
        return self.to_test(job.number, job.task, run, last.model)

    def tested(self, done: Tested) -> None:
        """Write what the test set said."""
        task, run = self._testing.pop(done.number)
        run.right, run.n = done.right, done.n
        self._end(task, run, self._in_words(run))

    def _in_words(self, run: Run) -> str:
        return f"{self._metric} {figure(run.curve[self._metric][-1], self._metric)}"

    def _end(self, task: Task, run: Run, detail: str) -> None:
        self._kept[task.name].keep(run)
        self._done += 1
        self._open -= 1
        self._view.ended(f"{task.name}, seed {run.seed}", "complete", detail)
        self._on_end(task)

    def refused(self, job: Job, reason: str) -> None:
        """Note the failure, which is reported at the end; the other runs continue."""
        self.failures.append(f"{job.name}: {reason}")
        self._open -= 1
        self._view.ended(job.name, "failed", reason)

    def froze(self, job: Job) -> None:
        """Write it to the recipe's folder."""
        assert isinstance(job, SeedJob)
        try:
            self._kept[job.task.name].freeze(job.run, job.state)
        except OSError as error:  # a full disk must not end the command
            self._view.note(f"cannot save the state of {job.name}: {error}")

    def settled(self, precision: str) -> str:
        """The precision that "auto" means for these recipes; an earlier choice stands."""
        stored = [each.precision for each in self._kept.values() if each.precision is not None]
        settled = stored[0] if stored else precision
        for each in self._kept.values():
            each.settle(settled)
        self._view.opening("Precision", f"{settled}, for all runs")
        return settled

    def attend(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing: files are written at once."""

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Count them; their states are in the recipes' folders already."""
        self._interrupted = len(jobs) + len(self._testing)
        self._trained += sum(job.frozen for job in jobs)

    def standing(self) -> Standing:
        """How many runs are done, and how many failed or were interrupted."""
        failed = len(self.failures)
        trained = self._trained + sum(job.run.epochs for job in self._pending)  # those are of frozen runs
        return Standing(
            self._name, self._metric, self._total,
            complete=self._done, failed=failed, interrupted=self._interrupted, unit="run",
            epochs=(trained, self._epochs),
        )  # fmt: skip


def _group(job: SeedJob) -> tuple[str, int]:
    """What runs have in common that train side by side."""
    return job.task.name, job.frozen


def _is_free_soon(worker: WorkerHandle, job: SeedJob) -> bool:
    """Whether a worker ends its runs in half the time of `job`, and none of them was dealt together with that one."""
    held = worker.held.values()
    return 2 * max((each.epochs_left for each in held), default=0) <= job.epochs_left and not any(
        isinstance(each, SeedJob) and each.task.name == job.task.name for each in held
    )
