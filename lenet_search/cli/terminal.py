"""What commands print with: a console and tables for people, one JSON object for programs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lenet_search.cli.answer import print_json
from lenet_search.cli.columns import fitted
from lenet_search.look.console import Audience, console
from lenet_search.look.streams import is_watched, tolerant

if TYPE_CHECKING:
    from lenet_search.storage import Patience

__all__ = ["console", "number", "print_json", "show", "table", "telling", "working"]

PATIENCE = 2.0  # seconds without a word that are no cause for worry


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show what takes seconds: a spinner on a terminal, elsewhere a line on standard error if it takes more than two.

    It has a descriptor of its own, because the backend's messages are kept off standard error while it starts.
    """
    with os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding) as stream:
        tolerant(stream)
        out = Console(file=stream, highlight=False, markup=False, emoji=False)
        if is_watched(stream) and out.is_interactive:
            with out.status(Text(text)):
                yield
            return
        line = Timer(PATIENCE, lambda: Audience().show(lambda: out.print(f"{text} ...", soft_wrap=True)))
        line.daemon = True
        line.start()
        try:
            yield
        finally:
            line.cancel()
            line.join()


def telling() -> "Patience":
    """Patience with a storage, which tells the person on stderr what it waits for."""
    from lenet_search.storage import Patience

    return Patience(lambda text: console(stderr=True).print(text, style="dim", soft_wrap=True))


def table(*columns: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """An empty table. Columns in `right` are right-aligned, and those in `right` or `whole` are never wrapped."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, justify=justify, overflow="fold", no_wrap=column in (*right, *whole))
    return made


def show(out: Console, title: str, content: Table) -> None:
    """Print a table under its title, as it fits the terminal."""
    out.print(f"\n{title}", style="bold")
    out.print(fitted(content, out.width), crop=False)
    out.print()


def number(value: Any) -> str:
    """A short text for a value: 0.00123, 3e-05, true, or sgd for "sgd"."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
