"""A sampler or pruner given as an option of the command line, rather than in a study file."""

import re
import tomllib
from typing import Any

from lenet_search.errors import StudyFileError
from lenet_search.study.component import Component, classes, read_component
from lenet_search.study.source import Source


class _Option(Source):
    """The value of one option; problems begin with its text."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.values: dict[str, Any] = {}
        self._overridden = set()
        self._problems = []
        self._places = {}


def pruner_names() -> list[str]:
    """Optuna's pruners."""
    return sorted(classes("pruner"))


def read_pruner(text: str) -> Component:
    """The pruner in `text`, as after `pruner =` in a study file.

    Raises:
        StudyFileError: it is none, or Optuna would reject its arguments.
    """
    source = _Option(f"--pruner {text}")
    try:
        raw = tomllib.loads(f"pruner = {text}")["pruner"]
    except ValueError as error:
        if not re.fullmatch(r"\w+", text.strip()):
            raise StudyFileError([f"{source.label}: expected a TOML table; received: {error}"]) from None
        raw = text.strip()
    component = read_component(source, raw, ("pruner",), "pruner")
    if component is None:
        raise StudyFileError(source.problems)
    return component
