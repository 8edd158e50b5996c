"""What all tests share: quiet backends, an environment of its own, and a tiny data set that can be learned."""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from servers import SERVERS, Server

ROOT = Path(__file__).parents[1]
if not os.access(ROOT, os.W_OK):  # a checkout of somebody else: Hypothesis keeps its examples elsewhere
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir(), f"hypothesis-{os.getuid()}")))
# Ignored where the tests were started in the background, or by nohup; processes that they start would inherit that.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(number, handler)
# Before TensorFlow or JAX is imported, which read them once.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as `keras_settings` has it in every process of ours
# Most of what JAX's tests take is compiling, and many of them need the same programs.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".pytest_cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings neither help nor harm a test."""
    for name in ("LENET_SEARCH_DATA", "LENET_SEARCH_STORAGE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tiny_npz(tmp_path: Path) -> Path:
    """`tiny.npz` in `tmp_path`: 240 training and 60 test images, 32x32 grey pixels, three classes in equal parts.

    A class is the third of the image in which a bright bar lies, in noise: a small network learns it in a few epochs.
    """
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 240), ("test", 60)):
        labels = rng.permutation(np.arange(n) % 3).astype(np.uint8)
        images = rng.integers(0, 80, (n, 32, 32), dtype=np.uint8)
        for image, label, offset in zip(images, labels, rng.integers(0, 6, n), strict=True):
            top = 2 + 10 * int(label) + int(offset)
            image[top : top + 4] += 150
        arrays[f"x_{part}"], arrays[f"y_{part}"] = images, labels
    path = tmp_path / "tiny.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Server]]:
    """Gives a running server by its name in `servers.SERVERS`; it is started once for a process of the tests."""
    started: dict[str, Server] = {}

    def server(name: str) -> Server:
        if name not in started:
            started[name] = SERVERS[name]()
        if not started[name].runs:
            started[name].start()
        return started[name]

    yield server
    for each in started.values():
        each.close()
