import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from lenet_search.errors import ResultError
from lenet_search.look.intervals import share_of
from lenet_search.results.best import complete_trials
from lenet_search.results.finalists import reference_of
from lenet_search.results.optimism import shrunk_values
from lenet_search.results.report import report_page
from lenet_search.results.report.question import entry_words
from lenet_search.results.verdict import verdict
from lenet_search.storage.ablated import write_ablated
from lenet_search.storage.confirmed import runs_folder, write_confirmed
from lenet_search.storage.kept import Kept
from lenet_search.storage.trials import attributes_of, run_of
from lenet_search.study import read
from tests.look.test_waterfall import ablated
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


def confirm(study: optuna.Study, url: str | None = None) -> int:
    """A race that the best trial wins against a reference, its runs beside the storage `url`; the winner's number."""
    best = complete_trials(study)[0]
    run, rows = run_of(best), []
    ends = {"low": 0.6, "high": 0.7, "n": 4, "over": "seeds", "parameters": 61706, "needed_seeds": None}
    for name, trial, state in ((f"trial-{best.number}", best.number, "leader"), ("reference", None, "worse")):
        values = {str(seed): 0.64 + seed / 1e9 for seed in range(1_000_000, 1_000_004)}
        rows.append(
            ends | {"name": name, "trial": trial, "searched": best.value, "state": state, "mean": 0.65, "seeds": values}
            | {"behind": None, "model_seed": 1_000_001, "values": run.recipe.values()}
        )  # fmt: skip
        if url is not None:
            kept = Kept(runs_folder(url, study.study_name, None) / name)
            kept.begin(run.recipe, run.images, name)
            for seed in values:
                kept.keep(replace(run, seed=int(seed)))
    write_confirmed(
        study,
        {
            "study": study.study_name, "metric": "val_accuracy", "winner": rows[0]["name"], "tied": [rows[0]["name"]],
            "epochs": None,
            "gain": {"n": 4, "mean": 0.02, "low": 0.01, "high": 0.03}, "verdict": ["The winner wins."], "recipes": rows,
        },
    )  # fmt: skip
    return best.number


PARTS = (
    "What was asked",
    "What is best, and how sure",
    "What mattered",
    "How the search went",
    "Curves",
    "All trials",
    "How to reproduce it",
)


def part(page: str, number: int) -> str:
    """One of the numbered parts of a page."""
    return re.split(r'<div class="part" id="part-\d">', page)[number]


def test_the_page_fetches_nothing_and_holds_plotly_once(made_study: Make) -> None:
    text = report_page(made_study(30))
    assert all(link.startswith("#part-") for link in Page(text).fetched)
    assert text.count("Plotly.newPlot(") >= 5
    assert len(re.findall(r"plotly\.js v\d", text)) == 1


@pytest.mark.parametrize("trials", [0, 30])
def test_the_parts_come_in_this_order_and_the_contents_link_to_them(made_study: Make, trials: int) -> None:
    text = report_page(made_study(trials))
    titles = [f"{number}. {title}" for number, title in enumerate(PARTS, 1)]
    assert re.findall(r'<div class="part" id="part-\d"><h2>(.*?)</h2>', text) == titles
    assert re.findall(r'<a href="#part-\d">(.*?)</a>', text) == titles


def test_the_first_part_has_the_space_the_images_and_the_budget(cifar_study: optuna.Study) -> None:
    asked = part(report_page(cifar_study), 1)
    text = Page(asked).text
    assert "Space: 17 hyperparameters searched" in text
    for path, entry in read("cifar").space.searched().items():
        assert path in text and entry_words(entry) in text
    assert "digest 0123456789abcdef" in text and "45,000 training and 5,000 validation images" in text
    assert "40 trials of up to 8 epochs: 320 epochs in 41 min of training" in text
    assert "TPESampler" in text and "MedianPruner" in text and "seed 0" in text
    fixed = len(read("cifar").space.entries) - 17
    assert f"{fixed} hyperparameters, see the study file" in text


def test_the_second_part_begins_with_the_verdict_and_says_what_to_run_for_more(made_study: Make) -> None:
    study = made_study(30)
    best = complete_trials(study)[0]
    text = part(report_page(study), 2)
    assert text.index(f"<b>{escape(verdict(study)[0])}</b>") < text.index('class="numbers"')
    said = Page(text).text
    assert "confirm it with other seeds (lenet-search confirm)" in said
    assert f"{100 * (best.value or 0):.2f} %" in said
    assert f"95 % interval {share_of(best.value or 0, 5000).bounds()} %, n = 5,000 images" in said
    assert f"{100 * shrunk_values(study)[best.number]:.2f}" in said


