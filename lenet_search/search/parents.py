"""Parents: who else works on a study, and who has stopped. Each signs its trials and shows that it lives.

A parent writes a study attribute every `HEARTBEAT` seconds. On the machine that it names, a parent is over when its
process is gone; on any other, when nothing was written for `SILENCE` seconds (whose clocks may differ by a little).
"""

import os
import re
import socket
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEARTBEAT = 30.0  # seconds
SILENCE = 180.0  # seconds
PREFIX = "lenet-search run "
RUN = "run"  # the trial attribute that names the parent which holds it


@dataclass(frozen=True)
class Parent:
    """This process, as the others that work on a study see it."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def attribute(self) -> str:
        """The study attribute that holds the heartbeat."""
        return PREFIX + self.id

    def heartbeat(self) -> dict[str, Any]:
        """Who and where it is, and when it said so."""
        return {"host": host(), "pid": os.getpid(), "started": process_start(os.getpid()), "time": round(time.time())}


def is_over(heartbeat: Mapping[str, Any] | None, now: float) -> bool:
    """Whether the parent that wrote `heartbeat` last has stopped without a word. `now` in seconds since 1970."""
    if heartbeat is None or heartbeat.get("over"):
        return True
    if heartbeat["host"] == host():
        return bool(process_start(heartbeat["pid"]) != heartbeat["started"])
    return bool(now - heartbeat["time"] > SILENCE)


def host() -> str:
    """This machine since it was started, down to the container: where a process number means something."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(re.sub(r"\D", "", os.readlink("/proc/self/ns/pid")))
    except OSError:
        parts.append(str(uuid.getnode()))  # not Linux: the network card's number tells machines of one name apart
    return "/".join(parts)


def process_start(pid: int) -> str | None:
    """When the process `pid` was started, in the system's own words; None when there is none (or only a zombie)."""
    if Path("/proc/self/stat").exists():
        try:
            # After the name, which may hold spaces: state is the first field, the start time the twentieth.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None
