"""No command shows the password of a storage: not in what it prints, nor in errors, tracebacks or files."""

import json
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.calls import call, store, write_study
from servers import PASSWORD, Server

COMMANDS = [
    ("studies",), ("studies", "--json"), ("best",), ("best", "--json"), ("best", "--export"),
    ("best", "--study", "other"),
    ("run", "--study", "mine.toml", "--workers", "1"), ("run", "--study", "mine.toml", "--workers", "1", "--json"),
    ("run", "--study", "mine.toml", "--set", "train.epochs=3"),
]  # fmt: skip


@pytest.mark.parametrize("way", ["option", "environment"])
@pytest.mark.parametrize("name", ["postgresql", "redis"])
def test_no_command_shows_the_password_of_its_storage(servers: Callable[[str], Server], name, way, monkeypatch):
    url = servers(name).new()
    store(write_study(Path("mine.toml")), url)
    hidden, given = url.replace(PASSWORD, "***"), ("--storage", url) if way == "option" else ()
    if way == "environment":
        monkeypatch.setenv("LENET_SEARCH_STORAGE", url)
    said = {}
    for command in COMMANDS if (name, way) == ("postgresql", "option") else COMMANDS[:-3]:
        monkeypatch.setattr("sys.argv", ["lenet-search", *command, *given])
        result = call(*command, *given)
        said[command] = result.output + result.stderr
        assert PASSWORD not in said[command] + repr(result.exception)
        if "--json" in command and result.exit_code == 0:
            assert json.loads(result.stdout)["storage"] == hidden
    assert hidden in said["studies",]
    assert not [path for path in Path().rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    if len(said) == len(COMMANDS):
        run = said["run", "--study", "mine.toml", "--workers", "1"]
        assert f"optuna-dashboard '{hidden}'" in run
        assert f"--storage '{hidden}' --export" in run
        assert "LENET_SEARCH_STORAGE can hold the whole address" in run


@pytest.mark.parametrize("debug", ["", "1"])
@pytest.mark.parametrize(
    "url",
    ["postgresql://bob:PW@127.0.0.1:1/hpo", "postgresql://bob:a/PW@db/hpo", "postgresql://bob:PW@db:port/hpo",
     "postgresql+nothing://bob:PW@db/hpo", "redis://:PW@127.0.0.1:1/zero", "postgresql://db/hpo?password=PW&nothing=1",
     "mysql+pymysql://bob:PW@127.0.0.1:1/hpo?nothing=1", "nosuch://bob:PW@db"],
)  # fmt: skip
def test_an_address_that_leads_nowhere_is_refused_without_its_password(url, debug, monkeypatch):
    monkeypatch.setenv("LENET_SEARCH_DEBUG", debug)
    for module in ("database", "redis_journal"):
        monkeypatch.setattr(f"lenet_search.storage.{module}.OPENING", 0.1)
    result = call("best", "--storage", url.replace("PW", PASSWORD))
    assert result.exit_code
    trace = "".join(traceback.format_exception(result.exception)) if debug else ""
    assert PASSWORD not in result.output + result.stderr + trace
    assert "***" in result.stderr + trace
