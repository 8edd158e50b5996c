"""Recipes over all cores or GPUs: what is missing is trained and measured, and every end is kept."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lenet_search.crew.places import places
from lenet_search.errors import RunError
from lenet_search.experiments.crew import Crew, Job, View
from lenet_search.experiments.images import look
from lenet_search.experiments.kept import Kept
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.machine import usable_cores, visible_gpus

# Seeds that are trained side by side, at most. A stack of its own begins at clock 0, so that all seeds of all recipes
# see the images in the same order and can be compared in pairs.
LARGEST_STACK = 16


def finish(
    tasks: Sequence[Task],
    folder: Path,
    *,
    test: bool,
    view: View,
    data_folder: Path | None = None,
    workers: int | None = None,
    test_limit: int | None = None,
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Train what is not trained yet, and measure on the test set what is to be and is not yet; results as of `tasks`.

    Args:
        tasks: recipes and seeds
        folder: each recipe has a folder of its name in it
        test: whether the test set is read, once for each model
        view: where progress is shown
        data_folder: folder that is looked at first for NAME.npz
        workers: processes; else one per GPU, or one per core
        test_limit: only so many test images, to see that all is in order
        on_result: called with each recipe's result as it is complete

    Raises:
        DataError: images are missing, or do not fit.
        ResultError: the folder holds other results under one of the names.
        Interrupted: by a signal; what was done is kept.
        RunError: a worker failed; the other recipes are done.
    """
    looked = look(tasks, data_folder)
    kept = {task.name: Kept(folder / task.name) for task in tasks}
    for task in tasks:
        kept[task.name].begin(task.recipe, looked[task.name].images, f"{task.title}\n\nTrained by lenet-search.")

    def result(task: Task) -> Result:
        return Result.of(task, kept[task.name], looked[task.name].images, looked[task.name].parameters)

    cores, gpus = usable_cores(), visible_gpus()
    jobs = missing(tasks, kept, test, workers or len(gpus) or cores)
    jobs.sort(key=lambda job: job.task.recipe.train.epochs * looked[job.task.name].parameters)  # results come early
    left = Counter(job.task.name for job in jobs)
    for task in tasks:
        if not left[task.name] and on_result is not None:
            on_result(result(task))
    if not jobs:
        return [result(task) for task in tasks]

    def on_end(job: Job) -> None:
        left[job.task.name] -= 1
        if not left[job.task.name] and on_result is not None:
            on_result(result(job.task))

    where = places(min(workers or len(gpus) or cores, len(jobs)), gpus, cores)
    orders = {"data": None if data_folder is None else str(data_folder.resolve()), "test_limit": test_limit}
    failures = Crew(where, orders, view).run(jobs, on_end)
    if failures:
        raise RunError("\n".join(failures))
    return [result(task) for task in tasks]


def missing(tasks: Sequence[Task], kept: Mapping[str, Kept], test: bool, workers: int) -> list[Job]:
    """What is missing. With fewer recipes than workers, each recipe's seeds are dealt out over several."""
    untrained = {task.name: [seed for seed in task.seeds if kept[task.name].run(seed) is None] for task in tasks}
    todo = sum(bool(seeds) for seeds in untrained.values())
    jobs = []
    for task in tasks:
        runs = {seed: kept[task.name].run(seed) for seed in task.seeds}
        untested = [
            seed
            for seed, run in runs.items()
            if test and (run is None or (run.test_accuracy is None and not run.diverged))
        ]
        seeds = untrained[task.name]
        if not seeds:
            jobs += [Job(task, kept[task.name].folder, (), tuple(untested))] if untested else []
            continue
        parts = max(math.ceil(len(seeds) / LARGEST_STACK), min(len(seeds), workers // todo))
        for part in range(parts):
            own = seeds[part::parts]
            also = [seed for seed in untested if seed not in seeds] if part == 0 else []
            jobs.append(Job(task, kept[task.name].folder, tuple(own), (*(own if test else ()), *also)))
    return jobs
