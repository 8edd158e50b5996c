"""What an engine runs on: set up once per process, described for people."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np

from lenet_search.engine import backend, precision

CPU_SLOTS = 4  # measured 2026-11 on one core: 8 slots are no faster and make a study less sequential
GPU_SLOTS = 32  # not measured yet; a slot takes a few MB


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
    """How many slots a stack has where nobody says and nothing is measured."""
    return GPU_SLOTS if backend.on_gpu() else CPU_SLOTS


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def free_memory() -> int | None:
    """Bytes that a stack could take: of the GPU's memory, else of the machine's; None where nobody can tell."""
    return _free_on_gpu() if backend.on_gpu() else _free_on_host()


def _free_on_gpu() -> int | None:
    """As `nvidia-smi` says, of the GPU that this process sees."""
    tool, gpu = shutil.which("nvidia-smi"), os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    if tool is None:
        return None
    query = [tool, f"--id={gpu}", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
        return int(answer.split()[0]) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _free_on_host(system: Path = Path("/")) -> int | None:
    """What the system could give without swapping, and what a container's limit leaves of it."""
    try:
        lines = (system / "proc/meminfo").read_text().splitlines()
        free = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None
    group = system / "sys/fs/cgroup"
    try:
        limit, used = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
        rows = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, min(free, limit - used + int(rows["inactive_file"])))  # files that were read can go any time
    except (OSError, ValueError, KeyError):  # no such file, or "max": no limit
        return free
