"""How errors reach the user: one plain message on stderr and an exit code, no traceback."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from lenet_search.errors import LenetSearchError

DEBUG = "LENET_SEARCH_DEBUG"
SIGNALLED = 128  # higher exit codes mean a signal: the user stopped the command, and nothing went wrong


class Commands(TyperGroup):
    """The group of all commands. It catches every exception of a command, unless `LENET_SEARCH_DEBUG=1`."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: with the exit code of the error.
        """
        if not os.environ.get(DEBUG):  # silence TensorFlow's messages about the CPU and missing GPUs
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, EOFError, BrokenPipeError):
            raise  # Typer's own: usage errors, --help, a closed pipe
        except LenetSearchError as error:
            if os.environ.get(DEBUG):
                raise
            complain(str(error), "" if error.exit_code > SIGNALLED else "Error: ")
            raise typer.Exit(error.exit_code) from None
        except OSError as error:  # a full disk, a path that is too long: the system's message says it
            if os.environ.get(DEBUG):
                raise
            reason = (error.strerror or str(error)).lower()
            complain(f"{error.filename}: {reason}" if error.filename else reason)
            raise typer.Exit(1) from None
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            what = " ".join(f"{type(error).__name__}: {error}".split())
            complain(f"{what[:500]}\nThis is a bug. Run the command with {DEBUG}=1 to see the traceback.")
            raise typer.Exit(1) from None


def complain(message: str, label: str = "Error: ") -> None:
    """Print an error to stderr verbatim: without interpreting markup or wrapping lines."""
    if sys.stderr is None:  # closed by the caller, who wants only the exit code
        return
    from rich.console import Console
    from rich.text import Text

    parts = (label, "bold red"), "\n" if label and "\n" in message else "", message
    Console(stderr=True, highlight=False).print(Text.assemble(*parts), soft_wrap=True)
    sys.stderr.flush()
