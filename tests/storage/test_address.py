"""What of an address is shown: everything but its password, wherever that is."""

import shlex

import pytest

from lenet_search.crew.signals import same_command
from lenet_search.storage.address import VARIABLE, dashboard_command, shown, without_password

SECRET = "s3cret"
# Addresses with a secret in them, and what is shown.
HIDDEN = {
    f"postgresql://bob:{SECRET}@db.example.org:5432/hpo": "postgresql://bob:***@db.example.org:5432/hpo",
    f"postgresql+psycopg2://bob:{SECRET}@db/hpo?sslmode=require": "postgresql+psycopg2://bob:***@db/hpo?sslmode=require",
    f"mysql+pymysql://bob:{SECRET}@[::1]:3306/hpo": "mysql+pymysql://bob:***@[::1]:3306/hpo",
    f"redis://:{SECRET}@localhost:6379/0": "redis://:***@localhost:6379/0",
    f"rediss://me:{SECRET}@cache": "rediss://me:***@cache",
    f"postgresql://db/hpo?user=bob&password={SECRET}": "postgresql://db/hpo?user=bob&password=***",
    f"postgresql://db/hpo?pass%77ord={SECRET}&user=bob": "postgresql://db/hpo?pass%77ord=***&user=bob",
    f"postgresql://db/hpo?sslpassword={SECRET}": "postgresql://db/hpo?sslpassword=***",
    f"redis://localhost?PASSWORD={SECRET}": "redis://localhost?PASSWORD=***",
    f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{SECRET}": "mssql+pyodbc:///?odbc_connect=***",
    f"nosuch://bob:{SECRET}@host": "nosuch://bob:***@host",
    f"postgresql://bob:{SECRET}%2F%40x@db/hpo": "postgresql://bob:***@db/hpo",
    f"postgresql://bob:a/{SECRET}@db/hpo": "postgresql://bob:***@db/hpo",  # what should have been escaped, and was not
    f"postgresql://bob:a@{SECRET}@db/hpo": "postgresql://bob:***@db/hpo",
    f"postgresql://bob:a?{SECRET}@db/hpo": "postgresql://bob:***@db/hpo",
    f"postgresql://bob:a#{SECRET}@db/hpo": "postgresql://bob:***@db/hpo",
    f"--storage=postgresql://bob:{SECRET}@db/hpo": "--storage=postgresql://bob:***@db/hpo",
}


@pytest.mark.parametrize("url", HIDDEN)
def test_a_password_is_hidden_and_nothing_else(url):
    assert shown(url) == HIDDEN[url]
    assert shown(shown(url)) == shown(url)
    assert without_password(f"cannot parse {url}: no", url) == f"cannot parse {HIDDEN[url]}: no"


@pytest.mark.parametrize(
    "url",
    ["x.journal", "sqlite:///x.db", "sqlite:////data/x.db?timeout=5", "postgresql://bob@db/hpo", "redis://localhost:6379/0",
     "postgresql:///hpo?host=/run&user=a@b", "postgresql://db:5432/hpo?user=a@b", "a:b@c"],
)  # fmt: skip
def test_an_address_without_a_password_is_shown_as_it_is(url):
    assert shown(url) == url
    assert without_password("any text", url) == "any text"


def test_a_message_of_a_driver_is_shown_without_the_password_as_written_or_decoded():
    url = "postgresql://bob:p%40ss@db/hpo"
    assert without_password(f"{url}: bad p%40ss, bad p@ss, bad p@ssed", url) == (
        "postgresql://bob:***@db/hpo: bad ***, bad ***, bad p@ssed"
    )


def test_commands_for_copying_leave_the_password_to_the_environment(monkeypatch):
    url = f"postgresql://bob:{SECRET}@db/hpo"
    assert shlex.split(dashboard_command(url))[:2] == ["optuna-dashboard", shown(url)]
    monkeypatch.setenv(VARIABLE, url)
    assert dashboard_command(url).startswith(f'optuna-dashboard "${VARIABLE}" --artifact-dir')
    assert dashboard_command(shown(url)) == dashboard_command(url)
    monkeypatch.setattr("sys.argv", ["/bin/lenet-search", "run", "--storage", url, f"--storage={url}", "--name", "a b"])
    assert SECRET not in same_command()
    assert same_command().startswith("lenet-search run --storage 'postgresql://bob:***@db/hpo'")
    assert VARIABLE in same_command()
