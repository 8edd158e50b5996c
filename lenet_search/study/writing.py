"""Writes a recipe as a study file with every value fixed."""

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


def _aligned(table: Mapping[str, Any]) -> list[str]:
    width = max(len(key) for key in table)
    return [f"{key:<{width}} = {value_text(value)}" for key, value in table.items()]
