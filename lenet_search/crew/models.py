"""The .keras files of runs that are over, from a worker of their own: the command's process needs no Keras."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.messages import Building, Built, FromWorker, Orders, Ready, Setup, Trouble
from lenet_search.crew.places import Place
from lenet_search.crew.process import Process
from lenet_search.errors import RunError
from lenet_search.run import Run

TICK = 0.1  # seconds between two looks at whether to stop


def model_files(
    runs: Iterable[tuple[Run, Mapping[str, np.ndarray]]], stopped: Callable[[], bool] = lambda: False
) -> Iterator[bytes]:
    """The file of each run's model, from its weights; ends early once `stopped`.

    Raises:
        RunError: the worker fails.
    """
    with tempfile.TemporaryDirectory(prefix="lenet-search-") as logs:
        place, log = Place(None, threads=1), Path(logs) / "worker.log"
        worker = WorkerHandle(place, Setup(None, 1, 1, None), Process(place, log), log)
        try:
            answer = _answer(worker, stopped)
            for run, weights in runs:
                if stopped():
                    return
                if not isinstance(answer, Ready | Built):
                    raise RunError(answer.message if isinstance(answer, Trouble) else worker.death().reason)
                worker.tell(Orders(build=(Building(run.recipe.values(), run.images, weights),)))
                answer = _answer(worker, stopped)
                if isinstance(answer, Built):
                    yield answer.model
        finally:
            worker.kill()


def _answer(worker: WorkerHandle, stopped: Callable[[], bool]) -> FromWorker | None:
    """The worker's next message; None if it has died, or there is no time to wait for it."""
    while not worker.pipe.poll(TICK):
        if stopped():
            return None
    return worker.listen()
