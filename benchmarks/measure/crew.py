"""Workers like those of lenet-search: processes with their own device or core, all asked at the same moment."""

import contextlib
import multiprocessing
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lenet_search import keras_settings
from lenet_search.crew.places import Place
from measure.measuring import Measuring, Settings


class WorkerFailed(Exception):
    """A worker failed; the message is the last line of its output, `details` all of it."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class Crew:
    """Processes, one per place, each with a `Measuring`; a context manager that ends them.

    `start_up` lists, per worker, the seconds from the process's start until its device has computed something.
    """

    def __init__(self, places: list[Place], settings: Settings) -> None:
        keras_settings.set_aside()  # as in a process of a search, before it imports the backend
        spawn = multiprocessing.get_context("spawn")
        self._members: list[tuple[Any, Connection[Any, Any]]] = []
        started = time.perf_counter()
        self._logs = Path(tempfile.mkdtemp(prefix="lenet-search-benchmark-"))
        for number, place in enumerate(places):
            ours, theirs = spawn.Pipe()
            told = (theirs, settings, place.threads, self._logs / f"{number}.log")
            process = spawn.Process(target=serve, args=told, daemon=True)
            with environment(surroundings(place)):
                process.start()
            theirs.close()
            self._members.append((process, ours))
        self.start_up: list[float] = []
        for _ in self._answers():
            self.start_up.append(time.perf_counter() - started)

    def __len__(self) -> int:
        return len(self._members)

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        for process, pipe in self._members:
            pipe.close()
            process.join(5)
            process.kill()
        shutil.rmtree(self._logs, ignore_errors=True)

    def ask(self, what: str, *given: Any) -> list[Any]:
        """Have all workers call `Measuring.what(*given)` at once; returns their answers.

        Raises:
            WorkerFailed: a worker failed.
        """
        for _, pipe in self._members:
            pipe.send((what, given))
        return list(self._answers())

    def _answers(self) -> Iterator[Any]:
        failed = None
        for number, (process, pipe) in enumerate(self._members):
            try:
                done, answer = pipe.recv()
            except (EOFError, ConnectionError):
                process.join(5)
                said = (self._logs / f"{number}.log").read_text(errors="replace")
                raise WorkerFailed(f"a worker ended with exit code {process.exitcode}", said[-3000:]) from None
            if not done:
                failed = WorkerFailed(*answer)
            else:
                yield answer
        if failed is not None:
            raise failed


def surroundings(place: Place) -> dict[str, str]:
    """Environment variables of a worker: those of lenet-search, the selected backend, NumPy's threads."""
    threads = str(place.threads)
    chosen = {"KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "tensorflow"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return place.environment() | chosen | {"OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Add `values` to this process's environment, for children started in the meantime."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def serve(pipe: "Connection[Any, Any]", settings: Settings, threads: int, log: Path) -> None:
    """Answer requests until the other side closes the pipe. Messages of libraries go to `log`."""
    with log.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        measuring = Measuring(settings, threads)
        pipe.send((True, None))
        while True:
            what, given = pipe.recv()
            try:
                pipe.send((True, getattr(measuring, what)(*given)))
            except Exception as error:  # a cell that does not fit in memory must not end the benchmark
                pipe.send((False, (_last_line(error), traceback.format_exc())))
    except (EOFError, ConnectionError, KeyboardInterrupt):
        pass
    except Exception as error:
        pipe.send((False, (_last_line(error), traceback.format_exc())))


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300] if lines else ''}"
