"""Notes and figures for optuna-dashboard, on every kind of storage, read by its own functions."""

import json
from collections.abc import Callable
from pathlib import Path

import optuna
import plotly.graph_objects as go
import pytest
from optuna.storages import BaseStorage
from optuna_dashboard import get_note, save_note
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects
from servers import Server

from lenet_search.storage import open_storage
from lenet_search.storage.board import Board

STORAGES = ["study.journal", "sqlite:///study.db", "postgresql", "redis"]
LONG = "Grüße 🐌 *kursiv*\n\n| a | b |\n|---|---|\n" + "| ä | 1 |\n" * 700  # in several pieces


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BaseStorage:
    monkeypatch.chdir(tmp_path)
    servers: Callable[[str], Server] = request.getfixturevalue("servers")
    url = servers(request.param).new() if request.param.isalpha() else request.param
    return open_storage(url, create=True, batched=True)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> optuna.Study:
    monkeypatch.chdir(tmp_path)
    return optuna.create_study(storage=open_storage("study.journal", create=True, batched=True))


def put(study: optuna.Study, text: str, trial: optuna.trial.FrozenTrial | None = None) -> int:
    board = Board(study)
    board.put_note(text, trial)
    return board.write()


def test_every_storage_keeps_notes_of_any_length_and_figures(storage: BaseStorage) -> None:
    study = optuna.create_study(storage=storage)
    running = study.ask()
    study.tell(running, 0.5)
    (trial,) = study.trials
    for note, of_trial, heights in ((LONG, "a trial", [1, 2] * 3000), ("short", LONG, [3])):
        board = Board(study)
        board.put_note(note)
        board.put_note(of_trial, trial)
        board.put_figure("bars", go.Figure(go.Bar(y=heights)))
        assert board.write() > 0
        assert get_note(study).startswith(note.strip())
        assert get_note(running).startswith(of_trial.strip())
        shown = get_plotly_graph_objects(storage.get_study_system_attrs(study._study_id))
        assert list(shown) == ["bars"]  # replaced, not piled up
        assert json.loads(shown["bars"])["data"][0]["y"] == heights


def test_what_is_there_is_not_written_again(study: optuna.Study) -> None:
    figure = go.Figure(go.Bar(y=[1]))
    for expected in (True, False):
        board = Board(study)
        board.put_note("text")
        board.put_figure("bars", figure)
        assert bool(board.write()) is expected


def test_a_note_of_ours_gives_way_to_a_newer_one(study: optuna.Study) -> None:
    put(study, "old")
    assert put(study, "new")
    assert get_note(study).startswith("new\n")


@pytest.mark.parametrize("edit", [lambda text: f"{text}Mine.", lambda text: text.replace("old", "bold"), lambda _: "x"])
def test_a_note_that_a_person_has_edited_stays(study: optuna.Study, edit: Callable[[str], str]) -> None:
    running = study.ask()
    for trial, where in ((None, study), (study.trials[0], running)):
        put(study, "old", trial)
        mine = edit(get_note(where))
        save_note(where, mine)
        assert put(study, "new", trial) == 0
        assert get_note(where) == mine


def test_whoever_empties_a_note_gets_a_new_one(study: optuna.Study) -> None:
    put(study, "old")
    save_note(study, "")
    put(study, "new")
    assert get_note(study).startswith("new\n")


def test_a_note_of_which_only_the_beginning_was_stored_is_written_again(study: optuna.Study) -> None:
    study._storage.set_study_system_attr(study._study_id, "dashboard:note_ver", 1)  # killed after this
    put(study, "text")
    assert get_note(study).startswith("text\n")


def test_two_processes_that_write_the_same_note_leave_it_whole(study: optuna.Study) -> None:
    first, second = Board(study), Board(optuna.load_study(study_name=study.study_name, storage=study._storage))
    for board in (first, second):
        board.put_note(LONG)
    first.write()
    second.write()
    assert put(study, LONG) == 0


def test_the_mark_of_our_notes_is_a_reference_that_markdown_does_not_show(study: optuna.Study) -> None:
    put(study, "text")
    assert get_note(study).splitlines()[-2] == ""
    assert get_note(study).splitlines()[-1].startswith("[//]: # (lenet-search ")


def test_a_journal_is_written_once_for_all_notes(study: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(50):
        study.tell(study.ask(), 0.5)
    file, appended = study._storage._batches._behind, []
    append = file.append_logs
    monkeypatch.setattr(file, "append_logs", lambda logs: (appended.append(len(logs)), append(logs)))
    board = Board(study)
    for trial in study.trials:
        board.put_note(f"trial {trial.number}", trial)
    assert board.write() == 100
    assert appended == [100]
    other = optuna.load_study(study_name=study.study_name, storage=open_storage("study.journal", create=False))
    assert put(other, "trial 7", other.trials[7]) == 0
