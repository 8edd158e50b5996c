"""What an engine runs on: set up once per process, described for people."""

import os

import keras
import numpy as np

from lenet_search import machine
from lenet_search.engine import backend, precision

CPU_SLOTS = 4  # measured 2026-11 on one core: 8 slots are no faster and make a study less sequential
# Measured 2026-11 on one H100 (`cifar`'s space, bfloat16, a prototype of the engine's products), million images/s: 3.05
# with 4 slots, 4.48 with 8, 6.04 with 16, 6.40 with 32, 7.27 with 64, 7.62 with 128. So 16 take 79 % of what there is;
# twice as many would train 6 % more, and halve the number of generations.
GPU_SLOTS = 16


def configure(threads: int) -> None:
    """Use at most `threads` threads per operation, and GPU memory as it is needed. Call before any other work."""
    backend.limit_threads(threads)


def describe() -> str:
    """The device in words: "CPU (1 thread)", "NVIDIA H100"."""
    return backend.device_name()


def is_gpu() -> bool:
    """Whether it is a GPU."""
    return backend.on_gpu()


def versions() -> dict[str, str]:
    """Which versions compute here, by package; the first names the backend."""
    return {**backend.versions(), "keras": str(keras.__version__), "numpy": np.__version__}


def best_precision() -> str:
    """What "auto" means as `train.precision` here. Takes about a second when it is asked for the first time."""
    return precision.best_precision()


def default_slots() -> int:
    """How many slots a stack has where nobody says, nothing is measured, and there are enough runs."""
    return GPU_SLOTS if backend.on_gpu() else CPU_SLOTS


def free_memory() -> int | None:
    """Bytes that a stack could take: of the GPU's memory, else of the machine's; None where nobody can tell."""
    if not backend.on_gpu():
        return machine.free_memory()
    return machine.free_gpu_memory(os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip())
