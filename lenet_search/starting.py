"""Importing the backend, which takes seconds and prints messages that no environment variable turns off."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

DEBUG = "LENET_SEARCH_DEBUG"  # variable that lets messages and tracebacks through


def start_backend() -> None:
    """Import Keras with TensorFlow or JAX, without their messages about processor features and missing GPUs.

    Raises:
        RunError: Keras is configured for another backend, or for one that is not installed.
    """
    if "keras" in sys.modules or os.environ.get(DEBUG):
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for those that come later
    with _silence():
        import lenet_search.engine.backend  # noqa: F401


@contextmanager
def _silence() -> Iterator[None]:
    """Hold back what is written to file descriptor 2, below Python. After an error, it is shown after all."""
    try:
        sys.stderr.flush()
        before = os.dup(2)
    except (AttributeError, OSError, ValueError):  # a program without standard error shows nothing anyway
        yield
        return
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            messages.seek(0)
            os.write(before, messages.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)
