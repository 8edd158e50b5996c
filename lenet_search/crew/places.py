"""How many workers, and what each of them gets to see of the machine."""

import os
from dataclasses import dataclass
from typing import Literal

MOST = 1024  # workers, or slots of one: more is a slip of the finger
Slots = int | Literal["auto"] | None  # of a stack: so many, measured, or as many as suit the device


@dataclass(frozen=True)
class Place:
    """Where a worker runs: one GPU, or some threads of the CPU."""

    gpu: str | None
    threads: int

    def environment(self) -> dict[str, str]:
        """Environment variables for a worker; they must stand before what computes is imported."""
        return {
            "CUDA_VISIBLE_DEVICES": "-1" if self.gpu is None else self.gpu,
            "OMP_NUM_THREADS": str(self.threads),
            "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),  # JAX goes by it too
        }


def places(workers: int | None, gpus: list[str], cores: int) -> list[Place]:
    """One place per worker: `workers`, else one per GPU, else one per core.

    One thread per worker where there are as many workers as cores (LeNet's convolutions do not scale over
    threads: two workers of one thread train about 1.5 times what one of two threads does); fewer workers share
    the cores.
    """
    count = workers or len(gpus) or cores
    threads = max(1, cores // count)
    return [Place(gpus[i % len(gpus)] if gpus else None, threads) for i in range(count)]


def slots_of(value: str | int | None) -> Slots:
    """What somebody gave as the size of stacks, checked.

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
