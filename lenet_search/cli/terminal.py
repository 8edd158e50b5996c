"""What commands print with: a console and tables for people, one JSON object for programs."""

from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lenet_search.cli.answer import print_json
from lenet_search.look.console import console

__all__ = ["console", "number", "print_json", "show", "table"]

NARROWEST = 8  # minimum width of a text column, in characters
NARROWEST_TABLE = 60  # characters; narrower terminals wrap lines, which is better than losing a column


def table(*columns: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """An empty table. Columns in `right` are right-aligned, and those in `right` or `whole` are never wrapped."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        kept = column in (*right, *whole)
        made.add_column(column, justify=justify, overflow="fold", no_wrap=kept, min_width=None if kept else NARROWEST)
    return made


def show(out: Console, title: str, content: Table) -> None:
    """Print a table under its title."""
    out.print(f"\n{title}", style="bold")
    if out.width < NARROWEST_TABLE:
        content.width = NARROWEST_TABLE
    out.print(content, crop=False)


def number(value: Any) -> str:
    """A short text for a value: 0.00123, 3e-05, true, or sgd for "sgd"."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
