import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from calls import ROOT, call, store, write_study


def test_best_shows_the_best_trials_first_each_with_its_interval():
    store(write_study(Path("mine.toml")))
    lines = call("best", "--top", "2").stdout.splitlines()
    ranks = [line.split() for line in lines if line.strip()[:2] in ("1 ", "2 ")]
    assert [rank[1] for rank in ranks] == ["1", "2"]
    assert "80.00 % (65.24 to 89.50)" in " ".join(ranks[0])  # Wilson for 32 of 40
    assert "learning_rate" in " ".join(ranks[0])


def test_best_as_json_is_one_object_with_everything_else_on_stderr():
    store(write_study(Path("mine.toml")))
    answered = call("best", "--json")
    answer = json.loads(answered.stdout)
    assert answer["study"] == "mine"
    assert [row["value"] for row in answer["best"]] == [0.8, 0.7, 0.6]
    assert answer["exported"] == []
    assert "complete trials" in answered.stderr


def test_best_shows_shrunk_values_and_how_many_trials_ended_since_without_improvement():
    store(write_study(Path("mine.toml")))
    shown = call("best")
    assert "No improvement in the last trial to end: the best is trial 1." in shown.stdout
    answer = json.loads(call("best", "--json").stdout)
    assert answer["since_best"] == 1
    values, shrunk = ([row[key] for row in answer["best"]] for key in ("value", "shrunk"))
    assert shrunk == sorted(shrunk, reverse=True)
    assert shrunk[0] < values[0]
    assert f"{100 * shrunk[0]:.2f} %" in shown.stdout
    assert answer["importance"]["verdict"] == "Importance requires at least 10 complete trials; there are 3."


def test_best_without_a_name_takes_the_most_recent_study():
    store(write_study(Path("old.toml")))
    store(write_study(Path("new.toml")))
    assert json.loads(call("best", "--json").stdout)["study"] == "new"
    assert json.loads(call("best", "--study", "old", "--json").stdout)["study"] == "old"


def test_best_of_a_study_that_is_not_there_names_those_that_are():
    store(write_study(Path("mine.toml")))
    failed = call("best", "--study", "yours")
    assert failed.exit_code == 2
    assert "mine" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (["--export"], "exports/mine"),
        (["--export", "--top", "2"], "exports/mine"),
        (["--top", "2", "--export"], "exports/mine"),
        (["--export", "there"], "there"),
        (["--export=there", "--json"], "there"),
        (["--export=~/there"], Path.home() / "there"),  # which no shell expands
    ],
)
def test_export_takes_a_folder_or_none(arguments, folder, monkeypatch):
    from lenet_search.results import export

    asked: list[Path] = []
    monkeypatch.setattr(
        export, "export", lambda study, url, folder, **_: asked.append(folder) or export.Export((), None)
    )
    store(write_study(Path("mine.toml")))
    assert call("best", *arguments).exit_code == 0
    assert asked == [Path(folder)]


@pytest.mark.parametrize("command", [["best"], ["studies"], ["reproduce", "--list"]])
def test_what_only_reads_the_storage_does_without_tensorflow(command):
    store(write_study(Path("mine.toml")))
    code = (
        "import sys\nfrom lenet_search.cli import app\n"
        "assert app(sys.argv[1:], standalone_mode=False) is None\n"  # else an exit code
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *command], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
