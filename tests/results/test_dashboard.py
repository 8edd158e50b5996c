"""What a person finds in optuna-dashboard: asked of a real dashboard."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from dashboards import dashboard, detail
from optuna.trial import TrialState, create_trial

from lenet_search.errors import StorageError
from lenet_search.results import dashboard as shown
from lenet_search.results.best import complete_trials
from lenet_search.results.dashboard import (
    FIGURES,
    has_time_for_models,
    show,
    show_figures,
    time_for_notes,
    write_texts,
)
from lenet_search.results.verdict import verdict
from lenet_search.storage import DEFINITION, open_storage
from lenet_search.storage.ablated import write_ablated
from lenet_search.storage.board import Board
from lenet_search.storage.confirmed import write_confirmed
from lenet_search.storage.facts import store_fact
from lenet_search.storage.trials import REASON, attributes_of, run_of
from lenet_search.study import read
from tests.results.conftest import SPACE, trial_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # the dashboard's own
Make = Callable[..., optuna.Study]
RECIPE = {"trial": 3, "searched": 0.64, "mean": 0.61, "n": 4, "low": 0.6, "high": 0.62, "state": "tied", "behind": None,
          "model_seed": 1, "needed_seeds": None, "parameters": 61706}  # fmt: skip


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return "study.journal"


@pytest.fixture
def study(url: str, made_study: Make) -> optuna.Study:
    """60 trials, every third of them pruned, with the definition that a search stores."""
    study = made_study(60, storage=open_storage(url, create=True, batched=True))
    store_fact(study, DEFINITION, read("cifar").lines())
    return study


def confirm(study: optuna.Study) -> dict[str, Any]:
    """Store a confirmation of trial 3 against the reference."""
    values = run_of(complete_trials(study)[0]).recipe.values()
    row = {**RECIPE, "name": "trial-3", "seeds": {"1": 0.6, "2": 0.62}, "values": values}
    reference = {**row, "name": "reference", "trial": None, "searched": None, "mean": 0.5, "state": "worse"}
    found = {
        "study": study.study_name, "metric": "val_accuracy", "winner": "trial-3", "tied": ["trial-3"], "gain": None,
        "epochs": None, "indifference": 0.002, "verdict": ["trial-3 wins: val_accuracy 61.00 %."],
        "recipes": [row, reference],
    }  # fmt: skip
    write_confirmed(study, found)
    return found


def test_the_note_of_a_study_has_its_verdict_its_question_and_commands(study: optuna.Study, url: str) -> None:
    show(study, url, print, models=False)
    note = detail(dashboard(url), study)["note"]["body"]
    assert verdict(study)[0].split(",")[0] in note
    assert "Which recipe for lenet5 on cifar10 has the highest validation accuracy?" in note
    for path in read("cifar").space.searched():
        assert f"| {path} |" in note
    assert "lenet-search confirm --study cifar --storage study.journal" in note


def test_every_trial_that_has_ended_has_a_note_and_no_trial_shows_json(study: optuna.Study, url: str) -> None:
    show(study, url, print, models=False)
    for trial in detail(dashboard(url), study)["trials"]:
        note = trial["note"]["body"]
        if trial["state"] == "Complete":
            value = f"{100 * trial['values'][0]:.2f}"
            assert note.startswith(f"**{value} %** validation accuracy (95 % interval ")
            assert "**Complete:** trained for all 8 epochs." in note
            assert "**Curve:** `" in note and "in epoch" in note
            assert "**Recipe:** " in note
        else:
            assert note.startswith("**Pruned:** pruned after ")


def test_the_figures_are_those_of_the_report_and_are_replaced_when_they_are_written_again(
    study: optuna.Study, url: str
) -> None:
    show(study, url, print, models=False)
    assert write_texts(study, url) == 0
    study.add_trial(trial_of(complete_trials(study)[0].params, 0.65, 60))
    show(study, url, print, models=False)
    graphs = detail(dashboard(url), study)["plotly_graph_objects"]
    assert sorted(each["id"] for each in graphs) == sorted(FIGURES)
    for each in graphs:
        figure = json.loads(each["graph_object"])
        assert figure["data"] and figure["layout"]["title"]["text"]


def test_an_ablation_of_the_winner_is_a_figure_and_one_of_an_earlier_winner_is_not(
    study: optuna.Study, url: str
) -> None:
    winner = run_of(complete_trials(study)[0]).recipe
    step = {"choice": "augment.flip", "before": {"augment.flip": 0.0}, "after": {"augment.flip": 0.5}, "n": 3,
            "mean": 0.01, "low": 0.0, "high": 0.02, "verdict": "helps"}  # fmt: skip
    mean = {"n": 3, "mean": 0.6, "low": 0.59, "high": 0.61, "over": "seeds"}
    found = {"study": "cifar", "metric": "val_accuracy", "steps": [step], "winner": mean, "reference": mean,
             "verdict": "augment.flip helps."}  # fmt: skip
    write_ablated(study, {**found, "path": False}, winner)
    write_ablated(study, {**found, "path": True}, run_of(complete_trials(study)[-1]).recipe)
    show_figures(study, print)
    graphs = {each["id"] for each in detail(dashboard(url), study)["plotly_graph_objects"]}
    assert "lenet-search-ablation" in graphs and "lenet-search-path" not in graphs


def test_a_confirmation_is_told_in_the_notes_of_both_studies(study: optuna.Study, url: str) -> None:
    found = confirm(study)
    show(study, url, print, models=False)
    page = detail(dashboard(url), study)
    assert page["note"]["body"].startswith("**trial-3 wins: val\\_accuracy 61.00 %.**")
    assert "**On fresh seeds:** 61.00 % (60.00 to 62.00), n = 4: winner" in page["trials"][3]["note"]["body"]
    beside = optuna.load_study(study_name="cifar.confirm", storage=study._storage)
    page = detail(dashboard(url), beside)
    assert page["user_attrs"] == []
    assert "The best recipes of study cifar and its reference" in page["note"]["body"]
    notes = [trial["note"]["body"] for trial in page["trials"]]
    assert notes[0].startswith("**61.00 % (60.00 to 62.00)** validation accuracy, mean of 4 seeds")
    assert "The reference" in notes[1]
    write_confirmed(study, found)  # a second confirmation replaces that study
    show(study, url, print, models=False)
    again = optuna.load_study(study_name="cifar.confirm", storage=study._storage)
    assert detail(dashboard(url), again)["note"]["body"] == page["note"]["body"]


def test_a_failed_trial_says_why_and_those_of_other_tools_get_no_note(study: optuna.Study, url: str) -> None:
    study.add_trial(create_trial(state=TrialState.FAIL, user_attrs={REASON: "augment.flip: received <b>2</b> | *"}))
    study.add_trial(create_trial(value=0.99))
    study.add_trial(create_trial(state=TrialState.FAIL))
    show(study, url, print, models=False)
    notes = [trial["note"]["body"] for trial in detail(dashboard(url), study)["trials"][60:]]
    assert notes[0].startswith("**Failed:** augment.flip: received \\<b\\>2\\</b\\> \\| \\*.")
    assert notes[1:] == ["", ""]


def test_a_trial_of_several_seeds_shows_their_mean_and_each_of_them(url: str, made_study: Make) -> None:
    study = made_study(3, storage=open_storage(url, create=True), pruned=False)
    (one, two, _), space = [run_of(trial) for trial in study.trials], SPACE
    params = study.trials[0].params
    study.add_trial(
        create_trial(
            value=0.5, params=params, distributions={path: space[path] for path in params},
            intermediate_values={8: 0.5}, user_attrs=attributes_of(one, two),
        )
    )  # fmt: skip
    show(study, url, print, models=False)
    note = detail(dashboard(url), study)["trials"][3]["note"]["body"]
    assert "**2 seeds:** " in note
    assert f"{100 * one.curve['val_accuracy'][-1]:.2f}, {100 * two.curve['val_accuracy'][-1]:.2f}" in note


def test_a_name_breaks_out_of_no_note(url: str) -> None:
    name = "a\n```\n<img src=x> *b*"
    study = optuna.create_study(storage=open_storage(url, create=True), study_name=name)
    show(study, url, print, models=False)
    fenced = detail(dashboard(url), study)["note"]["body"].split("\n````\n")
    assert len(fenced) == 3 and "<img" not in fenced[0] + fenced[2]


@pytest.mark.parametrize("url_of", ["postgresql+psycopg2://bob:geheim-17@db/x", "redis://:geheim-17@db:6379/0"])
def test_no_note_holds_a_password(study: optuna.Study, url_of: str) -> None:
    write_texts(study, url_of)
    stored = json.dumps(study._storage.get_study_system_attrs(study._study_id))
    assert "geheim-17" not in stored and "***" in stored


def test_a_long_search_has_notes_for_its_best_trials_and_never_more(
    study: optuna.Study, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "MOST_NOTES", 5)

    def noted() -> set[int]:
        return {each["number"] for each in detail(dashboard(url), study)["trials"] if each["note"]["body"]}

    show(study, url, print, models=False)
    best = {trial.number for trial in complete_trials(study)[:5]}
    assert noted() == best
    study.add_trial(trial_of(complete_trials(study)[0].params, 0.66, 60))  # a better one, once all notes are given
    show(study, url, print, models=False)
    assert noted() == best


@pytest.mark.parametrize("trials", [0, 1])
def test_a_study_of_another_tool_without_own_trials_is_no_error(url: str, trials: int) -> None:
    study = optuna.create_study(storage=open_storage(url, create=True), study_name="theirs")
    for _ in range(trials):
        study.add_trial(create_trial(value=0.5))
    told: list[str] = []
    show(study, url, told.append, models=False)
    assert told == []
    assert "No trial is complete yet." in detail(dashboard(url), study)["note"]["body"]


def test_a_storage_that_fails_costs_the_notes_and_nothing_else(
    study: optuna.Study, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(board: Board, seconds: float = 0.0) -> int:
        raise StorageError("the storage does not answer")

    monkeypatch.setattr(Board, "write", fail)
    told: list[str] = []
    show(study, url, told.append, models=False)
    show_figures(study, told.append)
    assert told == ["optuna-dashboard does not show all of the results: the storage does not answer"] * 2


def test_notes_for_which_there_is_no_time_are_left_to_the_next_time(study: optuna.Study, url: str) -> None:
    def noted() -> list[bool]:
        page = detail(dashboard(url), study)
        assert page["note"]["body"] and page["plotly_graph_objects"]
        return [bool(trial["note"]["body"]) for trial in page["trials"]]

    show(study, url, print, seconds=-1.0, models=False)
    assert not any(noted())
    show(study, url, print, models=False)
    assert all(noted())


def test_notes_get_a_hundredth_of_a_search_within_limits() -> None:
    assert [time_for_notes(seconds) for seconds in (1.0, 500.0, 1e6)] == [1.0, 5.0, 10.0]


def test_models_take_at_most_a_hundredth_of_a_search() -> None:
    assert not has_time_for_models(60.0)
    assert has_time_for_models(3600.0)