def test_the_gain_over_the_reference_is_that_of_the_search_until_it_is_confirmed(cifar_study: optuna.Study) -> None:
    assert "gain over the reference" not in report_page(cifar_study)  # which this search has not tried
    reference = reference_of(cifar_study)
    assert reference is not None
    run = replace(run_of(cifar_study.trials[0]), recipe=reference)
    cifar_study.add_trial(optuna.trial.create_trial(value=0.55, user_attrs=attributes_of(run)))
    gain = 100 * ((complete_trials(cifar_study)[0].value or 0) - 0.55)
    text = Page(report_page(cifar_study)).text
    assert f"+{gain:.2f} pointsgain over the reference, not confirmedtrial 40 with 55.00 %" in text
    confirm(cifar_study)
    text = Page(report_page(cifar_study)).text
    assert "+2.00 pointsgain over the reference95 % interval +1.00 to +3.00, n = 4 pairs" in text


def test_a_confirmed_study_begins_with_its_winner_and_shows_the_race_and_its_curves(
    made_study: Make, tmp_path: Path
) -> None:
    study, url = made_study(30), str(tmp_path / "a.journal")
    winner = confirm(study, url)
    text = report_page(study, url)
    second = part(text, 2)
    assert "<b>The winner wins.</b>" in second
    assert "On fresh seeds" in second and ">winner<" in second and "Confirmed recipe, as a study file" in second
    assert "Learning curves on fresh seeds" in part(text, 5) and f"trial-{winner}, the winner" in part(text, 5)
    assert "1000000 to 1000003" in part(text, 7)
    assert f"confirm --study cifar --storage {url} --finalists 1 --seeds 4" in Page(part(text, 7)).text


def test_the_runs_of_a_confirmation_on_another_machine_are_said_to_be_missing(made_study: Make, tmp_path: Path) -> None:
    study, url = made_study(6), str(tmp_path / "a.journal")
    winner = confirm(study)
    text = report_page(study, url)
    assert "runs of the confirmation are not on this machine" in text
    assert "Learning curves on fresh seeds" not in text

    confirm(study, url)
    assert "missing on this machine" not in report_page(study, url)
    folder = runs_folder(url, study.study_name, None)
    (folder / "reference" / "seed-1000002.json").unlink()
    assert "1 run of the confirmation missing on this machine" in report_page(study, url)
    shutil.rmtree(folder / f"trial-{winner}")
    assert "5 runs of the confirmation missing on this machine" in report_page(study, url)


def test_a_damaged_run_of_a_confirmation_is_named(made_study: Make, tmp_path: Path) -> None:
    study, url = made_study(6), str(tmp_path / "a.journal")
    confirm(study, url)
    file = runs_folder(url, "cifar", None) / "reference" / "seed-1000002.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(ResultError, match=re.escape(str(file))):
        report_page(study, url)


def test_without_an_ablation_the_page_says_what_would_make_one(made_study: Make) -> None:
    assert "lenet-search ablate --study cifar" in Page(part(report_page(made_study(6)), 3)).text


def test_an_ablation_comes_before_the_importance_and_a_path_beside_it(made_study: Make) -> None:
    study = made_study(30)
    winner = run_of(complete_trials(study)[0]).recipe
    for path in (False, True):
        write_ablated(study, ablated("val_accuracy", path=path), winner.with_epochs(3))
    third = part(report_page(study), 3)
    places = [third.index(f'id="{name}"') for name in ("ablation", "path", "importance", "slices")]
    assert places == sorted(places)
    assert third.count("<b>augment.shift helps.</b> Trained for 3 epochs.") == 2
    assert "lenet-search ablate --study cifar --path --seeds 8" in Page(report_page(study)).text


def test_an_ablation_of_an_earlier_winner_is_not_shown(made_study: Make) -> None:
    study = made_study(30)
    second = run_of(complete_trials(study)[1]).recipe
    write_ablated(study, ablated("val_accuracy", path=True), second)
    third = part(report_page(study), 3)
    assert "of an earlier winner and is not shown" in third and "ablate --study cifar</code> --path" in third
    assert 'id="path"' not in third


