"""Writes a recipe as a study file with every value fixed, and a stored study as the file that it was."""

import tomllib
from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import SECTIONS, Recipe
from lenet_search.study.component import Component
from lenet_search.study.toml_text import comment_lines, key_text, value_text


def write_recipe(recipe: Recipe, header: str = "", study: Mapping[str, Any] | None = None) -> str:
    """The recipe as a study file. `read_recipe` returns an equal recipe.

    Args:
        recipe: written in full, including defaults
        header: text of the leading comment
        study: keys of `[study]`; a `Component` is written as its table
    """
    lines = [f"# {line}".rstrip() for line in comment_lines(header)]
    if study:
        plain = {key: value.table() if isinstance(value, Component) else value for key, value in study.items()}
        lines += ["", "[study]", *_aligned({key_text(key): value for key, value in plain.items()})]
    values = recipe.values()
    for section in SECTIONS:
        prefix = f"{section}."
        inside = {path.removeprefix(prefix): value for path, value in values.items() if path.startswith(prefix)}
        lines += ["", f"[{section}]", *_aligned(inside)]
    return "\n".join(lines).lstrip("\n") + "\n"


def write_study(lines: Mapping[str, str]) -> str:
    """A stored study (`Definition.lines`) as a study file. `read` returns a definition with the same lines."""
    tables: dict[str, dict[str, str]] = {}
    for key, text in lines.items():
        section, _, name = key.partition(".")
        tables.setdefault(f"[{section}]" if section != "start" else f"[[start]] {name}", {})[name] = text
    parts = []
    for header, table in tables.items():
        if header.startswith("[[start]]"):
            (text,) = table.values()
            table = {key: value_text(value) for key, value in tomllib.loads(f"start = {text}")["start"].items()}
            header = "[[start]]"
        width = max(map(len, table))
        parts.append("\n".join([header, *(f"{name:<{width}} = {text}" for name, text in table.items())]))
    return "\n\n".join(parts) + "\n"


def _aligned(table: Mapping[str, Any]) -> list[str]:
    width = max(len(key) for key in table)
    return [f"{key:<{width}} = {value_text(value)}" for key, value in table.items()]
