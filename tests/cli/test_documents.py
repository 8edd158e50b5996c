import re
import shlex

import pytest
from calls import ROOT
from typer.main import get_command

from lenet_search.cli import app


def commands_in(text: str) -> list[list[str]]:
    whole = re.sub(r" \\\n\s*", " ", text)  # a line that ends in a backslash goes on in the next
    lines = [line.split("  #")[0].strip() for line in whole.splitlines()]
    return [shlex.split(line)[1:] for line in lines if re.match(r"lenet-search (?!COMMAND)\w", line)]


def documented() -> list[list[str]]:
    texts = [(ROOT / "README.md").read_text(encoding="utf-8")]
    texts += [command.epilog or "" for command in get_command(app).commands.values()]
    files = [*sorted((ROOT / "studies").glob("*.toml")), *sorted((ROOT / "recipes").glob("*.toml"))]
    texts += [path.read_text(encoding="utf-8").replace("# ", "") for path in files]
    texts += [(ROOT / "docs" / "classics.md").read_text(encoding="utf-8")]
    # what stands behind two spaces in a help text explains the command
    return [words for text in texts for words in commands_in(re.sub(r"(?m)(\S) {3,}\S.*$", r"\1", text))]


@pytest.mark.parametrize("words", documented(), ids=" ".join)
def test_every_command_in_the_documents_is_one_that_the_parser_takes(words):
    command = get_command(app).commands[words[0]]
    command.make_context(words[0], words[1:])  # raises for an option that is not there, or a value of a wrong type


def test_the_documents_show_every_command():
    assert {words[0] for words in documented()} == set(get_command(app).commands)


def test_the_readme_names_every_environment_variable_that_the_package_reads():
    read = {
        name
        for path in (ROOT / "lenet_search").rglob("*.py")
        for name in re.findall(r"LENET_SEARCH_[A-Z]+", path.read_text(encoding="utf-8"))
    }
    assert read == set(re.findall(r"LENET_SEARCH_[A-Z]+", (ROOT / "README.md").read_text(encoding="utf-8")))
