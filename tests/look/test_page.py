import json
import re
from html import escape, unescape

import plotly.graph_objects as go
import pytest

from lenet_search.look.page import (
    TITLE,
    anchor,
    card,
    contents,
    data_table,
    file_text,
    heading,
    key_figures,
    page,
    part,
    picture,
)
from lenet_search.look.quick import Quick, images_left_out
from lenet_search.look.theme import name_text, titled


def test_the_title_of_a_figure_becomes_text_that_wraps() -> None:
    text = picture("a", titled(go.Figure(), "A title", "How to read it"))
    assert '<h2>A title</h2><p class="reading">How to read it</p>' in text
    assert "A title" not in re.search(r"Plotly.newPlot\(.*", text, re.DOTALL)[0]  # type: ignore[index]


def test_a_wide_figure_scrolls_inside_its_section() -> None:
    text = picture("a", titled(go.Figure(), "A", "").update_layout(meta={"min_width": 777}))
    assert '<div class="wide"><div style="min-width: 777px">' in text


@pytest.mark.parametrize("name", ['"><script>alert(1)</script>', "a b/c\\d", "名", "\udcff", ""])
def test_an_id_is_of_letters_digits_and_hyphens(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]+", anchor(name))
    assert f'id="{anchor(name)}"' in picture(name, titled(go.Figure(), "A", ""))


def test_a_page_can_be_written_whatever_a_files_name_was() -> None:
    page("a\udcff", ["<p>b\udcff</p>"]).encode("utf-8")


def test_a_quick_check_is_named_before_the_verdict() -> None:
    title, warning, answer, _, lead = heading("Study", Quick.check("2 epochs", "", "1 seed"), ["Answer."], "About.")
    assert title == "<h1>Study (quick)</h1>"
    assert warning == '<p class="quick">Quick check, not a result: 2 epochs; 1 seed.</p>'
    assert answer == '<p class="verdict"><b>Answer.</b></p>'
    assert lead == '<p class="lead">About.</p>'


def test_what_is_whole_has_no_mark() -> None:
    for whole in (Quick(), Quick.check(""), Quick.few_seeds(5, 5), Quick.few_seeds(8, 5)):
        assert not whole
        assert whole.title("Study") == "Study"
        assert heading("Study", whole, ["Answer."], "")[1] == ""


@pytest.mark.parametrize(
    ("seeds", "warning"),
    [
        (1, "Only 1 seed instead of 5, which does not show how much seeds differ."),
        (4, "Only 4 seeds instead of 5, so the intervals are wide."),
    ],
)
def test_few_seeds_are_named(seeds: int, warning: str) -> None:
    assert Quick.few_seeds(seeds, 5).warning == warning


@pytest.mark.parametrize(
    ("limit", "why"), [(0, ""), (1000, "only the first 1,000 training images were used"), (1001, "")]
)
def test_a_limit_that_leaves_no_image_out_is_none(limit: int, why: str) -> None:
    assert images_left_out(limit, {"train": 900, "validation": 100}) == why


@pytest.mark.parametrize("name", ["<img src=x>", "&lt;b&gt;", "a & b", "&amp;"])
def test_a_figures_title_is_text_on_a_page_whether_or_not_it_was_escaped_for_plotly(name: str) -> None:
    raw = picture("a", titled(go.Figure(), "<img src=x>", "<script>alert(1)</script>"))
    assert "<img" not in raw.split("<div")[0] and "<script" not in raw.split("<div")[0]
    told = picture("a", titled(go.Figure(), name_text(name), ""))
    assert f"<h2>{escape(name)}</h2>" in told


def test_the_contents_link_to_the_parts_of_a_page() -> None:
    links = re.findall(r'href="#([^"]+)">(.*?)</a>', contents(["A & b", "C"]))
    assert links == [("part-1", "1. A &amp; b"), ("part-2", "2. C")]
    made = part(2, "C", [card("<D>", "<p>e</p>")])
    assert made.startswith('<div class="part" id="part-2"><h2>2. C</h2>')
    assert "<section><h3>&lt;D&gt;</h3><p>e</p></section>" in made


def test_paper_may_divide_a_long_card_only() -> None:
    assert card("a", "", long=True).startswith('<section class="long">')
    assert "section.long { break-inside: auto; }" in page("a", [])


def test_texts_of_figures_and_files_are_escaped() -> None:
    assert "<b>&lt;1&gt;</b><span>&lt;2&gt;</span><span>&lt;3&gt;</span>" in key_figures([("<1>", "<2>", "<3>")])
    paragraphs = "<pre><span>[a]\nb = &lt;\n\n</span><span>[c]\n\n</span></pre>"
    assert file_text("[a]\nb = <\n\n[c]\n") == paragraphs


def test_a_cell_carries_the_title_of_its_column_for_narrow_screens_and_a_fact_its_heading() -> None:
    assert '<td class="number" data-label="a&amp;b"><div>1</div></td>' in data_table(["a&b"], [["1"]], frozenset({0}))
    assert data_table((), [("n", "1")], facts=True).count('<th scope="row">n</th><td>1</td>') == 1


def test_a_figure_with_a_layout_for_narrow_screens_carries_the_wide_one_to_go_back_to() -> None:
    narrow = {"height": 900, "yaxis.domain": [0.0, 0.5]}
    figure = titled(go.Figure(), "A", "", height=500).update_layout(meta={"min_width": 640, "narrow": narrow})
    figure.update_yaxes(domain=[0.1, 1.0])
    text = picture("a", figure)
    (both,) = re.findall(r'data-narrow="([^"]*)"', text)
    assert json.loads(unescape(both)) == {
        "below": 640,
        "narrow": narrow,
        "wide": {"height": 500 - TITLE, "yaxis.domain": [0.1, 1.0]},
    }
    assert "min-width: 300px" in text and "scrolls sideways" not in text
    assert "scrolls sideways" in picture("a", figure.update_layout(meta={"min_width": 640}))
