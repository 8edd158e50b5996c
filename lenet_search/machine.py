"""What is known of this machine: its cores, its GPUs, its memory, and the user's cache folder."""

import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path


def usable_cores(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores that this process may use: its affinity, and a container's quota of processor time."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text().split()
        return max(1, min(affinity, math.floor(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return max(1, affinity)


def has_avx512(told: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor's vectors hold 16 numbers of float32, not 8. Only Linux says so."""
    try:
        return "avx512f" in told.read_text().split()
    except OSError:
        return False


def visible_gpus() -> list[str]:
    """The GPUs that a worker may use, as CUDA_VISIBLE_DEVICES names them; asked without loading what computes."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    listed = (nvidia_smi("--query-gpu=index", "--format=csv,noheader") or "").split()
    if chosen is None or not listed:
        return listed

    def is_there(name: str) -> bool:  # a number, or a name of a card or of a part of one
        return name in listed or name.startswith(("GPU-", "MIG-"))

    return list(takewhile(is_there, map(str.strip, chosen.split(","))))  # as CUDA: up to the first that is not


def memory_was_short(error: Exception) -> bool:
    """Whether an error says that memory was short, on the host or in the words of any backend."""
    said = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or "resource_exhausted" in said or "resourceexhausted" in said


def nvidia_smi(*arguments: str) -> str | None:
    """What NVIDIA's tool answers; None where there is no such tool, or it fails."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        return subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def cache_folder() -> Path:
    """Where this package may keep what can be had again: XDG_CACHE_HOME, else where the system keeps such things."""
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not chosen.is_absolute():  # the XDG base directory specification: others are to be ignored
        chosen = Path(os.path.expanduser("~"), *(("Library", "Caches") if sys.platform == "darwin" else (".cache",)))
    return chosen / "lenet-search"


def writable_cache() -> Path:
    """The cache folder, made if need be; one among the temporary files where it cannot be written to.

    Raises:
        PermissionError: that one belongs to somebody else.
    """
    try:
        return _owned(cache_folder())
    except OSError:  # a container without a home, a disk that is read only
        return _owned(Path(tempfile.gettempdir()) / f"lenet-search-{os.getuid()}")


def _owned(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder}: expected a folder that you own and can write to; give XDG_CACHE_HOME another")
    return folder


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def free_memory(system: Path = Path("/")) -> int | None:
    """Bytes that the system could give without swapping, and what a container's limit leaves of them; None: unknown."""
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


def free_gpu_memory(gpu: str) -> int | None:
    """Bytes that are free on a GPU, by its name in CUDA_VISIBLE_DEVICES; None where nobody can tell."""
    answer = nvidia_smi(f"--id={gpu}", "--query-gpu=memory.free", "--format=csv,noheader,nounits")
    try:
        return int((answer or "").split()[0]) * 2**20
    except (ValueError, IndexError):
        return None