def test_the_fourth_part_tells_how_the_search_went(made_study: Make) -> None:
    fourth = part(report_page(made_study(30)), 4)
    text = Page(fourth).text
    assert "20 complete, 10 pruned, 0 failed" in text
    assert "The pruner stopped 10 of 30 trials" in text
    places = [fourth.index(f'id="{name}"') for name in ("history", "expected-best", "pruning", "parallel")]
    assert places == sorted(places)


def test_all_trials_are_in_the_table_with_their_state_value_interval_epochs_and_seconds(made_study: Make) -> None:
    study = made_study(9)
    study.add_trial(optuna.trial.create_trial(state=TrialState.FAIL, user_attrs={"reason": "<i>no</i>"}))
    rows = re.findall(r"<tr>(.*?)</tr>", part(report_page(study), 6).split("<tbody>")[1])
    assert len(rows) == 10
    cells = [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", rows[2])]
    pruned = study.trials[2]
    value = list(pruned.intermediate_values.values())[-1]
    assert cells[:6] == [
        "2", "pruned: pruned after 3", f"{100 * value:.2f}", share_of(value, 5000).bounds(), "3 of 8", "61.5"
    ]  # fmt: skip
    assert all(path in cells[6] for path in pruned.params)
    assert 'fail: <span class="small">&lt;i&gt;no&lt;/i&gt;</span>' in rows[9]
    assert rows[9].count("<td>-</td>") == 4


def test_the_last_part_has_the_commands_and_the_file_of_the_study(cifar_study: optuna.Study, tmp_path: Path) -> None:
    text = Page(part(report_page(cifar_study, "sqlite:///my file.db"), 7)).text
    where = "--storage 'sqlite:///my file.db'"
    assert f"lenet-search run --study study.toml --name cifar --trials 40 {where}" in text
    assert f"lenet-search best --study cifar {where} --export exports/cifar" in text
    for command in ("confirm", "ablate", "train", "evaluate"):
        assert f"lenet-search {command} " in text
    assert "tensorflow 2.21.0" in text and "0123456789abcdef" in text
    file = tmp_path / "study.toml"
    file.write_text(text[text.index("[study]") : text.index("Written by")], encoding="utf-8")
    assert read(file).lines() == read("cifar").lines()


def test_a_password_of_the_storage_is_not_on_the_page(made_study: Make) -> None:
    text = report_page(made_study(3), "postgresql://me:hunter2@host/db")
    assert "hunter2" not in text
    assert "me:***@host" in text


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


def test_a_quick_search_says_so_at_the_top_and_in_every_title(made_study: Make) -> None:
    study = made_study(0)
    study.add_trial(trial_of(drawn(np.random.default_rng(0)), 0.5, 0, **{"data.limit": 2000}))
    text = report_page(study)
    assert "<h1>Study cifar (quick)</h1>" in text
    assert "Quick check, not a result: only the first 2,000 training images were used." in text
    headings = re.findall(r'<h3>([^<]*)</h3>(?:<p class="reading[^>]*>[^<]*</p>)*<div class="wide"[^>]*><div', text)
    assert len(headings) > 5 and all(heading.endswith(" (quick)") for heading in headings), headings
    assert "quick" not in Page(report_page(made_study(3))).text


def test_a_page_is_smaller_than_6_megabytes(made_study: Make) -> None:
    assert len(report_page(made_study(1000)).encode()) < 6e6


def test_the_run_of_another_recipe_is_no_run_of_the_race(cifar_study: optuna.Study, tmp_path: Path) -> None:
    url = str(tmp_path / "a.journal")
    folder = runs_folder(url, cifar_study.study_name, None) / f"trial-{confirm(cifar_study, url)}"
    for name in ("seed-1000001.json", "recipe.json"):  # a run alone, then a whole folder
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        content["recipe" if name.startswith("seed") else "values"]["train.batch_size"] = 64
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(ResultError, match=r"seed-100000[01]\.json: expected a run of this recipe.*batch_size"):
            report_page(cifar_study, url)
    for file in folder.glob("seed-*.json"):
        content = json.loads(file.read_text(encoding="utf-8"))
        content["recipe"]["train.batch_size"] = 64
        file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ResultError, match="expected runs of the recipe that was confirmed"):
        report_page(cifar_study, url)
