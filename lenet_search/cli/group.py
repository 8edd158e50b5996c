"""How a command ends: its errors as one plain message on stderr, and as JSON where that was asked for; no traceback."""

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from lenet_search import keras_settings
from lenet_search.cli import answer
from lenet_search.cli.output import end_output, prepare_output
from lenet_search.crew.signals import Stopped, interruptible
from lenet_search.errors import LenetSearchError
from lenet_search.quiet import DEBUG

SIGNALLED = 128  # higher exit codes mean a signal: the user stopped the command, and nothing went wrong
CLOSED_PIPE = SIGNALLED + 13  # the exit code of a command whose reader has gone, as the shell gives it for SIGPIPE


class Commands(TyperGroup):
    """The group of all commands. It catches every exception of a command, unless `LENET_SEARCH_DEBUG=1`."""

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, complete_var: str | None = None,
        standalone_mode: bool = True, windows_expand_args: bool = True, **extra: Any,
    ) -> Any:  # fmt: skip
        """Run the command line, leave its output in order, and exit."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode, windows_expand_args, **extra)
        prepare_output()
        answer.expect(sys.argv[1:] if args is None else args)
        code: Any = 0
        try:
            with interruptible():
                super().main(args, prog_name, complete_var, True, windows_expand_args, **extra)
        except SystemExit as end:  # Rich and Typer end with 1 where their output has no reader
            code = CLOSED_PIPE if isinstance(end.__context__, BrokenPipeError) else end.code
        except KeyboardInterrupt as error:
            code = _exit_code(error)
        except OSError as error:  # help that cannot be written
            complain(_in_words(error))
            code = 1
        failed = end_output()
        if failed is not None and not code:
            code = CLOSED_PIPE if isinstance(failed, BrokenPipeError) else 1
        sys.exit(code)

    def make_context(self, *args: Any, **named: Any) -> Any:
        """Parse the options before the command."""
        try:
            return super().make_context(*args, **named)
        except typer.TyperException as error:
            answer.error("UsageError", error.format_message())
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            typer.Exit: with the exit code of the error.
        """
        if not os.environ.get(DEBUG):  # silence TensorFlow's messages about the CPU and missing GPUs
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        keras_settings.set_aside()
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            answer.error("UsageError", error.format_message())
            raise
        except (typer.Exit, typer.Abort, EOFError):
            raise
        except KeyboardInterrupt as error:
            _end("Interrupted", "Interrupted.", _exit_code(error))
        except BrokenPipeError:
            raise typer.Exit(CLOSED_PIPE) from None
        except LenetSearchError as error:
            if os.environ.get(DEBUG):
                raise
            _end(type(error).__name__, str(error), error.exit_code)
        except OSError as error:  # a full disk, a path that is too long: the system's message says it
            if os.environ.get(DEBUG):
                raise
            _end("OSError", _in_words(error), 1)
        except Exception as error:
            if os.environ.get(DEBUG):
                raise
            what = " ".join(f"{type(error).__name__}: {error}".split())[:500]
            bug = f"{what}\nThis is a bug. Run the command with {DEBUG}=1 to see the traceback."
            _end("InternalError", bug, 1)


def _exit_code(error: KeyboardInterrupt) -> int:
    return SIGNALLED + (error.signal if isinstance(error, Stopped) else 2)


def _in_words(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else reason


def _end(kind: str, message: str, code: int) -> NoReturn:
    answer.error(kind, message)
    complain(message, "" if code > SIGNALLED else "Error: ")
    raise typer.Exit(code) from None


def complain(message: str, label: str = "Error: ") -> None:
    """Print an error to stderr verbatim: without interpreting markup or wrapping lines."""
    from rich.text import Text

    from lenet_search.look.console import Audience, console

    parts = (label, "bold red"), "\n" if label and "\n" in message else "", message
    out = console(stderr=True)
    Audience().show(lambda: out.print(Text.assemble(*parts), soft_wrap=True))
