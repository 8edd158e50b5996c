"""Where people read: the console on standard output or standard error, and what becomes of text nobody reads."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from lenet_search.look.streams import is_watched, named, tolerant

FILE_WIDTH = 140  # width of output to a file or a pipe, in characters

# Characters that would move the cursor, change colors or turn text around: names in files of anyone may contain them.
CONTROLS = (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
HIDDEN = dict.fromkeys(CONTROLS)  # Rich counts them as no cells


class Terminal(Console):
    """A console on which no text can act, and whose errors name the stream that could not be written to."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render, as `Console.render` does, without the control characters of texts."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=segment.text.translate(HIDDEN))

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
