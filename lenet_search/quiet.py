"""Silence for packages that print messages when they are imported, which no environment variable turns off."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

DEBUG = "LENET_SEARCH_DEBUG"  # variable that lets messages and tracebacks through


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what is written to file descriptor 2, below Python. After an error, it is shown after all."""
    if os.environ.get(DEBUG):
        yield
        return
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
