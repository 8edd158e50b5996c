"""The cells of the engine's table: their recipes and images."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from lenet_search import data
from lenet_search.data import Split
from lenet_search.networks import Layer, network
from lenet_search.recipe import Recipe, Value
from lenet_search.recipe.data import Images
from lenet_search.recipe.model import Model
from lenet_search.space import Choice, Entry, Space
from lenet_search.structure import Structure, structure_of

IMAGE = (32, 32, 3)
STUDY = "cifar"  # a separate row: recipes drawn from the whole space of the shipped study
AUGMENT: dict[str, dict[str, Value]] = {
    "none": {},
    "flip": {"augment.flip": 0.5, "augment.shift": 4},
    "all": {
        "augment.flip": 0.5,
        "augment.shift": 4,
        "augment.rotate": 10.0,
        "augment.zoom": 0.1,
        "augment.brightness": 0.1,
        "augment.contrast": 0.1,
        "augment.cutout": 8,
    },
}
KINDS: dict[str, dict[str, Value]] = {
    "sgd": {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True},
    "adam": {"learning_rate": 1e-3},
    "adamw": {"learning_rate": 1e-3, "weight_decay": 0.01},
    "rmsprop": {"learning_rate": 1e-3},
    "nadam": {"learning_rate": 1e-3},
    "adagrad": {"learning_rate": 0.01},
    "lion": {"learning_rate": 1e-4},
}
OPTIMIZERS = {"one": ("sgd",), "mixed": tuple(KINDS)}
LABELS = {
    "none": "none", "flip": "shift + flip", "all": "all seven", STUDY: f"the {STUDY} study's",
    "one": "one (sgd)", "mixed": "mixed (seven)",
}  # fmt: skip
PRECISIONS: dict[str, dict[str, Value]] = {
    "float32": {"train.precision": "float32"},
    "bfloat16": {"train.precision": "mixed_bfloat16"},
}
CHOICES = {
    "batch_size": ["train.batch_size={ choices = [64, 128, 256] }"],
    "activation": ['model.activation={ choices = ["relu", "tanh"] }'],
    "pooling": ['model.pooling={ choices = ["max", "average"] }'],
}
STRUCTURES = {"fixed": [], **CHOICES, "all": [text for texts in CHOICES.values() for text in texts]}


@dataclass(frozen=True)
class Cell:
    """A stack of `slots` trials; `augment` and `optimizers` are names in the tables above."""

    slots: int
    augment: str
    optimizers: str
    precision: str = "float32"

    @property
    def series(self) -> tuple[str, str, str]:
        """What cells that differ only in size have in common."""
        return self.augment, self.optimizers, self.precision


def recipes_of(cell: Cell, batch: int = 128) -> tuple[list[Recipe], Structure]:
    """The recipes of a cell's slots, and their common structure: LeNet-5 with ReLU and max pooling.

    The structure is that of a study that searches all of the cell's optimizers, so a stack of one slot runs the same
    program as larger ones, and its augmentations, so slots have separate images.
    """
    if cell.augment == STUDY:
        return _drawn(cell, batch)
    fixed: dict[str, Value] = {
        "train.batch_size": batch, "train.epochs": 1000, "model.activation": "relu", "model.pooling": "max",
        "data.normalize": "standardize", **AUGMENT[cell.augment], **PRECISIONS[cell.precision],
    }  # fmt: skip
    kinds = OPTIMIZERS[cell.optimizers]
    each = [
        Recipe.from_values(
            fixed | {"optimizer.kind": kind} | {f"optimizer.{kind}.{name}": v for name, v in KINDS[kind].items()}
        )
        for kind in kinds
    ]
    entries: dict[str, Entry] = {}
    for recipe in each:
        entries |= recipe.values()
    entries |= {path: Choice((type(value)(0), value)) for path, value in AUGMENT[cell.augment].items()}
    if len(kinds) > 1:
        entries["optimizer.kind"] = Choice(kinds)
    return [each[slot % len(each)] for slot in range(cell.slots)], structure_of(each[0], Space(entries))


def _drawn(cell: Cell, batch: int) -> tuple[list[Recipe], Structure]:
    """Recipes drawn at random from the shipped study."""
    import optuna

    from lenet_search import study

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    more = [f'{path}="{value}"' for path, value in PRECISIONS[cell.precision].items()]
    space = study.read(STUDY, overrides=[f"train.batch_size={batch}", "train.epochs=1000", *more]).space
    draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    recipes = [Recipe.from_values(space.sample(draws.ask())) for _ in range(cell.slots)]
    return recipes, structure_of(recipes[0], space)


def layers_of(classes: int = 10) -> list[Layer]:
    """The network that all cells train, on `IMAGE`."""
    return network(Model(), IMAGE, classes)


@cache
def images(count: int, folder: Path | None = None) -> Split:
    """`count` training images and a ninth as many validation images, like the 45,000 and 5,000 of CIFAR-10.

    They are random, of 32x32x3 pixels, or `cifar10` from a data folder; the speed is the same.
    """
    held = max(1, count // 9)
    if folder is not None:
        return data.load(Images("cifar10", held, limit=count + held), folder)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count + held, 32, 32, 3), np.uint8)
    labels = rng.integers(0, 10, count + held).astype(np.int32)
    half, spread = np.full(3, 0.5), np.full(3, 0.289)
    return Split(
        name="random", x_train=pixels[held:], y_train=labels[held:], x_val=pixels[:held], y_val=labels[:held],
        classes=10, class_names=tuple("0123456789"), mean=half, std=spread, pad=0, digest="random",
    )  # fmt: skip
