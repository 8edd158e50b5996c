"""Parents: the processes that work on a study. A parent signs its trials and sends heartbeats.

A heartbeat is a study attribute, written every `HEARTBEAT` seconds. Seen from the same machine, a parent is over when
its process is gone; seen from another, when it has been silent for `SILENCE` seconds. Clocks may differ and jump, so
nobody is believed to be silent who has not been watched for `CONFIRM` seconds.
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

from optuna.trial import FrozenTrial, TrialState

from lenet_search.storage.trials import noted

HEARTBEAT = 30.0  # seconds
SILENCE = 180.0  # seconds
CONFIRM = 40.0  # seconds
PREFIX = "lenet-search run "
RUN = "run"  # noted of a trial: the parent that holds it
ENDED: set[str] = set()  # parents of this process that have ended: a storage that was gone may not know it


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


FAR = 2**53  # seconds


def is_over(heartbeat: Mapping[str, Any] | None, now: float, watched: float = 0.0) -> bool:
    """Whether the parent whose last heartbeat this is has ended.

    Args:
        heartbeat: None if it never sent any
        now: seconds since 1970
        watched: seconds for which this heartbeat has been the last one, by this process's own clock
    """
    if heartbeat is None or not _is_whole(heartbeat) or heartbeat.get("over"):
        return True
    if heartbeat["host"] == host():
        return bool(process_start(heartbeat["pid"]) != heartbeat["started"])
    return watched >= (CONFIRM if is_silent(heartbeat, now) else SILENCE)


def is_silent(heartbeat: Mapping[str, Any], now: float) -> bool:
    """Whether a heartbeat of another machine is old, if that machine's clock is right."""
    return _is_whole(heartbeat) and heartbeat["host"] != host() and now - float(heartbeat["time"]) > SILENCE


def _is_whole(heartbeat: Any) -> bool:
    """Whether a heartbeat is one, and not what a damaged storage has made of it."""
    if not isinstance(heartbeat, Mapping) or not isinstance(heartbeat.get("host"), str):
        return False
    whole = isinstance(heartbeat.get("pid"), int) and "started" in heartbeat
    return whole and isinstance(heartbeat.get("time"), int | float) and abs(heartbeat["time"]) < FAR


def is_run_elsewhere(trial: FrozenTrial) -> bool:
    """Whether a trial is run by another tool: a parent signs its trials before it draws their parameters."""
    return trial.state == TrialState.RUNNING and noted(trial, RUN) is None and bool(trial.params)


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
    """When the process `pid` was started, in the system's format; None if it does not exist or is a zombie.

    The answer does not depend on who asks: `ps` prints local time in the language of its environment.
    """
    if Path("/proc/self/stat").exists():
        try:
            # After the name, which may contain spaces, the state is field 1 and the start time field 20.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    command = ["ps", "-o", "state=", "-o", "lstart=", "-p", str(pid)]
    neutral = {**os.environ, "LC_ALL": "C", "TZ": "UTC0"}
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=False, env=neutral).stdout.strip()
    except OSError:  # no `ps`: a number that is in use is taken for the same process
        return "exists" if _exists(pid) else None
    return None if not shown or shown.startswith("Z") else shown.split(maxsplit=1)[1]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
