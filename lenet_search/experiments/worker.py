"""A worker: a process that trains some seeds of one recipe, keeps each, and measures them on the test set if asked.

Run as `python -m lenet_search.experiments.worker`. The first line of its standard input is the job, and the rest a
lifeline: when the parent is gone, however it went, it closes, and the worker leaves within the moment. On its
standard output it tells, a JSON object per line, how far it is; whatever else is printed goes to standard error.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from lenet_search import __version__
from lenet_search.errors import LenetSearchError
from lenet_search.experiments.kept import Kept, Run
from lenet_search.recipe import Recipe

Tell = Callable[[Mapping[str, Any]], None]


def work(job: Mapping[str, Any], tell: Tell) -> None:
    """Train the seeds `train` and measure the seeds `test` of the recipe `values`, in `folder`.

    Args:
        job: also `threads`, `data` (folder or None) and `test_limit` (images or None for all)
        tell: called with `epochs`, `of` and `metric` after each epoch of the stack, with `testing` before each test
    """
    from lenet_search.model.evaluate import evaluate

    recipe, kept = Recipe.from_values(job["values"]), Kept(Path(job["folder"]))
    data = None if job["data"] is None else Path(job["data"])
    if job["train"]:
        _train(recipe, job["train"], kept, data, job["threads"], tell)
    for seed in job["test"]:
        run = kept.run(seed)
        if run is not None and not run.diverged:
            tell({"testing": seed})
            found = evaluate(kept.model(seed), recipe.data.name, data, job["test_limit"])
            kept.keep(replace(run, right=int(found.confusion.trace()), n=found.n))


def _train(recipe: Recipe, seeds: list[int], kept: Kept, data: Path | None, threads: int, tell: Tell) -> None:
    from lenet_search.engine import device
    from lenet_search.experiments.train import Course, train
    from lenet_search.networks.plain import plain_model

    started, ended = monotonic(), []

    def on_epoch(courses: tuple[Course, ...], epochs: int) -> None:
        alive = [course.curve["val_accuracy"][-1] for course in courses if not course.diverged]
        mean = sum(alive) / len(alive) if alive else None
        tell({"epochs": epochs, "of": len(seeds) * recipe.train.epochs, "val_accuracy": mean})

    trained = train(
        recipe,
        seeds=seeds,
        data_folder=data,
        slots=len(seeds),
        threads=threads,
        on_epoch=on_epoch,
        on_end=lambda course, weights: ended.append((course, weights)),
    )
    seconds = round(monotonic() - started, 3)
    versions = {"lenet-search": __version__} | device.versions()
    for course, weights in ended:
        if weights is not None:
            plain_model(recipe, trained.images, weights).save(kept.model(course.seed))
        kept.keep(Run(course.seed, course.diverged, course.curve, seeds, seconds, trained.device, versions))


def main() -> None:
    """Do the job that stands on standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent decides
    own: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(message: Mapping[str, Any]) -> None:
        print(json.dumps(message), file=own, flush=True)

    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        work(job, tell)
    except LenetSearchError as error:
        tell({"error": str(error)})
        sys.exit(1)


def _leave_with_parent() -> None:
    os.read(0, 1)  # nothing more is ever written; `sys.stdin` has a lock that would be missed at exit
    os._exit(0)


if __name__ == "__main__":
    main()
