import re

from lenet_search.look.sortable import Cell, sortable_table

ROWS = [[Cell("0", 0), Cell("<b>a</b>"), Cell("61.20", 0.612)], [Cell("1", 1), Cell("b"), Cell("-")]]
TABLE = sortable_table("trials", ("trial", "state", "<value>"), ROWS, frozenset({0, 2}))


def test_every_heading_is_a_button_and_the_first_column_is_sorted() -> None:
    assert re.findall(r'<th scope="col" aria-sort="(\w+)"', TABLE) == ["ascending", "none", "none"]
    assert TABLE.count('<button type="button">') == 3
    assert "&lt;value&gt;</button>" in TABLE


def test_numbers_sort_by_their_full_value_and_unknown_ones_have_an_empty_key() -> None:
    assert re.findall(r'data-key="([^"]*)"', TABLE) == ["0", "0.612", "1", ""]


def test_texts_have_no_key_and_cells_are_html() -> None:
    assert '<td data-label="state"><div><b>a</b></div></td>' in TABLE


def test_the_filter_is_labelled_and_says_how_many_rows_there_are() -> None:
    (place,) = re.findall(r'<label for="([^"]+)">Show trials', TABLE)
    assert f'<input id="{place}"' in TABLE
    assert re.search(r'<output[^>]*aria-live="polite">2 of 2</output>', TABLE)
