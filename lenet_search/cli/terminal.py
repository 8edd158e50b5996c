"""Output and number formats: tables and messages for people, one JSON object for programs."""

import json
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from lenet_search.storage import Patience

NARROWEST = 8  # minimum width of a text column, in characters
NARROWEST_TABLE = 60  # characters; narrower terminals wrap lines, which is better than losing a column
FILE_WIDTH = 140  # width of output to a file or a pipe, in characters


def console(*, stderr: bool = False) -> "Console":
    """A terminal that prints values verbatim: no markup in names, no automatic colors for numbers."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = FILE_WIDTH
    return made


def telling() -> "Patience":
    """Patience with a storage, which tells the person on stderr what it waits for."""
    from lenet_search.storage import Patience

    return Patience(lambda text: console(stderr=True).print(text, style="dim", soft_wrap=True))


def table(*columns: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> "Table":
    """An empty table. Columns in `right` are right-aligned, and those in `right` or `whole` are never wrapped."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        kept = column in (*right, *whole)
        made.add_column(column, justify=justify, overflow="fold", no_wrap=kept, min_width=None if kept else NARROWEST)
    return made


def show(out: "Console", title: str, content: "Table") -> None:
    """Print a table under its title."""
    out.print(f"\n{title}", style="bold")
    if out.width < NARROWEST_TABLE:
        content.width = NARROWEST_TABLE
    out.print(content, crop=False)


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object to stdout; NaN and infinity become null."""
    print(json.dumps(_finite(content), ensure_ascii=False), flush=True)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def number(value: Any) -> str:
    """A short text for a value: 0.00123, 3e-05, true, or sgd for "sgd"."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)
