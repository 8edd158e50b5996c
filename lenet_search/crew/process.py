"""A worker's process on this machine: its start, its environment, the pipe to it, and its end."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing import Pipe
from pathlib import Path
from types import MappingProxyType

from lenet_search.crew.launcher import Death
from lenet_search.crew.messages import Orders, Setup
from lenet_search.crew.places import Place

PACKAGE = Path(__file__).parents[1]
# Imports this very package, though another may be installed, and what it needs from where Python finds it: the standard
# library comes before other packages. The folder of the package is the last place to look.
START = """
import importlib.util, os, sys
sys.path.append(os.path.dirname(sys.argv[1]))
spec = importlib.util.spec_from_file_location("lenet_search", os.path.join(sys.argv[1], "__init__.py"))
sys.modules["lenet_search"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["lenet_search"])
from lenet_search.crew.worker import main
main(int(sys.argv[2]))
"""
# A warning is no error in a worker, and nobody looks into it when it ends.
NOT_FOR_WORKERS = frozenset({"PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONSTARTUP"})
RESULTS_DEPEND_ON = ("KERAS_BACKEND", "TF_", "XLA_FLAGS", "JAX_ENABLE_", "JAX_DEFAULT_")


class Process:
    """Starts a worker, as a plain subprocess: scripts and notebooks need no `__main__` guard.

    Args:
        place: the worker's device
        log: file for its output, including TensorFlow's or JAX's
        environment: variables that differ from this process's
    """

    def __init__(self, place: Place, log: Path, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self._log = log
        self.pipe, theirs = Pipe()
        with log.open("ab") as output, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(PACKAGE), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.PIPE,  # closes when this process ends; a byte asks the worker to freeze and leave
                stdout=output,
                stderr=output,
                env={**_environment(), **environment, **place.environment()},
                start_new_session=True,  # only the parent handles Ctrl-C
            )

    def send(self, message: Setup | Orders) -> None:
        """Send a message.

        Raises:
            OSError: the worker has died.
        """
        self.pipe.send(message)

    def ask_to_leave(self) -> None:
        """Ask the worker to freeze its runs and leave. Its last message is a `Froze`."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(b"!")
            self._process.stdin.flush()

    def kill(self) -> None:
        """End the process now, without saving anything."""
        self._process.kill()
        self._process.wait()
        self.pipe.close()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # the worker may have left a byte unread
            self._process.stdin.close()

    def death(self) -> Death:
        """Why the worker died: the signal that killed it, or the last line of its log."""
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return Death("a worker stopped responding")
        if code < 0:
            return Death(f"a worker was killed by {signal.Signals(-code).name}" + _memory_hint(-code))
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return Death(f"a worker failed: {lines[-1][:300]}" if lines else f"a worker exited with code {code}")


def settings() -> dict[str, str]:
    """The variables of this process's environment on which results depend, for workers on other machines."""
    environment = {name: value for name, value in _environment().items() if name.startswith(RESULTS_DEPEND_ON)}
    return {"KERAS_BACKEND": "tensorflow"} | environment


def _environment() -> dict[str, str]:
    """This process's environment, without what would change how Python runs a worker.

    Folders of PYTHONPATH are kept, unless they are relative: the working folder may hold a `random.py` or `queue.py`.
    """
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_WORKERS}
    folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(folder)]
    environment |= {"PYTHONPATH": os.pathsep.join(folders), "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    environment["PYTHONUTF8"] = "1"  # TensorFlow dies of names of its callers' files that are not text in the C locale
    if (keras := sys.modules.get("keras")) is not None:  # a notebook may have chosen by keras.config
        environment["KERAS_BACKEND"] = keras.config.backend()
    return environment


def _memory_hint(number: int) -> str:
    return " (out of memory?)" if number == signal.SIGKILL else ""
