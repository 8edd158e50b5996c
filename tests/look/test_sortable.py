import re

from lenet_search.look.sortable import sortable_table

ROWS = [["0", "<b>a</b>", "61.20"], ["1", "b", "-"]]
TABLE = sortable_table("trials", ("trial", "state", "<value> (%)"), ROWS, frozenset({0, 2}))


def test_every_heading_is_a_button_and_the_first_column_is_sorted() -> None:
    assert re.findall(r'<th scope="col" aria-sort="(\w+)"', TABLE) == ["ascending", "none", "none"]
    assert TABLE.count('<button type="button">') == 3
    assert "&lt;value&gt; (%)</button>" in TABLE


def test_columns_of_numbers_are_marked_in_their_heading() -> None:
    assert re.findall(r'<th[^>]*?( class="number")?><button', TABLE) == [' class="number"', "", ' class="number"']


def test_cells_are_html_and_their_titles_for_narrow_screens_are_stated_once() -> None:
    assert "<tr><td>0</td><td><b>a</b></td><td>61.20</td></tr>" in TABLE
    assert '.rows td:nth-child(2)::before { content: "state"; }' in TABLE
    assert r'content: "\3c value\3e  \28 \25 \29 "' in TABLE


def test_the_filter_is_labelled_and_says_how_many_rows_there_are() -> None:
    (place,) = re.findall(r'<label for="([^"]+)">Show trials', TABLE)
    assert f'<input id="{place}"' in TABLE
    assert re.search(r'<output[^>]*aria-live="polite">2 of 2</output>', TABLE)
