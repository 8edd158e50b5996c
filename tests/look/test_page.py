import re
from html import escape

import plotly.graph_objects as go
import pytest

from lenet_search.look.page import anchor, heading, page, picture
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
