"""How errors reach the user: one plain message on stderr and an exit code, no traceback."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from lenet_search.errors import LenetSearchError

DEBUG = "LENET_SEARCH_DEBUG"
SIGNALLED = 128  # exit codes above it are a signal's: the user ended the command, nothing went wrong


class Commands(TyperGroup):
    """The group of all commands; what a command raises ends here. `LENET_SEARCH_DEBUG=1` lets it through."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: with the exit code of the error that came up.
        """
        if not os.environ.get(DEBUG):  # TensorFlow tells everybody about the CPU, and about GPUs that are not there
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
        except OSError as error:  # a full disk, a path that is too long: the system's own words say what
            if os.environ.get(DEBUG):
                raise
            reason = (error.strerror or str(error)).lower()
            complain(f"{error.filename}: {reason}" if error.filename else reason)
            raise typer.Exit(1) from None
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            what = " ".join(f"{type(error).__name__}: {error}".split())
            complain(f"{what[:500]}\nThis should not happen. {DEBUG}=1 in front of the command shows where it did.")
            raise typer.Exit(1) from None


def complain(message: str, label: str = "Error: ") -> None:
    """Print an error on stderr, as it stands: brackets in a message are no markup, and no line is broken."""
    if sys.stderr is None:  # closed by the caller, who wants the exit code alone
        return
    from rich.console import Console
    from rich.text import Text

    parts = (label, "bold red"), "\n" if label and "\n" in message else "", message
    Console(stderr=True, highlight=False).print(Text.assemble(*parts), soft_wrap=True)
    sys.stderr.flush()
