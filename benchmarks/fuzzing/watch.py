"""One case under watch: its memory, its processor time, and what it raises.

Memory is what the process has resident at most while the case runs (VmHWM of Linux, which the kernel takes down when 5
is written to /proc/self/clear_refs), less what it had before. It counts what NumPy, zlib and Pillow allocate, but not
what is allocated and never touched. A limit of the address space keeps a mistake from filling the machine.
"""

import resource
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from lenet_search.errors import LenetSearchError

ALLOWED = 200_000_000  # bytes beside twice the input
SECONDS = 20  # of processor time: far more than any case needs
AHEAD = 6 * 2**30  # bytes of address space beside what the process has at the start
SLACK = 20_000_000  # bytes by which the highest mark may lie above what is resident before it is taken down


class TooSlow(BaseException):
    """A case has taken more than `SECONDS`. No `Exception`: a reader that catches all must not catch this."""


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    refused  whether it ended with an error of ours
    fault    what is wrong, or ""
    error    the exception, if there was one
    memory   bytes
    seconds  time
    """

    refused: bool
    fault: str
    error: BaseException | None
    memory: int
    seconds: float


def prepare() -> None:
    """Limit the address space, and turn processor time into `TooSlow`."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + AHEAD, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGPROF, _too_slow)


def watched(read: Callable[[], None], size: int, names: Collection[str]) -> Outcome:
    """Run a case.

    Args:
        read: the case
        size: bytes of its input
        names: one of these, the message of an error of ours has to contain
    """
    before = _mark()
    started = time.perf_counter()
    error: BaseException | None = None
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        read()
    except (Exception, TooSlow) as raised:
        error = raised
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds, memory = time.perf_counter() - started, max(0, _highest() - before)
    fault = ""
    refused = isinstance(error, LenetSearchError)
    if refused and not any(name in str(error) for name in names):
        fault = f"an error that names none of {', '.join(names)}: {error}"
    elif error is not None and not refused:
        fault = f"{type(error).__name__}: {error}"
    elif memory > 2 * size + ALLOWED:
        fault = f"{memory / 1e6:,.0f} MB of memory for {size / 1e6:,.3f} MB"
    return Outcome(refused, fault, error, memory, seconds)


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow(f"more than {SECONDS} s of processor time")


def _mark() -> int:
    """Bytes resident now, to which the highest mark is taken down if it lies well above."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    if _highest() > resident + SLACK:
        Path("/proc/self/clear_refs").write_text("5")
    return resident


def _highest() -> int:
    """The most bytes that were resident since the mark was taken down."""
    with open("/proc/self/status", "rb") as file:
        line = next(line for line in file if line.startswith(b"VmHWM"))
    return int(line.split()[1]) * 1024
