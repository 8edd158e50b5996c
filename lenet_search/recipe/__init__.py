"""A recipe: all hyperparameters of one training run, with every value fixed.

`FIELDS` maps every dotted path ("optimizer.sgd.momentum") to its declaration, in the order of the study file.
A recipe is passed around as flat values ({"optimizer.kind": "sgd", "optimizer.sgd.momentum": 0.9, ...}), with only the
branch selected by `kind`. `Recipe.from_values` and `Recipe.values` are inverses.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lenet_search.recipe.augment import Augment
from lenet_search.recipe.data import Data, Images
from lenet_search.recipe.field import Field, Legal, Scalar, Value, fields_of
from lenet_search.recipe.loss import Loss
from lenet_search.recipe.model import Model
from lenet_search.recipe.optimizer import Optimizer
from lenet_search.recipe.regularize import Regularize
from lenet_search.recipe.schedule import Schedule
from lenet_search.recipe.training import Train

__all__ = ["FIELDS", "SECTIONS", "Field", "Images", "Legal", "Recipe", "Scalar", "Value"]

SECTIONS: dict[str, type] = {
    "data": Data,
    "train": Train,
    "model": Model,
    "regularize": Regularize,
    "augment": Augment,
    "loss": Loss,
    "optimizer": Optimizer,
    "schedule": Schedule,
}


def declared() -> dict[str, Field]:
    """The hyperparameters declared by the sections and their kinds, by dotted path."""
    fields = []
    for section, table in SECTIONS.items():
        fields += fields_of(section, table)
        for kind, branch in getattr(table, "BRANCHES", {}).items():
            fields += fields_of(section, branch, kind)
    return {field.path: field for field in fields}


FIELDS: dict[str, Field] = declared()


def _values_of(section: str, table: Any) -> dict[str, Value]:
    values = {f.path: getattr(table, f.path.rsplit(".", 1)[1]) for f in fields_of(section, type(table))}
    if hasattr(table, "BRANCHES"):
        branch = table.branch
        fields = fields_of(section, type(branch), table.kind)
        values |= {f.path: getattr(branch, f.path.rsplit(".", 1)[1]) for f in fields}
    return values


@dataclass(frozen=True)
class Recipe:
    """One training run, whole. Sections carry their fields; `optimizer.branch` and `schedule.branch` their kind's."""

    data: Data = dataclasses.field(default_factory=Data)
    train: Train = dataclasses.field(default_factory=Train)
    model: Model = dataclasses.field(default_factory=Model)
    regularize: Regularize = dataclasses.field(default_factory=Regularize)
    augment: Augment = dataclasses.field(default_factory=Augment)
    loss: Loss = dataclasses.field(default_factory=Loss)
    optimizer: Optimizer = dataclasses.field(default_factory=Optimizer)
    schedule: Schedule = dataclasses.field(default_factory=Schedule)

    @classmethod
    def from_values(cls, values: Mapping[str, Value]) -> Self:
        """Build a recipe from flat values. Missing ones take their default; branches not selected are ignored.

        Raises:
            ValueError: for an unknown path or a value outside its legal range.
        """
        given: dict[str, dict[str, Value]] = {}
        for path, value in values.items():
            field = FIELDS.get(path)
            if field is None:
                raise ValueError(f"there is no hyperparameter {path!r}")
            if not field.legal.allows(value):
                raise ValueError(f"{path}: expected {field.legal.expected}; received {value!r}")
            prefix, name = path.rsplit(".", 1)
            given.setdefault(prefix, {})[name] = field.legal.convert(value)
        sections: dict[str, Any] = {}
        for section, table in SECTIONS.items():
            arguments: dict[str, Any] = dict(given.get(section, {}))
            if hasattr(table, "BRANCHES"):
                kind = arguments.get("kind", FIELDS[f"{section}.kind"].default)
                arguments["branch"] = table.BRANCHES[kind](**given.get(f"{section}.{kind}", {}))
            sections[section] = table(**arguments)
        return cls(**sections)

    @property
    def images(self) -> Images:
        """The images that the recipe trains on."""
        return Images(self.data.name, self.data.validation, self.data.limit, self.model.padded, self.data.size)

    def settled(self, precision: str) -> Self:
        """The recipe with `train.precision`, if it is "auto", replaced by the best precision of the device."""
        if self.train.precision != "auto":
            return self
        return dataclasses.replace(self, train=dataclasses.replace(self.train, precision=precision))

    def with_epochs(self, epochs: int) -> Self:
        """The recipe, trained for `epochs`."""
        return dataclasses.replace(self, train=dataclasses.replace(self.train, epochs=epochs))

    def values(self) -> dict[str, Value]:
        """The recipe as flat values, with defaults and the selected branches, in the order of `FIELDS`."""
        values: dict[str, Value] = {}
        for section in SECTIONS:
            values |= _values_of(section, getattr(self, section))
        return values
