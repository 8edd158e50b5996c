"""The study, and the processes that search it."""

import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np

from faulting.processes import environment, running
from faulting.storages import Storage

EPOCHS, STEP = 12, 24  # epochs of a trial; trials that the study gets at a time
TO_STOP, TO_VANISH, TO_FINISH = 60.0, 15.0, 900.0  # seconds for a parent; for what a killed one leaves; for the end
TINY = """
[study]
sampler = {{ kind = "RandomSampler" }}
pruner  = {{ kind = "MedianPruner", n_startup_trials = 8, n_warmup_steps = 6 }}
[data]
name = "{data}"
validation = 300
[train]
epochs = {epochs}
batch_size = 50
precision = "float32"
[model]
network = "lenet5"
[regularize]
dropout = {{ low = 0.0, high = 0.5 }}
[optimizer]
kind = "adam"
adam.learning_rate = {{ low = 1e-5, high = 1e-3, log = true }}
"""


class Search:
    """A study of tiny images, in the folder of a disk.

    Args:
        folder: of the disk
        storage: of the study
    """

    def __init__(self, folder: Path, storage: Storage) -> None:
        self.folder, self.storage = folder, storage
        self.total = STEP
        self.parents: list[subprocess.Popen[bytes]] = []
        self.codes: Counter[int] = Counter()
        self.problems: list[str] = []
        rng = np.random.default_rng(0)
        labels = np.arange(1800) % 3
        images = rng.integers(0, 90, (1800, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 + 8 * label : 8 + 8 * label] += 8  # hard enough that some learn slowly, and are pruned
        np.savez(folder / "tiny.npz", x_train=images, y_train=labels)
        text = TINY.format(data=folder / "tiny.npz", epochs=EPOCHS)
        (folder / "faults.toml").write_text(text)

    def start(self) -> subprocess.Popen[bytes]:
        """Start a searching process; its output is appended to a log."""
        command = [sys.executable, "-m", "lenet_search", "run", "--study", "faults.toml", "--storage", self.storage.url,
                   "--trials", str(self.total), "--workers", "2", "--freeze-every", "1",
                   *self.storage.options]  # fmt: skip
        own = environment(self.folder.parent)
        with (self.folder.parent / "search.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=own, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.parents.append(process)
        return process

    def tend(self, wanted: int) -> None:
        """Take away ended processes, and keep `wanted` running. Where one has ended well, there is more to do."""
        for process in [each for each in self.parents if each.poll() is not None]:
            self.parents.remove(process)
            self.codes[process.returncode] += 1
            if process.returncode == 0:
                self.total += STEP
        while len(self.parents) < wanted:
            self.start()

    def workers(self) -> list[int]:
        """The process ids of all workers."""
        return running(self.folder.parent)["worker"]

    def stop(self, process: subprocess.Popen[bytes], number: int) -> None:
        """Send a parent a signal, and wait for its end; one that takes too long is killed."""
        process.send_signal(number)
        try:
            process.wait(TO_STOP)
        except subprocess.TimeoutExpired:
            self.problems.append(f"stop: {signal.Signals(number).name} did not end a parent in {TO_STOP:.0f} s")
            process.kill()
            process.wait()

    def finish(self) -> float:
        """End the processes, and let a last one finish the study in peace; returns its seconds."""
        for process in self.parents:
            self.stop(process, signal.SIGTERM)
        self.parents.clear()
        self.storage.mend()
        started = time.monotonic()
        with suppress(subprocess.TimeoutExpired):  # what it leaves undone is found in the books
            for _ in range(3):  # a parent that was killed a moment ago is believed alive for a while
                if self.start().wait(TO_FINISH) == 0:
                    break
        seconds = time.monotonic() - started
        self.close()
        return seconds

    def close(self) -> None:
        """Kill the parents that still run."""
        for process in self.parents:
            process.kill()
            process.wait()
        self.parents.clear()

    def left(self) -> list[str]:
        """Processes that outlive the search: a parent's workers and Ray's actors end soon after it."""
        deadline = time.monotonic() + TO_VANISH
        while any(running(self.folder.parent).values()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return [f"{kind} {pid}" for kind, pids in running(self.folder.parent).items() for pid in pids]

    def told(self) -> list[str]:
        """Errors in the processes' log that no person should see: tracebacks, and those that are called a bug.

        A SIGINT while Python itself starts, or ends, has a traceback that ends with its name.
        """
        found, inside = [], ""
        for line in (self.folder.parent / "search.log").read_text(errors="replace").splitlines():
            if line.startswith("Traceback (most recent call last)"):
                inside = line
            elif inside and line and not line[0].isspace():  # the error that ends it
                found += [] if line.startswith("KeyboardInterrupt") else [f"traceback: {line}"]
                inside = ""
            elif line.startswith("This is a bug"):
                found.append(line)
        return found
