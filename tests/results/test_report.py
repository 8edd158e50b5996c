import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

import numpy as np
import optuna
import pytest

from lenet_search.look.intervals import share_of
from lenet_search.results.best import complete_trials
from lenet_search.results.report import report_page
from lenet_search.results.verdict import verdict
from tests.results.conftest import drawn, trial_of

Make = Callable[..., optuna.Study]


class Page(HTMLParser):
    """What the page asks a browser to fetch, and its visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.text = ""
        self._hidden = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value for name, value in attrs if name in ("src", "href") and value]
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data


def test_the_page_fetches_nothing_and_holds_plotly_once(made_study: Make) -> None:
    text = report_page(made_study(30))
    assert Page(text).fetched == []
    assert text.count("Plotly.newPlot(") >= 5
    assert len(re.findall(r"plotly\.js v\d", text)) == 1


def test_the_page_begins_with_the_best_value_its_interval_and_n(made_study: Make) -> None:
    study = made_study(30)
    best = complete_trials(study)[0]
    text = Page(report_page(study)).text
    assert f"{100 * (best.value or 0):.2f} %" in text
    assert f"95 % interval {share_of(best.value or 0, 5000).bounds()} %, n = 5,000" in text
    assert "20 complete, 10 pruned, 0 failed" in text


def test_the_page_shows_the_best_recipe_as_a_study_file(made_study: Make) -> None:
    text = Page(report_page(made_study(30))).text
    assert "[optimizer]" in text
    assert re.search(r'name +=  *"cifar10"', text)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_study_without_trials_still_makes_a_page(made_study: Make, direction: str) -> None:
    assert "No trial is complete yet" in Page(report_page(made_study(0, direction=direction))).text


HOSTILE = (
    "<img src=x>",
    "</script><script>alert(1)</script>",
    "'\"onload=alert(1) x='",
    "&lt;b&gt;",
    "\u202e\u540d\n",
)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_studys_name_cannot_smuggle_in_markup(made_study: Make, name: str) -> None:
    text = report_page(made_study(3, name=name))
    assert tags(text) == tags(report_page(made_study(3, name="harmless")))
    assert " ".join(name.split()) in " ".join(Page(text).text.split())


def tags(text: str) -> list[str]:
    """All tags of a page with the names of their attributes; scripts count as one tag each."""
    return re.findall(r"<(\w+)(?=[ >])", re.sub(r"<script>.*?</script>", "<script>", text, flags=re.DOTALL))


def test_the_verdict_comes_before_the_pictures_and_these_before_the_tables(made_study: Make) -> None:
    study = made_study(30)
    text = report_page(study)
    places = [text.index(escape(sentence)) for sentence in verdict(study)]
    places += [text.index(part) for part in ('id="importance"', 'id="history"', 'id="parallel"', "as a study file")]
    assert places == sorted(places)


def test_a_quick_search_says_so_at_the_top_and_in_every_title(made_study: Make) -> None:
    study = made_study(0)
    study.add_trial(trial_of(drawn(np.random.default_rng(0)), 0.5, 0, **{"data.limit": 2000}))
    text = report_page(study)
    assert "<h1>Study cifar (quick)</h1>" in text
    assert "Quick check, not a result: only the first 2,000 training images were used." in text
    headings = re.findall(r"<h2>(.*?)</h2>", text)[:5]
    assert all(heading.endswith(" (quick)") for heading in headings), headings
    assert "quick" not in Page(report_page(made_study(3))).text


def test_a_page_is_smaller_than_6_megabytes(made_study: Make) -> None:
    assert len(report_page(made_study(300)).encode()) < 6e6
