import json
import os
from pathlib import Path

import optuna
import pytest
from calls import call, store, write_study
from test_help import complete

from lenet_search import Study, report
from lenet_search.results.best import pick_study
from lenet_search.storage import open_storage


@pytest.fixture(autouse=True)
def mine() -> None:
    store(write_study(Path("mine.toml")))


def test_the_report_goes_to_a_folder_under_the_study_s_name_and_the_verdict_to_the_terminal():
    written = call("report")
    assert written.exit_code == 0, written.stderr
    assert "Trial 1, the best of 3 complete trials" in written.stdout
    assert "Written to reports/mine.html" in written.stdout
    assert Path("reports/mine.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("out", "file"),
    [("a.html", "a.html"), ("new/folder/a.HTM", "new/folder/a.HTM"), ("new/folder", "new/folder/mine.html"),
     ("there.html", "there.html/mine.html")],
)  # fmt: skip
def test_out_is_a_file_that_ends_in_html_or_a_folder(out, file):
    Path("there.html").mkdir()
    answer = json.loads(call("report", "--study", "mine", "--out", out, "--json").stdout)
    assert answer["file"] == file
    assert Path(file).is_file()


def test_a_study_is_chosen_by_name_in_any_storage():
    store(write_study(Path("other.toml")), "sqlite:///other.db")
    assert call("report", "--study", "other", "--storage", "sqlite:///other.db").exit_code == 0
    assert "--storage sqlite:///other.db" in Path("reports/other.html").read_text(encoding="utf-8")
    failed = call("report", "--study", "nope")
    assert failed.exit_code == 2
    assert "no study named 'nope'. Available: mine" in failed.stderr


def test_a_study_without_a_complete_trial_has_no_report():
    optuna.create_study(study_name="new", storage=open_storage("new.journal", create=True))
    failed = call("report", "--storage", "new.journal")
    assert failed.exit_code == 2
    assert "no complete trial" in failed.stderr
    assert not Path("reports").exists()


@pytest.mark.parametrize(("out", "named"), [("file/a/b.html", "file/a/b.html"), ("file", "file/mine.html")])
def test_a_place_that_cannot_be_written_to_is_named_and_nothing_is_left_there(out, named):
    Path("file").write_text("mine")
    failed = call("report", "--out", out)
    assert failed.exit_code == 2
    assert f"cannot write {named}: one of its folders is a file; choose another place with --out" in failed.stderr
    assert Path("file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_named():
    Path("closed").mkdir(mode=0o500)
    assert "cannot write closed/mine.html: permission denied" in call("report", "--out", "closed").stderr


def test_a_report_is_replaced_by_a_newer_one():
    Path("a.html").write_text("old")
    call("report", "--out", "a.html")
    assert Path("a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in Path().glob("*.html")] == ["a.html"]


def test_the_notebook_s_functions_write_the_same_file():
    found = pick_study(open_storage("lenet-search.journal", create=False), "mine")
    assert report(found, out="one.html") == Path("one.html")
    assert Study.read("mine.toml").report("two.html") == Path("two.html")
    assert Path("one.html").read_text(encoding="utf-8") == Path("two.html").read_text(encoding="utf-8")


def test_the_shell_completes_its_study():
    assert complete("lenet-search report --study di", 3) == ["digits"]
