"""The search space of a study: its fixed and searched hyperparameters, and how trials are drawn."""

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
    """Numbers from `low` to `high`, inclusive, on a grid that starts at `low` if `step` is given."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False

    def contains(self, value: float) -> bool:
        """Whether `value` can be drawn."""
        if not self.low <= value <= self.high or (self.integer and value != int(value)):
            return False
        if self.step is None:
            return True
        exact = steps_between(self.low, value, self.step)
        if self.integer:
            return exact.denominator == 1
        try:
            steps = float(exact)
        except OverflowError:  # more steps than a float can count
            return False
        return abs(steps - round(steps)) < 1e-8  # as in Optuna, which draws 0.30000000000000004


@dataclass(frozen=True)
class Choice:
    """One of several values. Lists are excluded, since samplers do not support them."""

    choices: tuple[Scalar, ...]


Entry = Value | Range | Choice


@dataclass(frozen=True)
class Space:
    """Every hyperparameter that a trial can have: fixed to a value, or searched over a range or a choice.

    `entries` contains all paths outside of branches, and those of every branch that `kind` can select, in the order of
    `FIELDS`, including defaults.
    """

    entries: Mapping[str, Entry]

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Space:
        """The space with every value fixed."""
        return cls(recipe.values())

    def searched(self) -> dict[str, Range | Choice]:
        """The searched hyperparameters, by path."""
        return {path: entry for path, entry in self.entries.items() if isinstance(entry, Range | Choice)}

    def combinations(self) -> int | None:
        """How many different trials there can be; None where a range has no end of values."""
        total = 1
        for section in dict.fromkeys(FIELDS[path].section for path in self.entries):
            shared, branches = 1, dict.fromkeys(self.kinds(section), 1) if f"{section}.kind" in self.entries else {}
            for path, entry in self.entries.items():
                field, count = FIELDS[path], values_of(entry)
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

    def nearest(self, wanted: Mapping[str, Value]) -> dict[str, Value]:
        """The trial that is nearest to `wanted`: its values where a trial can have them, else the nearest ones.

        Args:
            wanted: values by path; the others are wanted to have their defaults

        Returns:
            Flat values for `Recipe.from_values`, from the selected branches only.
        """
        values: dict[str, Value] = {}
        for path, entry in self.entries.items():
            field = FIELDS[path]
            if field.branch is None or values[f"{field.section}.kind"] == field.branch:
                values[path] = _nearest(entry, wanted.get(path, field.default))
        return values

    def sample(self, trial: optuna.Trial) -> dict[str, Value]:
        """Draw a trial: flat values for `Recipe.from_values`, from the selected branches only.

        Optuna's parameters are named by their dotted paths. Only those that have an effect are requested.
        """
        values: dict[str, Value] = {}
        for path, entry in self.entries.items():
            field = FIELDS[path]
            if field.branch is None or values[f"{field.section}.kind"] == field.branch:
                values[path] = _suggest(trial, path, entry)
        return values

    def possible(self, path: str) -> tuple[Scalar, ...] | Range:
        """The possible values of a hyperparameter, or its range. Empty for a branch that `kind` never selects.

        Lists are always fixed, and yield no values here.

        Raises:
            KeyError: there is no hyperparameter with this path.
        """
        if path not in FIELDS:
            raise KeyError(f"there is no hyperparameter {path!r}")
        if path not in self.entries:
            return ()
        entry = self.entries[path]
        if isinstance(entry, Range):
            return entry
        if isinstance(entry, Choice):
            return entry.choices
        return () if isinstance(entry, tuple) else (entry,)

    def can_exceed(self, path: str, value: float = 0) -> bool:
        """Whether, in any trial, the number at `path` can exceed `value` or the flag can be true."""
        possible = self.possible(path)
        if isinstance(possible, Range):
            return possible.high > value
        return any(one if isinstance(one, bool) else not isinstance(one, str) and one > value for one in possible)

    def kinds(self, section: str) -> tuple[str, ...]:
        """The kinds that "optimizer" or "schedule" can take."""
        possible = self.possible(f"{section}.kind")
        legal = FIELDS[f"{section}.kind"].legal.choices
        return () if isinstance(possible, Range) else tuple(kind for kind in legal if kind in possible)


def values_of(entry: Entry) -> int | None:
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
    """The exact number of steps from `low` to `value`, in decimal arithmetic: 0.1 is a tenth."""
    return (Fraction(str(value)) - Fraction(str(low))) / Fraction(str(step))


def _nearest(entry: Entry, wanted: Value) -> Value:
    """The value of an entry that is nearest to the wanted one; the first choice where nothing is near."""
    if isinstance(entry, Choice):
        numbers = [choice for choice in entry.choices if _is_number(choice)]
        if wanted not in entry.choices and _is_number(wanted) and numbers:
            return min(numbers, key=lambda choice: abs(choice - wanted))  # type: ignore[operator]
        return wanted if wanted in entry.choices else entry.choices[0]
    if not isinstance(entry, Range):
        return entry
    assert isinstance(wanted, int | float)
    value = wanted
    if not entry.contains(wanted):
        value = min(max(wanted, entry.low), entry.high)
        step = 1 if entry.step is None and entry.integer else entry.step
        if step is not None:
            most = int(steps_between(entry.low, entry.high, step))
            steps = min(round((value - entry.low) / step), most)
            value = float(Fraction(str(entry.low)) + steps * Fraction(str(step)))  # 0.3, and not 0.30000000000000004
    return int(value) if entry.integer else float(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


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
