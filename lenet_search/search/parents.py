"""Parents: the processes that work on a study. A parent signs its trials and sends heartbeats.

A heartbeat is a study attribute, written every `HEARTBEAT` seconds. Seen from the same machine, a parent is over when
its process is gone; seen from another, when it has been silent for `SILENCE` seconds (their clocks may differ a
little).
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
RUN = "run"  # trial attribute: the parent that holds the trial


@dataclass(frozen=True)
class Parent:
    """This process, as seen by the others that work on a study."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def attribute(self) -> str:
        """The study attribute that holds the heartbeat."""
        return PREFIX + self.id

    def heartbeat(self) -> dict[str, Any]:
        """Its machine, process and start, and the current time."""
        return {"host": host(), "pid": os.getpid(), "started": process_start(os.getpid()), "time": round(time.time())}


def is_over(heartbeat: Mapping[str, Any] | None, now: float) -> bool:
    """Whether the parent whose last heartbeat this is has ended. `now` is in seconds since 1970."""
    if heartbeat is None or heartbeat.get("over"):
        return True
    if heartbeat["host"] == host():
        return bool(process_start(heartbeat["pid"]) != heartbeat["started"])
    return bool(now - heartbeat["time"] > SILENCE)


def host() -> str:
    """Identifies this machine since its last boot, down to the container: the scope of a process number."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(re.sub(r"\D", "", os.readlink("/proc/self/ns/pid")))
    except OSError:
        parts.append(str(uuid.getnode()))  # not Linux: the network address distinguishes machines of the same name
    return "/".join(parts)


def process_start(pid: int) -> str | None:
    """When the process `pid` was started, in the system's format; None if it does not exist or is a zombie."""
    if Path("/proc/self/stat").exists():
        try:
            # After the name, which may contain spaces, the state is field 1 and the start time field 20.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None
