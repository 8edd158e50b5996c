import os
import subprocess
import sys
from pathlib import Path

import pytest
from calls import ROOT, call, write_study

from lenet_search.cli import app

COMMANDS = [str(command.name) for command in app.registered_commands]
EXPLAINED = [str(command.name) for command in app.registered_commands if command.epilog]


def test_help_names_every_command():
    shown = call("--help")
    assert shown.exit_code == 0
    assert len(COMMANDS) == 13
    for command in COMMANDS:
        assert command in shown.stdout


@pytest.mark.parametrize("command", EXPLAINED)
def test_help_of_a_command_has_an_example_that_stands_on_a_line_of_its_own(command):
    lines = [line.strip() for line in call(command, "--help").stdout.splitlines()]
    assert any(line.startswith(f"lenet-search {command}") for line in lines)


def test_the_version_is_the_package_s():
    from lenet_search import __version__

    assert call("--version").stdout == f"lenet-search {__version__}\n"


def complete(words: str, position: int) -> list[str]:
    environment = {
        **os.environ, "_LENET_SEARCH_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    answer = subprocess.run(
        [sys.executable, "-m", "lenet_search"], env=environment, capture_output=True, text=True, check=True
    )
    return answer.stdout.split()


def test_the_shell_completes_the_names_of_studies():
    write_study(Path("studies/mine.toml"))
    assert {"digits", "mine"} <= set(complete("lenet-search run --study ", 3))
    assert complete("lenet-search run --study di", 3) == ["digits"]


def test_the_shell_completes_the_names_of_recipes():
    Path("recipes").mkdir()
    Path("recipes/lenet-mine.toml").write_text("")
    named = complete("lenet-search reproduce lenet-", 2)
    assert {"lenet-basic", "lenet-mine"} <= set(named)
    assert complete("lenet-search train custom", 2) == complete("lenet-search compare custom", 2) == ["custom-mlp"]
    assert {"digits", "lenet-basic"} <= set(complete("lenet-search check ", 2))


def test_the_shell_completes_the_keys_of_set_and_their_values():
    assert {"train.epochs=", "train.batch_size="} <= set(complete("lenet-search run --set train.", 3))
    assert {"study.metric=", "study.seed="} <= set(complete("lenet-search check digits --set study.", 4))
    values = complete("lenet-search train lenet-basic --set schedule.kind=co", 4)
    assert values == ["schedule.kind=constant", "schedule.kind=cosine"]
    assert complete("lenet-search run --set model.batch_norm=", 3) == [
        "model.batch_norm=true",
        "model.batch_norm=false",
    ]


def test_the_shell_completes_commands():
    assert complete("lenet-search ev", 1) == ["evaluate"]


def test_completion_can_be_installed_for_a_shell(tmp_path):
    code = "from lenet_search.cli import app; app(['--show-completion', 'bash'], prog_name='lenet-search')"
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "PYTHONPATH": str(ROOT)}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "complete -o default" in shown.stdout
