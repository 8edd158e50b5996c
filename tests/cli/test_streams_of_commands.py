"""Every command on the output that people have: other encodings, narrow terminals, closed and full streams."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from calls import ROOT, call, store, write_study
from typer.testing import CliRunner

from lenet_search.cli import app

COMMANDS = ("run", "best", "check", "studies", "train", "evaluate", "predict", "compare", "reproduce")
# What each command says in a folder with one stored study: an answer, or an error.
CALLS = (
    ["best"], ["best", "--json"], ["studies"], ["studies", "--json"], ["check", "mine.toml"], ["reproduce", "--list"],
    ["run", "--study", "nope"], ["train", "nope"], ["compare", "nope"], ["evaluate", "nope.keras"], ["--help"],
    ["predict", "nope.keras", "nope.png"], ["run", "--help"],
)  # fmt: skip
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def stored() -> None:
    """A study whose table has bars: ten trials are enough for importances."""
    store(write_study(Path("mine.toml")), values=tuple(0.5 + n / 100 for n in range(12)))


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    everything = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, "-c", code, *arguments], env=everything, capture_output=True, check=False)


# One process for all calls: importing takes longer than answering.
ALL = """
import json, sys
from lenet_search.cli import app
for call in json.loads(sys.argv[1]):
    try:
        app(call)
    except SystemExit as end:
        assert end.code in (0, 2), (call, end.code)
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_command_prints_in_every_encoding(stored, encoding):
    for arguments in (*CALLS, ["check", "sieben-\udcff.toml"]):
        done = CliRunner(charset=encoding).invoke(app, arguments)
        assert done.exit_code in (0, 2), (arguments, done.exception)
        done.output_bytes.decode(encoding)
        if arguments == ["best"]:
            bar = "\N{FULL BLOCK}" if encoding == "utf-8" else "#"
            assert 5 * bar in done.stdout_bytes.decode(encoding)


@pytest.mark.skipif(not str(ROOT).isascii(), reason="Python itself cannot start there: its .pth files are not ASCII")
def test_a_locale_without_an_encoding_is_one_of_plain_characters(stored):
    done = python(ALL, json.dumps([["best"], ["--help"], ["check", "sieben-\udcff.toml"]]), **C_LOCALE)
    assert done.returncode == 0, done.stderr
    assert "#####" in done.stdout.decode("ascii")
    assert "sieben-?.toml" in done.stderr.decode("ascii")


@pytest.mark.parametrize("columns", ["20", "0", "abc"])
def test_every_command_prints_on_every_width(stored, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    for arguments in CALLS:
        done = call(*arguments)
        assert done.exit_code in (0, 2), (arguments, done.exception)
        assert done.output.strip()


@pytest.mark.parametrize("width", [60, 80])
def test_help_wraps_no_example_and_cuts_no_name(width):
    done = python(ALL, json.dumps([[command, "--help"] for command in COMMANDS]), COLUMNS=str(width))
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.decode().splitlines()]
    assert not any("…" in line for line in lines)
    for line in [line for command in COMMANDS for line in _examples(command)]:
        assert line.strip() in lines, line


def _examples(command: str) -> list[str]:
    from importlib import import_module

    text: str = getattr(import_module(f"lenet_search.cli.{command}"), "EXAMPLES", "")
    return [line for line in text.splitlines() if line.startswith(" ")]


def test_help_has_its_text_where_python_drops_docstrings():
    helped = python("from lenet_search.cli import app; app(['--help'])", PYTHONOPTIMIZE="2")
    assert b"Search the space of a study" in helped.stdout


def run(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which `ls` is the command line, as `python -m lenet_search` starts it."""
    everything = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable, **environment}
    command = f'ls() {{ "$PYTHON" -m lenet_search "$@"; }}; {command}'
    return subprocess.run(["bash", "-c", command], env=everything, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_is_gone_and_a_full_disk_end_a_command_without_a_traceback(stored, unbuffered):
    line = (
        "ls best | true; echo pipe ${PIPESTATUS[0]}; ls --help | true; echo help ${PIPESTATUS[0]}; "
        "ls studies --json > /dev/full; echo full $?; ls --version > /dev/full; echo version $?"
    )
    done = run(line, PYTHONUNBUFFERED=unbuffered)
    assert done.stdout.split() == ["pipe", "141", "help", "141", "full", "1", "version", "1"]
    assert "standard output: no space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_closed_streams_are_no_error_and_no_file_takes_their_place(stored):
    before = Path("lenet-search.journal").read_bytes()
    done = run("for closed in '<&- >/dev/null' '>&-' '<&- >&- 2>&-'; do eval ls studies $closed; echo $?; done")
    assert done.stdout.split() == ["0"] * 3
    assert done.stderr == ""
    assert Path("lenet-search.journal").read_bytes() == before


def test_a_warning_is_no_error_where_another_project_wants_it_so():
    code = (
        "import sys, warnings, lenet_search.cli, lenet_search.__main__ as main\n"
        "lenet_search.cli.app = lambda **_: warnings.warn('Keras is about to change')\n"
        "main.main()\n"
    )
    assert python(code, PYTHONWARNINGS="error").returncode == 0


def test_ctrl_c_while_python_imports_leaves_without_a_word():
    code = (
        "import os, signal, threading, lenet_search.__main__ as main\n"
        "threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "main.main()\n"
    )
    done = python(code)
    assert done.returncode == 130
    assert done.stderr == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_a_command_leaves_with_its_exit_code(monkeypatch, number):
    def interrupted(*_: object, **__: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(5)

    monkeypatch.setattr("lenet_search.study.read", interrupted)
    stopped = call("check", "digits", "--json")
    assert stopped.exit_code == 128 + number
    assert "Interrupted." in stopped.stderr
    assert json.loads(stopped.stdout)["error"]["kind"] == "Interrupted"
