"""A hyperparameter, declared once: default, meaning, unit and legal values.

The study parser, the sampler, the error messages, the export and the table in `docs/studies.md` all follow from
these declarations; nothing else in the package lists hyperparameters.
"""

import builtins
import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, cast

Scalar = bool | int | float | str
Value = Scalar | tuple[float, ...]


@dataclass(frozen=True)
class Legal:
    """The values that one hyperparameter may take. `low`/`high` are included unless `open_low`/`open_high`."""

    type: type
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False
    options: Collection[str] = ()  # allowed names of a string: a registry, or a few names
    count_or_share: bool = False  # an int is a count (0 or more), a float a share (between 0 and 1)
    items: builtins.type[Any] | None = None  # type of a list's items; the bounds apply to the items

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed names of a string, as currently in the registry; empty for other types."""
        return tuple(self.options)

    @property
    def _item(self) -> "Legal":
        """The legal values of a list's item."""
        assert self.items is not None
        return replace(self, type=self.items, items=None)

    @property
    def expected(self) -> str:
        """The legal values in words, for error messages and tables: 'a number from 0 to below 1'."""
        if self.items is not None:
            return f"a list; each item {self._item.expected}"
        if self.choices:
            return "one of " + ", ".join(f'"{choice}"' for choice in self.choices)
        if self.count_or_share:
            return "a count (a whole number from 0) or a share (a number between 0 and 1)"
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "a string"
        words = "a whole number" if self.type is int else "a number"
        if self.low is not None:
            words += f" {'above' if self.open_low else 'from'} {self.low:g}"
        if self.high is not None:
            words += f" {'to below' if self.open_high else 'to'} {self.high:g}"
        return words

    def allows(self, value: object) -> bool:
        """Whether `value` is legal. A whole number is a legal float; true and false are not numbers."""
        if self.items is not None:
            return isinstance(value, (list, tuple)) and len(value) > 0 and all(map(self._item.allows, value))
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if self.type is bool:
            return isinstance(value, bool)
        if self.type is str:  # no halves of characters, as in a file name that is not UTF-8: no file could hold them
            return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if self.count_or_share:
            return value >= 0 if isinstance(value, int) else 0 < value < 1
        if self.type is int and not isinstance(value, int):
            return False
        if isinstance(value, int) and not -(2**63) <= value < 2**63:  # TOML's whole numbers, and the samplers'
            return False
        if value != value or value in (float("inf"), float("-inf")):
            return False
        if self.low is not None and (value <= self.low if self.open_low else value < self.low):
            return False
        return not (self.high is not None and (value >= self.high if self.open_high else value > self.high))

    def convert(self, value: Any) -> Value:
        """A legal value in the field's type: 1 becomes 1.0 for a float, and a list becomes a tuple."""
        if self.items is not None:
            return tuple(self.items(item) for item in value)
        if self.type is float and not self.count_or_share:
            return float(value)
        return cast(Value, value)


@dataclass(frozen=True)
class Field:
    """A hyperparameter with its dotted path, an entry of `FIELDS` in `lenet_search.recipe`.

    `section` is its table ("optimizer"); `branch` is the kind that selects it ("sgd"), or None.
    """

    path: str
    section: str
    branch: str | None
    default: Value
    legal: Legal


def number(
    default: float,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    unit: str = "",
) -> Any:
    """A dataclass field for a number, whole if `default` is an int. `above`/`below` exclude the bound."""
    legal = Legal(
        type=int if isinstance(default, int) else float,
        meaning=meaning,
        unit=unit,
        low=low if above is None else above,
        high=high if below is None else below,
        open_low=above is not None,
        open_high=below is not None,
    )
    return dataclasses.field(default=default, metadata={"legal": legal})


def numbers(default: tuple[float, ...], meaning: str, *, low: float | None = None, high: float | None = None) -> Any:
    """A dataclass field for a list of numbers, whole if those of `default` are. It cannot be searched."""
    items = int if all(isinstance(item, int) for item in default) else float
    legal = Legal(type=tuple, meaning=meaning, low=low, high=high, items=items)
    return dataclasses.field(default=default, metadata={"legal": legal})


def count_or_share(default: float, meaning: str) -> Any:
    """A dataclass field for a count (int) or a share (float)."""
    return dataclasses.field(default=default, metadata={"legal": Legal(float, meaning, count_or_share=True)})


def choice(default: str, options: Collection[str], meaning: str) -> Any:
    """A dataclass field for one of several names; a registry is read when needed, so later entries count."""
    return dataclasses.field(default=default, metadata={"legal": Legal(str, meaning, options=options)})


def text(default: str, meaning: str) -> Any:
    """A dataclass field for any string."""
    return dataclasses.field(default=default, metadata={"legal": Legal(str, meaning)})


def flag(default: bool, meaning: str) -> Any:
    """A dataclass field for true or false."""
    return dataclasses.field(default=default, metadata={"legal": Legal(bool, meaning)})


def fields_of(section: str, table: type, branch: str | None = None) -> list[Field]:
    """The hyperparameters declared by dataclass `table`, under `section` or `section.branch`."""
    prefix = section if branch is None else f"{section}.{branch}"
    return [
        Field(f"{prefix}.{f.name}", section, branch, cast(Value, f.default), f.metadata["legal"])
        for f in dataclasses.fields(table)
        if "legal" in f.metadata
    ]
