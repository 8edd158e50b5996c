"""The standard streams of a command: what they are given at the start, and whether it has arrived at the end."""

import contextlib
import os
import sys

from lenet_search.look.streams import tolerant


def prepare_output() -> None:
    """Have both streams print plain characters for those their encoding lacks: help, tables and errors alike."""
    columns = os.environ.get("COLUMNS", "")
    if not columns.isdecimal() or not int(columns):  # no width: Rich takes 0 at its word
        os.environ.pop("COLUMNS", None)
    tolerant(sys.stdout)
    tolerant(sys.stderr)


def end_output() -> OSError | None:
    """Write what is waiting in the streams. Returns the error if that fails; Python would end with a traceback."""
    failed = _flushed(sys.stdout)
    if failed is not None and not isinstance(failed, BrokenPipeError):
        with contextlib.suppress(OSError):
            print(f"Error: standard output: {(failed.strerror or str(failed)).lower()}", file=sys.stderr)
    return failed or _flushed(sys.stderr)


def _flushed(stream: object) -> OSError | None:
    """The error of writing what waits in a stream, which is dropped; None if there is none."""
    try:
        stream.flush()  # type: ignore[attr-defined]
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
        os.close(nowhere)
        return error
    except (AttributeError, ValueError):  # no stream, or a closed one
        pass
    return None
