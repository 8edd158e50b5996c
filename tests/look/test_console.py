"""What people read: names come from files of anyone."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from lenet_search.look.console import Terminal

STRANGE = "a\x1b[31mb\x9b1mc\u202ed\re\x07"
SHOWN = "a[31mb1mcde"


def table(text: str) -> Table:
    made = Table(text)
    made.add_row(text)
    return made


@pytest.mark.parametrize("made", [str, Text, table], ids=["string", "text", "table"])
@pytest.mark.parametrize("terminal", [False, True])
def test_no_name_can_act_on_the_terminal(made, terminal):
    out = Terminal(file=io.StringIO(), force_terminal=terminal, color_system=None, width=60, markup=False)
    out.print(made(STRANGE))
    text = out.file.getvalue()
    assert SHOWN in text
    assert not set(text) & set("\x1b\x9b\u202e\r\x07")


def test_colors_and_lines_of_the_program_s_own_stay():
    out = Terminal(file=io.StringIO(), force_terminal=True, color_system="standard", width=60)
    out.print(Text("red\nlines", "red"))
    assert out.file.getvalue() == "\x1b[31mred\x1b[0m\n\x1b[31mlines\x1b[0m\n"
