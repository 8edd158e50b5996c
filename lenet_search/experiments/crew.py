"""Workers, a process for each job, and what they tell while they work."""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lenet_search.crew.places import Place
from lenet_search.crew.signals import Interrupted, stop_signals
from lenet_search.experiments.task import Task

LISTENING_SECONDS = 0.2  # a signal is noticed within this time


class View(Protocol):
    """Where progress is shown."""

    def note(self, text: str) -> None:
        """A line that stays."""

    def begin(self, name: str, seeds: Sequence[int], total: int) -> None:
        """A worker starts on some seeds of a recipe; `total` epochs lie before it."""

    def progress(self, name: str, seeds: Sequence[int], done: int, text: str) -> None:
        """It has done so many epochs."""

    def end(self, name: str, seeds: Sequence[int]) -> None:
        """It is through."""


@dataclass(frozen=True)
class Job:
    """What one worker gets: seeds of a recipe to train, and seeds to measure on the test set."""

    task: Task
    folder: Path  # of the recipe
    train: tuple[int, ...]
    test: tuple[int, ...]


class Crew:
    """Workers at their places; each ends with its job, so that the memory is the machine's again.

    Args:
        where: the places, one worker at a time on each
        orders: what every worker is told beside its job
        view: where progress is shown
    """

    def __init__(self, where: Sequence[Place], orders: Mapping[str, Any], view: View) -> None:
        self._free = deque(where)
        self._orders = orders
        self._view = view
        self._heard: queue.Queue[tuple[int, dict[str, Any] | None]] = queue.Queue()
        self._working: dict[int, tuple[Job, Place, subprocess.Popen[str], Path]] = {}
        self._failures: dict[int, str] = {}

    def run(self, jobs: Sequence[Job], on_end: Callable[[Job], None]) -> list[str]:
        """Do all jobs; what went wrong, a text for each that failed.

        Raises:
            Interrupted: by a signal.
        """
        waiting = deque(jobs)
        logs = Path(tempfile.mkdtemp(prefix="lenet-search-"))
        try:
            with stop_signals() as stop:
                while waiting or self._working:
                    while waiting and self._free:
                        self._start(waiting.popleft(), logs)
                    try:
                        number, message = self._heard.get(timeout=LISTENING_SECONDS)
                    except queue.Empty:
                        message = number = None
                    if stop.signal is not None:
                        raise Interrupted(
                            stop.signal, "Interrupted. What was finished is kept; the same command goes on from there."
                        )
                    if number is not None:
                        self._hear(number, message, on_end)
        finally:
            for _, _, process, _ in self._working.values():
                process.kill()
                _close(process)
            shutil.rmtree(logs, ignore_errors=True)
        return list(self._failures.values())

    def _start(self, job: Job, logs: Path) -> None:
        place = self._free.popleft()
        log = logs / f"{job.task.name}-{'-'.join(map(str, job.train or job.test))}.log"
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        own = {"PYTHONPATH": path, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "lenet_search.experiments.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                encoding="utf-8",
                env={**os.environ, **own, **place.environment()},
                start_new_session=True,  # Ctrl-C is the parent's affair
            )
        self._working[process.pid] = job, place, process, log
        order = {
            **self._orders,
            "values": job.task.recipe.values(),
            "train": job.train,
            "test": job.test,
            "folder": str(job.folder.resolve()),
            "threads": place.threads,
        }
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # one that has died already is noticed when it is listened to
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()  # and stays open: it closes when this process ends
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        self._view.begin(job.task.name, job.train or job.test, len(job.train) * job.task.recipe.train.epochs)

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._heard.put((process.pid, json.loads(line)))
        self._heard.put((process.pid, None))

    def _hear(self, number: int, message: dict[str, Any] | None, on_end: Callable[[Job], None]) -> None:
        job, place, process, log = self._working[number]
        name, seeds = job.task.name, job.train or job.test
        if message is None:  # it has hung up
            del self._working[number]
            self._free.append(place)
            _close(process)
            if process.returncode:
                self._failures.setdefault(number, f"{name}: {_last_words(process.returncode, log)}")
            self._view.end(name, seeds)
            if not process.returncode:
                on_end(job)
        elif "error" in message:
            self._failures[number] = f"{name}: {message['error']}"
        elif "epochs" in message:
            accuracy = message["val_accuracy"]
            shown = "all runs diverged" if accuracy is None else f"val_accuracy {accuracy:.4f}"
            self._view.progress(name, seeds, message["epochs"], shown)
        elif "testing" in message:
            self._view.progress(name, seeds, len(job.train) * job.task.recipe.train.epochs, "reading the test set")


def _close(process: "subprocess.Popen[str]") -> None:
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with contextlib.suppress(OSError):  # what it did not read any more
            stream.close()


def _last_words(code: int, log: Path) -> str:
    """Why a worker has died: the signal that killed it, or the last line that it wrote."""
    if code < 0:
        return f"a worker was killed by signal {-code}" + (" (out of memory?)" if code == -9 else "")
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"a worker failed: {lines[-1][:300]}" if lines else f"a worker left with code {code}"
