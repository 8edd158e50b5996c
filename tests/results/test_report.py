import re
from collections.abc import Callable
from html.parser import HTMLParser

import optuna
import pytest

from lenet_search.look.intervals import share_of
from lenet_search.results.best import complete_trials
from lenet_search.results.report import report_page

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


def test_a_studys_name_cannot_smuggle_in_markup(made_study: Make) -> None:
    assert "<img src=x>" not in report_page(made_study(3, name="<img src=x>"))
