"""All hyperparameters as Markdown tables, for `docs/studies.md`: `python -m lenet_search.recipe.table`."""

import json
from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import FIELDS, SECTIONS, Field


def tables() -> str:
    """One table for each section of a study file, in the order of `FIELDS`."""
    return "\n\n".join(_section(section) for section in SECTIONS)


def _section(section: str) -> str:
    table = SECTIONS[section]
    fields = [field for field in FIELDS.values() if field.section == section]
    lines = [f"### `[{section}]`", "", _sentence(_first_line(table).partition(": ")[2]), ""]
    for field in fields:
        if isinstance(field.legal.options, Mapping):
            things = field.legal.options.items()
            lines += [f"`{field.path}`:", "", *(f"- `{name}`: {_first_line(thing)}" for name, thing in things), ""]
    lines += ["| hyperparameter | default | legal values | meaning |", "|---|---|---|---|", *map(_row, fields)]
    return "\n".join(lines)


def _row(field: Field) -> str:
    unit = f" ({field.legal.unit})" if field.legal.unit else ""
    cells = (f"`{field.path}`", f"`{json.dumps(field.default)}`", field.legal.expected + unit, field.legal.meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _first_line(thing: Any) -> str:
    return str(getattr(thing, "meaning", None) or (thing.__doc__ or "").splitlines()[0])


if __name__ == "__main__":
    print(tables())
