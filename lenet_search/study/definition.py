"""The validated contents of a study file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lenet_search.recipe import FIELDS, Value
from lenet_search.space import Choice, Entry, Range, Space
from lenet_search.study.claim import Claim
from lenet_search.study.component import Component
from lenet_search.study.confirming import Confirming
from lenet_search.study.portfolio import EARLY, from_portfolio, portfolio
from lenet_search.study.seeds import Seeds
from lenet_search.study.toml_text import value_text

Direction = Literal["maximize", "minimize"]

METRICS: dict[str, Direction] = {
    "val_accuracy": "maximize",
    "val_loss": "minimize",
    "val_balanced_accuracy": "maximize",
}


@dataclass(frozen=True)
class Definition:
    """A study: its search space, and how and how long it is searched.

    `path` is None if the study was not read from a file. `timeout` is in seconds, or None for no limit. The entries of
    `start` contain only searched hyperparameters and are queued as the first trials.
    `confirm`: the race with which a search ends, if any.
    `reference`: whether the defaults are among the first trials, so that there is something to beat.
    `portfolio`: how many recipes that did well elsewhere are among the first trials.
    `seeds`: from how many seeds each trial is trained.
    `repeat`: whether a study with nothing open trains its one recipe `trials` times.
    """

    name: str
    path: Path | None
    metric: str
    direction: Direction
    trials: int
    timeout: float | None
    seed: int
    sampler: Component
    pruner: Component
    space: Space
    start: tuple[dict[str, Value], ...]
    claim: Claim | None = None
    confirm: Confirming | None = None
    repeat: bool = False
    reference: bool = False
    portfolio: int = 0
    seeds: Seeds = field(default_factory=Seeds)

    @property
    def recipe_name(self) -> str:
        """The name of a recipe. Exports are always named recipe.toml, so such a file takes the name of its folder."""
        if self.name == "recipe" and self.path is not None:
            return self.path.resolve().parent.name
        return self.name

    @property
    def first(self) -> tuple[dict[str, Value], ...]:
        """The searched hyperparameters of the trials to queue in a new study, no two alike.

        These are its starts, perhaps the defaults, and recipes of the portfolio, or the nearest values of the space. A
        few of the portfolio come first: they answer soonest what a good value is.
        """
        found: list[dict[str, Value]] = []
        searched = self.space.searched()
        defaults = [self.space.nearest({})] if self.reference else []
        chosen = from_portfolio(self.space, portfolio())[: self.portfolio] if self.portfolio else []
        for recipe in (*chosen[:EARLY], *self.start, *defaults, *chosen[EARLY:]):
            trial = {path: value for path, value in recipe.items() if path in searched}
            if trial and trial not in found:
                found.append(trial)
        return tuple(found)

    def lines(self) -> dict[str, str]:
        """Everything that determines the trials and how they are drawn, as TOML text by dotted key.

        This is stored with the study and compared when the study is opened again. Name, trials, timeout, repeat,
        reference, portfolio, confirm and claim are left out, since changing them does not make it a different study.
        """
        lines = {
            "study.metric": value_text(self.metric),
            "study.direction": value_text(self.direction),
            "study.seed": value_text(self.seed),
            "study.sampler": value_text(self.sampler.table()),
            "study.pruner": value_text(self.pruner.table()),
        }
        if self.seeds != Seeds():  # what versions without it stored stays the same
            lines["study.seeds"] = value_text(self.seeds.value())
        lines |= {path: entry_text(entry) for path, entry in self.space.entries.items()}
        return lines | {f"start.{number}": value_text(values) for number, values in enumerate(self.start, 1)}


def entry_text(entry: Entry) -> str:
    """A value, range or choice as written in a study file."""
    if isinstance(entry, Choice):
        return value_text({"choices": entry.choices})
    if not isinstance(entry, Range):
        return value_text(entry)
    table: dict[str, Value] = {"low": entry.low, "high": entry.high}
    if entry.log:
        table["log"] = True
    if entry.step is not None:
        table["step"] = entry.step
    return value_text(table)


def differences(stored: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Lines like `train.epochs: stored 10, now 12`, in the order of the file. Empty if the two are equal.

    A hyperparameter that the stored definition lacks did not exist in the version that wrote it, and had the effect of
    its default. One that this version lacks is named.
    """
    before = {**{path: value_text(FIELDS[path].default) for path in new if _was_there(path, stored)}, **stored}
    found = []
    for key in dict.fromkeys([*new, *stored]):
        if not _is_equal(before.get(key), new.get(key)):
            now = f"now {new[key]}" if key in new else "this version has none" if _is_unknown(key) else "now nothing"
            found.append(f"{key}: stored {before.get(key, 'nothing')}, {now}")
    return found


def _is_equal(first: str | None, second: str | None) -> bool:
    """Whether two values in TOML are the same: 0 and 0.0, or two ways to write a list, are."""
    if first is None or second is None or first == second:
        return first == second
    try:
        return bool(tomllib.loads(f"value = {first}") == tomllib.loads(f"value = {second}"))
    except tomllib.TOMLDecodeError:
        return False


def _is_unknown(key: str) -> bool:
    """Whether a key is that of a hyperparameter, but of none that this version has."""
    return key not in FIELDS and key.split(".")[0] not in ("study", "start")


def _was_there(path: str, stored: Mapping[str, str]) -> bool:
    """Whether a hyperparameter would have been stored, had it existed: not those of a kind that was never picked."""
    field = FIELDS.get(path)
    if field is None or field.branch is None:
        return field is not None
    kind = f"{field.section}.kind"
    return value_text(field.branch) in stored.get(kind, value_text(FIELDS[kind].default))
