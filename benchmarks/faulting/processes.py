"""The processes of a search, and signals to them. All carry a mark in their environment, whoever started them."""

import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lenet_search.crew.process import START

MARK = "FAULTS_IN"
KINDS = ("parent", "actor", "worker")
PACKAGE = Path(__file__).parents[2]


def environment(folder: Path) -> dict[str, str]:
    """For what is started for the search in `folder`: this checkout's package, a place for litter, and the mark."""
    litter = folder / "temporary"
    litter.mkdir(exist_ok=True)
    own = {MARK: str(folder), "TMPDIR": str(litter), "PYTHONPATH": str(PACKAGE), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return {**os.environ, **own}


def running(folder: Path) -> dict[str, list[int]]:
    """The processes of the search in `folder`, by kind. Ray's own belong to no search."""
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    mark = f"{MARK}={folder}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if mark in (process / "environ").read_bytes().split(b"\0"):
                kind = _kind((process / "cmdline").read_bytes().decode(errors="replace").split("\0"))
                if kind:
                    found[kind].append(int(process.name))
    return found


def _kind(command: Sequence[str]) -> str:
    if command[0].startswith("ray::Host"):
        return "actor"
    if START in command:
        return "worker"
    return "parent" if list(command[1:3]) == ["-m", "lenet_search"] else ""


def kill(pids: Sequence[int], rng: random.Random) -> None:
    """End one of several processes, if there are any."""
    if pids:
        send(rng.choice(pids), signal.SIGKILL)


def pause(pids: Sequence[int], rng: random.Random) -> None:
    """Stop one of several processes for a while."""
    if pids:
        pid = rng.choice(pids)
        send(pid, signal.SIGSTOP)
        try:
            time.sleep(rng.uniform(0.2, 3.0))
        finally:
            send(pid, signal.SIGCONT)


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended."""
    with suppress(OSError):
        os.kill(pid, number)
