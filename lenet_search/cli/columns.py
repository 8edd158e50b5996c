"""Tables on terminals of any width: no name and no number is ever cut, and no column is lost.

Columns keep their place from the left as long as there is room. The others go to lines of their own below each row:
text as it is, anything else after its heading.
"""

from dataclasses import dataclass
from itertools import accumulate

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

READABLE = 24  # characters of a text column; in less, lines get too short to read
GAP = 3  # spaces between two columns
INDENT = 4  # spaces before what stands below a row


@dataclass(frozen=True)
class Sized:
    """A column with the width it would like to have and the least it can do with, in characters."""

    column: Column
    cells: list[Text]
    least: int
    natural: int

    @property
    def heading(self) -> str:
        """The heading, in one line."""
        return " ".join(str(self.column.header).split())


def fitted(content: Table, width: int) -> RenderableType:
    """The table as it fits into `width` characters."""
    columns = [_sized(column, k, width) for k, column in enumerate(content.columns)]
    ends = list(accumulate(each.least + GAP for each in columns))
    beside = max(1, sum(end - GAP <= width for end in ends))
    _widen(columns[:beside], width)
    if beside == len(columns):
        return content
    return _two_parts(content, columns[:beside], columns[beside:])


def _sized(column: Column, place: int, width: int) -> Sized:
    cells = [cell if isinstance(cell, Text) else Text(str(cell)) for cell in column.cells]
    if column.no_wrap:
        column.header = _broken(str(column.header), max(map(_longest_line, cells), default=0))
    texts = [Text(str(column.header)), *cells]
    natural = max(map(_longest_line, texts))
    if column.no_wrap:
        return Sized(column, cells, natural, natural)
    word = max(cell_len(word) for text in texts for word in text.plain.split() or [""])
    least = min(word, width // 2) if place == 0 else max(READABLE, word)
    return Sized(column, cells, min(natural, least), natural)


def _longest_line(text: Text) -> int:
    return max(map(cell_len, text.plain.split("\n")))


def _broken(heading: str, room: int) -> str:
    """A heading in lines that are no longer than its column's cells, if its words allow that."""
    lines = [""]
    for word in heading.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


def _widen(columns: list[Sized], width: int) -> None:
    """Give each column its least width, and what is left to those that would like more, the most modest first."""
    spare = max(0, width - sum(each.least + GAP for each in columns) + GAP)
    wanting = sorted((each for each in columns if each.natural > each.least), key=lambda each: each.natural)
    for each in columns:
        each.column.width = each.least
    for k, each in enumerate(wanting):
        more = min(each.natural - each.least, spare // (len(wanting) - k))
        each.column.width = each.least + more
        spare -= more


def _two_parts(content: Table, beside: list[Sized], below: list[Sized]) -> Group:
    texts = [each.heading for each in below if not each.column.no_wrap]
    parts: list[RenderableType] = [_line(beside, [Text(str(each.column.header), "bold") for each in beside])]
    parts += [_below(Text("   ".join(texts), "bold"))] if texts else []
    parts += [Text("─" * (sum(each.column.width or 0 for each in beside) + GAP * (len(beside) - 1)))]
    for k, row in enumerate(content.rows):
        parts.append(_line(beside, [each.cells[k] for each in beside]))
        named = [(each.heading if each.column.no_wrap else "", each.cells[k]) for each in below]
        joined = Text("   ").join(Text(f"{head}: " if head else "").append_text(cell) for head, cell in named if cell)
        parts += [_below(joined)] if joined else []
        parts += [""] if row.end_section else []
    return Group(*parts)


def _line(columns: list[Sized], cells: list[Text]) -> Table:
    line = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for each in columns:
        line.add_column(justify=each.column.justify, width=each.column.width, overflow="fold")
    line.add_row(*cells)
    return line


def _below(text: Text) -> Padding:
    return Padding(Text(" ").join(text.split("\n")), (0, 0, 0, INDENT))
