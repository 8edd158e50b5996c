import errno
import os
from pathlib import Path

import numpy as np
import optuna
import pytest
from calls import broken, call, write_study

from lenet_search import study
from lenet_search.storage import open_storage


def test_an_error_is_a_plain_message_on_stderr_with_its_own_exit_code():
    failed = call("check", "no-such-study")
    assert failed.exit_code == 2
    assert failed.stderr.startswith("Error: there is no study named 'no-such-study'")
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""


def test_brackets_in_an_error_are_printed_as_they_stand():
    assert "there is no study named '[bold]x'" in call("check", "[bold]x").stderr


def test_an_interrupted_search_leaves_with_the_exit_code_of_its_signal(monkeypatch):
    from lenet_search import search

    def interrupted(*_: object, **__: object) -> None:
        raise search.Interrupted(15, "stopped; the same command resumes it")

    monkeypatch.setattr(search, "run", interrupted)
    write_study(Path("mine.toml"))
    stopped = call("run", "--study", "mine.toml")
    assert stopped.exit_code == 143
    assert "the same command resumes it" in stopped.stderr


def test_an_unexpected_error_is_one_line_and_says_how_to_see_more(monkeypatch):
    monkeypatch.setattr(study, "read", broken)
    failed = call("check", "digits")
    assert failed.exit_code == 1
    assert "RuntimeError: the floor [is] missing" in failed.stderr
    assert "LENET_SEARCH_DEBUG=1" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_debugging_lets_the_traceback_through(monkeypatch):
    monkeypatch.setattr(study, "read", broken)
    monkeypatch.setenv("LENET_SEARCH_DEBUG", "1")
    assert isinstance(call("check", "digits").exception, RuntimeError)


def test_a_full_disk_is_said_in_the_system_s_words(monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "study.journal")

    monkeypatch.setattr("lenet_search.study.read", full)
    result = call("check", "digits")
    assert (result.exit_code, result.stderr) == (1, "Error: study.journal: no space left on device\n")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.batch_size=5000"], "train.batch_size: expected at most 1,137, the number of training images"),
        (["data.name=small.npz", "data.validation=8"], "at least 16x16 pixels"),
    ],
)
def test_what_cannot_be_trained_is_found_before_a_storage_is_made(settings, message):
    labels = np.arange(400, dtype=np.uint8) % 4
    np.savez("small.npz", x_train=np.zeros((400, 8, 8), np.uint8), y_train=labels)
    result = call("run", "--study", "digits", *(word for setting in settings for word in ("--set", setting)))
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("lenet-search.journal").exists()


@pytest.mark.parametrize("slots", ["0", "-1", "2.5", "many", "1000000", ""])
def test_a_stack_size_that_is_none_is_refused_before_anything_starts(slots):
    refused = call("run", "--study", "digits", "--slots", slots)
    assert refused.exit_code == 2
    assert f"expected a number from 1 to 1024, or auto; received {slots!r}" in refused.stderr
    assert not list(Path().glob("*.journal"))


@pytest.mark.parametrize("option", ["--workers", "--slots"])
def test_no_machine_has_a_million_workers_or_slots(option):
    assert call("run", "--study", "digits", option, "1000000").exit_code == 2


def test_a_narrow_terminal_loses_no_column(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert all(word in call("check", "digits").stdout for word in ("val_accuracy", "lenet5", "meaning"))


def test_studies_lists_another_tool_s_study_of_several_objectives():
    storage = open_storage("lenet-search.journal", create=True)
    optuna.create_study(storage=storage, study_name="[bold]two[/]", directions=["minimize", "maximize"])
    result = call("studies")
    assert result.exit_code == 0
    assert "[bold]two[/]" in result.stdout
    assert "several objectives" in result.stdout


@pytest.mark.parametrize("timeout", ["soon", "-3", "0"])
def test_a_timeout_that_is_none_is_refused_before_anything_starts(timeout):
    refused = call("run", "--study", "digits", "--timeout", timeout)
    assert refused.exit_code == 2
    assert "--timeout" in refused.stderr
    assert not list(Path().glob("*.journal"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--refit"], "expected --export beside it"),
        (["--export", "--ray", "auto"], "expected --refit beside it: nothing else is trained"),
    ],
)
def test_an_option_of_best_that_has_no_effect_is_refused(options, message):
    refused = call("best", *options)
    assert refused.exit_code == 2
    assert message in " ".join(refused.stderr.replace("│", " ").split())
