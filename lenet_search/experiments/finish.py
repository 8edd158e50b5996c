"""Trains and measures the missing runs of recipes on all cores or GPUs, and keeps each as soon as it is done."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lenet_search import data
from lenet_search.crew import FREEZE_EVERY
from lenet_search.crew.crew import Crew
from lenet_search.crew.messages import Setup
from lenet_search.crew.signals import Interrupted, Stopped, same_command, stop_signals
from lenet_search.crew.staff import hire
from lenet_search.errors import ResultError, RunError
from lenet_search.experiments.images import Looked, data_folder_of, look, other_images
from lenet_search.experiments.in_order import InOrder, SeedJob
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.look.progress import View
from lenet_search.run import Run
from lenet_search.space import Space
from lenet_search.storage.kept import Kept
from lenet_search.structure import structure_of


def finish(
    tasks: Sequence[Task],
    kept: Mapping[str, Kept],
    *,
    name: str,
    test: bool,
    view: View,
    metric: str = "val_accuracy",
    data_folder: Path | None = None,
    workers: int | None = None,
    test_limit: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    on_result: Callable[[Result], None] | None = None,
    more: Callable[[Sequence[Result]], Sequence[Task]] | None = None,
) -> list[Result]:
    """Train the runs that are missing and, with `test`, measure the models not yet measured on the test set.

    Args:
        tasks: recipes and seeds
        kept: each task's folder, by the task's name
        name: name of the work, shown with its progress
        test: whether to read the test set, once per model
        view: where progress is shown; closed at the end
        metric: the metric to show; recipes without validation images show their training accuracy
        data_folder: folder searched for NAME.npz or NAME/ before downloading
        workers: number of processes; else one per GPU, or one per core
        test_limit: number of test images to use, for a quick check; else all
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        on_result: called with each recipe's result as soon as it is complete
        more: called with all results when every run is done; returns the tasks of the next round, new ones or those
            of before with more seeds, or none when the work is over. Workers keep running between rounds, so the
            precision of new recipes must be settled. Only without `test`.

    Returns:
        One result per task, in the order of `tasks` and rounds, with the seeds of the last round it was part of.

    Raises:
        DataError: images are missing, or do not fit the network or batch size.
        ResultError: the folder contains other results under one of the names.
        Interrupted: by a signal; finished runs are kept, and running ones are frozen.
        RunError: workers keep dying, or some runs cannot be trained here (the others are done).
    """
    data_folder = data_folder_of(tasks, data_folder)
    if not any(task.recipe.data.validation for task in tasks):
        metric = "train_accuracy"
    looked: dict[str, Looked] = {}
    current: dict[str, Task] = {}
    numbers = itertools.count()
    left: Counter[str] = Counter()

    def admit(tasks: Sequence[Task]) -> None:
        """Check the images of tasks, and open their folders."""
        new = [task for task in tasks if task.name not in looked]
        looked.update(look(new, data_folder, view.note))
        current.update({task.name: task for task in tasks})
        for task in new:
            header = f"{task.title}\n\nTrained by lenet-search{', as a quick check' if task.quick else ''}."
            images = looked[task.name].images
            kept[task.name].begin(task.recipe, images, header, _folder_of(task, data_folder))
            if said := other_images(task, images):
                view.note(said)

    def cost(job: SeedJob) -> int:
        """The small ones first, so that results come early."""
        return job.task.recipe.train.epochs * looked[job.task.name].parameters

    def to_do(tasks: Sequence[Task]) -> tuple[list[SeedJob], list[tuple[Task, Run]]]:
        jobs, untested = missing(tasks, kept, test, view, numbers)
        for task in [*(job.task for job in jobs), *(task for task, _ in untested)]:
            left[task.name] += 1
        return sorted(jobs, key=cost), untested

    def next_round() -> list[SeedJob]:
        """The first runs missing from a later round; none when there is no later round."""
        while more is not None and (tasks := more([result(task) for task in current.values()])):
            admit(tasks)
            if jobs := to_do(tasks)[0]:
                return jobs
        return []

    def result(task: Task) -> Result:
        return Result.of(task, kept[task.name], looked[task.name].images, looked[task.name].parameters)

    def tell(task: Task) -> None:
        if not left[task.name] and on_result is not None:
            on_result(result(task))

    def on_end(task: Task) -> None:
        left[task.name] -= 1
        tell(task)

    admit(tasks)
    try:
        jobs, untested = to_do(tasks)
        for task in tasks:
            tell(task)
        if not (jobs or untested):
            jobs = next_round()
        if jobs or untested:
            total = sum(len(task.seeds) for task in current.values())
            done = total - len(jobs) - len(untested)
            epochs = sum(task.recipe.train.epochs * len(task.seeds) for task in current.values())
            trained = epochs - sum(job.run.recipe.train.epochs for job in jobs)
            decider = InOrder(
                name, metric, jobs, total, done, kept, view, test=test, test_limit=test_limit, on_end=on_end,
                more=next_round, trained=trained,
            )  # fmt: skip
            to_test = [decider.to_test(next(numbers), task, run) for task, run in untested]
            probe = any(task.recipe.train.precision == "auto" for task in tasks)
            setup = Setup(None, 1, None, None if data_folder is None else data_folder.resolve(), probe)
            staff = hire(setup, workers, ray, view)
            try:
                with stop_signals() as stop:
                    crew = Crew(staff, view, stop, freeze_every)
                    ended = crew.run(decider, to_test=to_test)
                    view.update(crew.progress())
            finally:
                staff.close()
            if ended == "signal" and stop.signal is not None:
                raise _interrupted(stop.signal)
            if decider.failures:
                raise RunError("\n".join(decider.failures))
    except Stopped as error:  # before there was a crew, or after it
        raise _interrupted(error.signal) from error
    finally:
        view.close()
    return [result(task) for task in current.values()]


def _interrupted(number: int) -> Interrupted:
    return Interrupted(
        number,
        "Interrupted. Finished runs are kept, and the others resume where they were saved. "
        f"To resume: {same_command()}",
    )


def _folder_of(task: Task, data_folder: Path | None) -> Path | None:
    """The folder in which the file of a task's data set is, if it is a file."""
    place = data.file_of(task.recipe.data.name, data_folder)
    return None if place is None else place.folder


def missing(
    tasks: Sequence[Task], kept: Mapping[str, Kept], test: bool, view: View, numbers: Iterator[int]
) -> tuple[list[SeedJob], list[tuple[Task, Run]]]:
    """The runs to train, from where they were frozen, and the trained runs still to be measured on the test set.

    Jobs are numbered with `numbers`.
    """
    jobs: list[SeedJob] = []
    untested = []
    for task in tasks:
        structure = structure_of(task.recipe, Space.from_recipe(task.recipe))
        for seed in task.seeds:
            run = kept[task.name].run(seed)
            if run is not None:
                kept[task.name].forget(seed)  # it may have been killed between the two
                if test and run.test_accuracy is None and not run.diverged:
                    untested.append((task, run))
                continue
            name = f"{task.name}, seed {seed}"
            job = SeedJob(next(numbers), name, Run(task.recipe, seed), structure, cohort=True, model=True, task=task)
            try:
                frozen = kept[task.name].frozen(seed)
            except ResultError as error:
                view.note(f"{name} starts again from the beginning: {error}")
                frozen = None
            if frozen is not None and frozen[0].is_of(task.recipe, seed):
                job.run, state = frozen
                job.froze(job.run.epochs, state)
            elif frozen is not None:
                view.note(f"{name} starts again from the beginning: what is frozen there is another run")
            jobs.append(job)
    return jobs, untested
