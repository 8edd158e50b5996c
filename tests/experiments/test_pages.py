import json
import re
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from lenet_search.experiments.compare import compare
from lenet_search.experiments.pages import training_page, write_comparison, write_page
from lenet_search.experiments.result import Result
from lenet_search.experiments.tables import verdict
from lenet_search.experiments.train import Training
from lenet_search.recipe import Recipe
from lenet_search.study import Claim
from tests.experiments.made import RECIPE, result, run, unvalidated

RESULTS = [
    result("good", (900, 920, 910), Claim("Somebody 1998.", 0.9, note="A note.", comparisons=("both",))),
    result("bad <b>", (800, 790, 795), Claim("Somebody else.", 0.9, comparisons=("both",))),
]
HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(1)'>&amp;lt;%{x}\u202e\udcff"


@pytest.fixture(autouse=True)
def light_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without plotly's code, which takes 4.8 MB of each page; tests/results/test_report.py looks for it."""
    monkeypatch.setattr("lenet_search.look.page.get_plotlyjs", lambda: "")


def quick(made: Result) -> Result:
    """The same result, as a quick check."""
    recipe = Recipe.from_values(RECIPE.values() | {"data.limit": 1200})
    return replace(made, task=replace(made.task, quick=True, recipe=recipe))


def tags(text: str) -> list[str]:
    """All tags of a page but line breaks; scripts count as one tag each."""
    return re.findall(r"<(?!br)(\w+)(?=[ >])", re.sub(r"<script.*?</script>", "<script>", text, flags=re.DOTALL))


def test_the_page_stands_alone_and_has_all_pictures(tmp_path: Path) -> None:
    page = write_page(RESULTS, tmp_path).read_text()
    assert "Reported accuracy, and ours" in page
    assert "Error by epoch on digits" in page
    assert "Comparison: both" in page
    assert "What good is; " in page
    assert "bad &lt;b&gt;" in page
    assert 'src="http' not in page


def test_the_verdict_comes_before_the_pictures_and_these_before_the_table(tmp_path: Path) -> None:
    page = write_page(RESULTS, tmp_path).read_text()
    answers = [*verdict(RESULTS), "Comparison both: good is better than bad <b>, by"]
    parts = [*map(escape, answers), 'id="figure-0"', 'id="comparison-0"', 'id="course-1"', "<h2>All figures</h2>"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_a_comparison_is_written_as_a_page_and_for_programs(tmp_path: Path) -> None:
    both = compare("both", RESULTS, "val_accuracy")
    machine, page = write_comparison(both, tmp_path / "new")
    answer = json.loads(machine.read_text())
    assert (answer["metric"], answer["verdict"]) == ("val_accuracy", both.verdict())
    text = page.read_text()
    assert "validation accuracy by seed" in text
    assert text.index(escape(both.verdict()[0])) < text.index('id="comparison"') < text.index("<h2>Paired differences")


def test_a_quick_check_says_so_at_the_top_and_in_every_title(tmp_path: Path) -> None:
    results = [quick(each) for each in RESULTS]
    both = compare("both", results, "val_accuracy")
    pages = [
        write_page(results, tmp_path).read_text(),
        write_comparison(both, tmp_path)[1].read_text(),
        training_page(results[0], "good, 3 seeds"),
    ]
    for page in pages:
        assert re.search(r"<h1>[^<]* \(quick\)</h1>\s*<p class=\"quick\">Quick check, not a result: ", page)
        assert re.search(r"<title>[^<]* \(quick\) ", page)
        pictures = re.findall(r'<h2>([^<]*)</h2>(?:<p class="reading[^>]*>[^<]*</p>)*<div class="wide"><div', page)
        assert pictures and all(heading.endswith(" (quick)") for heading in pictures), pictures
    assert json.loads((tmp_path / "compare-both.json").read_text())["quick"]


def test_fewer_seeds_than_usual_are_named_in_the_titles(tmp_path: Path) -> None:
    page = write_page([result("a", (900, 910))], tmp_path).read_text()
    assert "<h1>Published recipes, reproduced (2 seeds)</h1>" in page
    assert "Only 2 seeds instead of 5" in page
    page = write_page([result("a", (900, 910, 905, 903, 902))], tmp_path).read_text()
    assert "<h1>Published recipes, reproduced</h1>" in page
    assert "instead of" not in page.split("<h1>")[1]


def test_a_name_cannot_smuggle_in_markup(tmp_path: Path) -> None:
    def pages(name: str) -> list[str]:
        made = [
            result(name, (900, 920, 910), Claim(name, 0.9, comparisons=("both",))),
            result(f"{name}2", (800, 790, 795), Claim("", 0.9, comparisons=("both",))),
        ]
        both = compare("both", made, "val_accuracy")
        parts = write_page(made, tmp_path).read_text(), write_comparison(both, tmp_path)[1].read_text()
        return [*parts, training_page(made[0], name)]

    for page, harmless in zip(pages(HOSTILE), pages("harmless"), strict=True):
        assert tags(page) == tags(harmless)


def test_recipes_whose_names_differ_in_signs_only_have_pictures_of_their_own(tmp_path: Path) -> None:
    page = write_page([result("a-b", (900,)), result("a.b", (910,)), result("a b", (920,))], tmp_path).read_text()
    ids = re.findall(r'<div id="([^"]+)"', page)
    assert len(ids) == len(set(ids)) == 5


def test_the_page_of_a_training_begins_with_the_mean_its_interval_and_n() -> None:
    page = training_page(result("a", (900, 920, 910)), "a, 3 seeds")
    assert "<h1>a, 3 seeds</h1>" in page
    assert "<b>Validation accuracy 91.00 % (88.52 to 93.48), mean of 3 seeds with its 95 % interval.</b>" in page
    assert "Single seeds reach from 90.00 to 92.00 %." in page


def test_the_page_of_one_seed_says_what_its_interval_leaves_out() -> None:
    page = training_page(result("a", (900,)), "a, 1 seed")
    assert "from one seed: the interval is over 200 images, and does not show how much seeds differ." in page


def test_the_page_of_a_training_tells_runs_that_diverged() -> None:
    made = result("a", (900, 910))
    lost = replace(made, runs=(*made.runs, run(3, 0.1, diverged=True)))
    assert "1 of 3 runs diverged; the means leave it out." in training_page(lost, "a")
    assert "All 1 runs" not in training_page(replace(made, runs=(run(3, 0.1, diverged=True),)), "a")
    assert "The run diverged." in training_page(replace(made, runs=(run(3, 0.1, diverged=True),)), "a")


def test_what_is_kept_of_a_training_on_a_part_of_the_images_says_so() -> None:
    kept = Training(quick(result("a", (900, 910))), 1.0).summary()
    assert kept["quick"] == "2 epochs; 2 seeds; 1,000 test images; only the first 1,200 training images were used"
    assert Training(result("a", (900, 910)), 1.0).summary()["quick"] is None


def test_a_training_without_validation_images_says_that_only_the_test_set_is_left() -> None:
    made = unvalidated("mine")
    page = training_page(made, "mine")
    assert "Trained on all 1,200 images, with none for validation" in page
    assert ">nan<" not in page
    json.dumps(Training(made, 1.0).summary(), allow_nan=False)
