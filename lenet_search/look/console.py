"""Where people read: the console on standard output or standard error, and what becomes of text nobody reads."""

import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from rich.console import Console

from lenet_search.look.streams import is_watched, named, tolerant

FILE_WIDTH = 140  # width of output to a file or a pipe, in characters


class Terminal(Console):
    """A console whose errors name the stream that could not be written to."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, as `Console.print` does."""
        with named(self.file):
            super().print(*objects, **options)

    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the command: Rich would end the process here."""
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A terminal that prints values verbatim: no markup in names, no automatic colors for numbers."""
    tolerant(sys.stderr if stderr else sys.stdout)
    made = Terminal(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not (made.is_jupyter or is_watched(made.file) or os.environ.get("COLUMNS", "").isdigit()):
        made.width = FILE_WIDTH
    return made


class Audience:
    """Who reads what a view prints, as long as somebody does.

    `gone` is set when the reader has closed the pipe (`| head`): the command should end. Output that fails otherwise
    (a full disk, a terminal that was closed) is no reason to stop training: nothing more is printed.
    """

    def __init__(self) -> None:
        self.gone = False
        self._lost = False

    def show(self, printing: Callable[[], None]) -> None:
        """Print, unless that has failed before."""
        if self._lost:
            return
        try:
            printing()
        except BrokenPipeError:
            self.gone = self._lost = True
        except OSError:
            self._lost = True
