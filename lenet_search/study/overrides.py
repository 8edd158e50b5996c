"""`--set KEY=VALUE`: overrides values of a study file before they are validated."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from lenet_search.recipe import SECTIONS
from lenet_search.study.source import Source

# A value that is not TOML but evidently a string: adam, 30m, data/my-images.npz
_BARE_TEXT = re.compile(r"""[^\s{}\[\]"'=,#][^{}\[\]"'=,#\n]*""")


def apply(source: Source, overrides: Sequence[str]) -> None:
    """Replace values of `source` in the given order, kinds first. Overrides that cannot be parsed are reported."""
    pairs = [pair for text in overrides if (pair := _parse(source, text)) is not None]
    for path, value, text in sorted(pairs, key=lambda pair: pair[0][-1] != "kind"):
        if path[-1] == "kind" and len(path) > 1:
            _drop_other_kinds(source, path[:-1], value)
        source.replace(path, value, text)


def _parse(source: Source, text: str) -> tuple[tuple[str, ...], Any, str] | None:
    key, equals, value_part = text.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        source.report_override(text, "KEY=VALUE, like train.epochs=2")
        return None
    try:
        table = tomllib.loads(f"value = {value_part.strip()}")
    except ValueError as error:
        if _BARE_TEXT.fullmatch(value_part.strip()):
            return path, value_part.strip(), text
        source.report_override(text, f"a TOML value ({error})")
        return None
    if len(table) != 1:
        source.report_override(text, "a single TOML value")
        return None
    return path, table["value"], text


def _drop_other_kinds(source: Source, path: tuple[str, ...], kind: Any) -> None:
    """When the kind changes, drop the file's arguments of kinds that can no longer be selected."""
    table: Any = source.values
    for part in path:
        table = table.get(part) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return
    dropped: list[str] = []
    if len(path) == 1:
        choices = kind.get("choices") if isinstance(kind, dict) else [kind]
        picked = choices if isinstance(choices, list) else []
        branches = getattr(SECTIONS.get(path[0]), "BRANCHES", {})
        dropped = [name for name in table if name in branches and name not in picked]
    elif path[0] == "study" and table.get("kind") != kind:
        dropped = list(table)
    for name in dropped:
        del table[name]
