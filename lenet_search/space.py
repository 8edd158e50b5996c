"""The space of a study: which hyperparameters are open, what each may be, and how a trial is drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from lenet_search.recipe import FIELDS, Recipe, Scalar, Value

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; on a grid of `step` from `low` where one is given."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False

    def contains(self, value: float) -> bool:
        """Whether the range can give `value`."""
        if not self.low <= value <= self.high or (self.integer and value != int(value)):
            return False
        return self.step is None or steps_between(self.low, value, self.step).denominator == 1


@dataclass(frozen=True)
class Choice:
    """One of a few values; a list is none, since samplers know no lists."""

    choices: tuple[Scalar, ...]


Entry = Value | Range | Choice


@dataclass(frozen=True)
class Space:
    """Every hyperparameter that a trial of a study can have: fixed to a value, or open as a range or a choice.

    `entries` holds all paths outside of branches and those of every branch that `kind` can pick, in the order of
    `FIELDS`, defaults included.
    """

    entries: Mapping[str, Entry]

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Space:
        """The space in which nothing is open."""
        return cls(recipe.values())

    def searched(self) -> dict[str, Range | Choice]:
        """What is open, by path."""
        return {path: entry for path, entry in self.entries.items() if isinstance(entry, Range | Choice)}

    def combinations(self) -> int | None:
        """How many different trials there can be; None where a range has no end of values."""
        total = 1
        for section in dict.fromkeys(FIELDS[path].section for path in self.entries):
            shared, branches = 1, dict.fromkeys(self.kinds(section), 1) if f"{section}.kind" in self.entries else {}
            for path, entry in self.entries.items():
                field, count = FIELDS[path], _values_of(entry)
                if field.section != section or path == f"{section}.kind":
                    continue
                if count is None:
                    return None
                if field.branch is None:
                    shared *= count
                else:
                    branches[field.branch] *= count
            total *= shared * (sum(branches.values()) or 1)
        return total

    def sample(self, trial: optuna.Trial) -> dict[str, Value]:
        """Draw a trial: flat values for `Recipe.from_values`, of the picked branches only.

        Optuna's parameters are named by their dotted paths, and only those are asked for that have an effect.
        """
        values: dict[str, Value] = {}
        for path, entry in self.entries.items():
            field = FIELDS[path]
            if field.branch is None or values[f"{field.section}.kind"] == field.branch:
                values[path] = _suggest(trial, path, entry)
        return values

    def possible(self, path: str) -> tuple[Scalar, ...] | Range:
        """What a hyperparameter can be: a range, or all its values; none for a branch that `kind` never picks.

        A list is always fixed, and has none here.

        Raises:
            KeyError: when no hyperparameter has this path.
        """
        if path not in FIELDS:
            raise KeyError(f"no hyperparameter is called {path!r}")
        if path not in self.entries:
            return ()
        entry = self.entries[path]
        if isinstance(entry, Range):
            return entry
        if isinstance(entry, Choice):
            return entry.choices
        return () if isinstance(entry, tuple) else (entry,)

    def can_exceed(self, path: str, value: float = 0) -> bool:
        """Whether the number at `path` can be above `value`, or the flag be true, in any trial."""
        possible = self.possible(path)
        if isinstance(possible, Range):
            return possible.high > value
        return any(one if isinstance(one, bool) else not isinstance(one, str) and one > value for one in possible)

    def kinds(self, section: str) -> tuple[str, ...]:
        """The kinds that "optimizer" or "schedule" can take."""
        possible = self.possible(f"{section}.kind")
        legal = FIELDS[f"{section}.kind"].legal.choices
        return () if isinstance(possible, Range) else tuple(kind for kind in legal if kind in possible)


def _values_of(entry: Entry) -> int | None:
    """How many values an entry can take; None for a range without steps."""
    if isinstance(entry, Choice):
        return len(entry.choices)
    if not isinstance(entry, Range):
        return 1
    if entry.low == entry.high:
        return 1
    step = entry.step or (1 if entry.integer else None)
    return None if step is None else int(steps_between(entry.low, entry.high, step)) + 1


def steps_between(low: float, value: float, step: float) -> Fraction:
    """How many steps lead from `low` to `value`, exactly, in the decimals that a person writes: 0.1 is a tenth."""
    return (Fraction(str(value)) - Fraction(str(low))) / Fraction(str(step))


def _suggest(trial: optuna.Trial, path: str, entry: Entry) -> Value:
    if isinstance(entry, Choice):
        picked = trial.suggest_categorical(path, entry.choices)
        assert picked is not None  # Optuna's choices may be None, ours are not
        return picked
    if not isinstance(entry, Range):
        return entry
    if entry.integer:
        step = 1 if entry.step is None else int(entry.step)
        return trial.suggest_int(path, int(entry.low), int(entry.high), log=entry.log, step=step)
    return trial.suggest_float(path, entry.low, entry.high, log=entry.log, step=entry.step)
