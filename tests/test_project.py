"""The files around the package say the same as one another."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import lenet_search

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normal(requirement: str) -> str:
    """The name in "tensorflow[and-cuda]>=2.20", as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement.strip())[0]).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [re.fullmatch(r"([A-Za-z0-9._-]+)==([\w.+!]+)", line) for line in lines if not line.startswith("#")]
    assert all(matches), "constraints.txt holds NAME==VERSION lines and comments, nothing else"
    return {normal(match[1]): match[2] for match in matches if match}


def test_everything_that_is_installed_is_pinned():
    wanted, seen = ["lenet-search"], set()
    extras = {"jax", "test", "dev"}
    while wanted:
        name = wanted.pop()
        seen.add(name)
        needs = (
            [*PROJECT["dependencies"], *(r for extra in extras for r in PROJECT["optional-dependencies"][extra])]
            if name == "lenet-search"
            else [r for r in metadata.requires(name) or [] if ";" not in r]  # those without a condition
        )
        wanted += [n for n in map(normal, needs) if n not in seen]
    assert seen - {"lenet-search", "setuptools"} <= set(pins())


def test_the_pins_satisfy_the_lower_bounds():
    from packaging.requirements import Requirement

    extras = PROJECT["optional-dependencies"]
    lists = [PROJECT["dependencies"], *(extras[name] for name in ("gpu", "jax", "test", "dev", "benchmarks"))]
    for text in [text for each in lists for text in each]:
        requirement = Requirement(text)
        if requirement.name != PROJECT["name"]:
            assert requirement.specifier.contains(pins()[normal(requirement.name)]), text


def test_the_changelog_tells_of_this_version():
    versions = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert versions[0] == lenet_search.__version__


def test_one_install_command_stands_in_readme_contributing_and_ci():
    for name in ("README.md", "CONTRIBUTING.md", ".ci/run"):
        words = (ROOT / name).read_text(encoding="utf-8").replace("--quiet ", "")
        assert "pip install -c constraints.txt -e '.[dev]'" in words, name


def test_contributors_find_the_files_they_are_sent_to():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r"`((?:tests|docs)/[\w./]+)`", text)
    assert linked
    assert not [path for path in linked if not (ROOT / path).exists()]
