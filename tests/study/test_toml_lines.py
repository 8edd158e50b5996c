import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lenet_search.study.toml_lines import Path, key_lines
from lenet_search.study.toml_text import key_text, value_text

EVERYTHING = (
    r'''# a comment with [brackets] and = signs
top = 1                     # line 2

[optimizer]                 # line 4
kind = { choices = ["sgd", "adam"] }
sgd.momentum = 0.9
'quoted "key"' = 7
"esc\u0041ped".inner = 8
[optimizer.adam]            # line 9
text = """
[not_a_table]
not_a_key = 1
ends with a quote""""
literal = '''
    + "'''"
    + r"""
also.no.key = 2
\'''
""".replace("\\'''", "'''")
    + r"""after = "a # no comment, \" quote, ] }"
[[start]]                   # line 18
a = [ # a comment, with ] in it
  1,
  [2, 3],
  { deep = true, deeper = { deepest = 1 } },
]
[start.inside]              # line 24
b = 1979-05-27 07:32:00
[[start]]                   # line 26
a = 'literal \'
[[start.nested]]            # line 28
c = -1e-5
[ spaced . "out" ]          # line 30
d=1
"""
)


def paths_of(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in items:
        yield from paths_of(inside, (*path, key))


def test_keys_of_every_kind_have_the_line_on_which_they_stand() -> None:
    lines = key_lines(EVERYTHING)
    expected: dict[Path, int] = {
        ("top",): 2,
        ("optimizer",): 4,
        ("optimizer", "kind"): 5,
        ("optimizer", "kind", "choices", 1): 5,
        ("optimizer", "sgd", "momentum"): 6,
        ("optimizer", 'quoted "key"'): 7,
        ("optimizer", "escAped", "inner"): 8,
        ("optimizer", "adam"): 9,
        ("optimizer", "adam", "text"): 10,
        ("optimizer", "adam", "literal"): 14,
        ("optimizer", "adam", "after"): 17,
        ("start", 0): 18,
        ("start", 0, "a"): 19,
        ("start", 0, "a", 1, 0): 21,
        ("start", 0, "a", 2, "deeper", "deepest"): 22,
        ("start", 0, "inside"): 24,
        ("start", 0, "inside", "b"): 25,
        ("start", 1): 26,
        ("start", 1, "nested", 0, "c"): 29,
        ("spaced", "out", "d"): 31,
    }
    assert {path: lines.get(path) for path in expected} == expected


def test_the_scan_finds_the_keys_that_tomllib_finds_and_no_others() -> None:
    assert set(key_lines(EVERYTHING)) == set(paths_of(tomllib.loads(EVERYTHING)))


def test_windows_line_ends_count_as_one() -> None:
    assert key_lines("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
VALUES = st.recursive(
    st.one_of(
        st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(st.characters(exclude_categories=["Cs"]))
    ),
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(KEYS, inside, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_whatever_is_written_reads_back_and_every_key_has_its_line(table: dict[str, Any]) -> None:
    text = "\n".join(f"{key_text(key)} = {value_text(value)}" for key, value in table.items())
    assert tomllib.loads(text) == table
    lines = key_lines(text)
    assert set(lines) == set(paths_of(table))
    assert [lines[(key,)] for key in table] == list(range(1, len(table) + 1))
