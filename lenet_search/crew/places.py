"""How many workers there are, and the part of the machine that each may use."""

import os
from dataclasses import dataclass
from typing import Literal

MOST = 1024  # workers, or slots of a worker: a larger number is a typing error
Slots = int | Literal["auto"] | None  # of a stack: a number, "auto" to measure, or None to suit the device


@dataclass(frozen=True)
class Place:
    """Where a worker runs: one GPU, or some threads of the CPU, on the node of this name ("" for this machine)."""

    gpu: str | None
    threads: int
    node: str = ""

    def environment(self) -> dict[str, str]:
        """Environment variables for a worker, to be set before the backend is imported."""
        return {
            "CUDA_VISIBLE_DEVICES": "-1" if self.gpu is None else self.gpu,
            "OMP_NUM_THREADS": str(self.threads),
            "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),  # JAX reads it, too
        }


def places(workers: int | None, gpus: list[str], cores: int) -> list[Place]:
    """One place per worker: `workers`, else one per GPU, else one per core.

    With one worker per core, a worker gets one thread; fewer workers share the cores. LeNet's convolutions scale poorly
    over threads: two workers with one thread each train about 1.5 times as fast as one with two threads.
    """
    count = workers or len(gpus) or cores
    threads = max(1, cores // count)
    return [Place(gpus[i % len(gpus)] if gpus else None, threads) for i in range(count)]


def slots_of(value: str | int | None) -> Slots:
    """Check a given number of slots.

    Raises:
        ValueError: it is neither a number from 1 to `MOST` nor "auto".
    """
    if value is None:
        return None
    if value == "auto":
        return "auto"
    try:
        count = int(value)
    except ValueError:
        count = 0
    if not 1 <= count <= MOST:
        raise ValueError(f"expected a number from 1 to {MOST}, or auto; received {value!r}")
    return count
