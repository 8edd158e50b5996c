"""Stacks and plain Keras models on the same small images, for the engine's tests."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from lenet_search.data import Split
from lenet_search.engine import Stack
from lenet_search.engine.lowerings import LOWERINGS
from lenet_search.networks.plain import plain_model
from lenet_search.recipe import Recipe, Value
from lenet_search.space import Choice, Range, Space
from lenet_search.structure import structure_of

BATCH = 16
# Without `tiles`, which is `rows` with narrower windows, see test_rows, and without what mixes two others.
LEFT_OUT = {"tiles", "narrow"} if "grouped" in LOWERINGS else {"tiles"}
WAYS = [name for name in LOWERINGS if name not in LEFT_OUT]
SMALL: dict[str, Value] = {"train.batch_size": BATCH, "train.epochs": 4, "model.width": 0.5}


def images(n: int = 192, channels: int = 1, side: int = 20, seed: int = 0) -> Split:
    """Noise whose brightness in one corner tells the class: enough to move every weight."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 4).astype(np.int32)
    pixels = rng.integers(0, 200, (n, side, side, channels))
    for image, label in zip(pixels, labels, strict=True):
        row, column = divmod(int(label), 2)
        image[row * 10 : row * 10 + 8, column * 10 : column * 10 + 8] += 50
    pixels = pixels.astype(np.uint8)
    mean, std = pixels.mean((0, 1, 2)) / 255, pixels.std((0, 1, 2)) / 255
    held = 40
    return Split(
        "noise", pixels[held:], labels[held:], pixels[:held], labels[:held], 4, ("a", "b", "c", "d"), mean, std, 0, "0"
    )


def recipe(**values: Value) -> Recipe:
    """A small recipe; `__` in a name stands for the dot, which Python's names cannot hold."""
    return Recipe.from_values(SMALL | {name.replace("__", "."): value for name, value in values.items()})


def space_of(*recipes: Recipe) -> Space:
    """The space that all `recipes` lie in: a choice wherever they differ."""
    values: dict[str, list[Value]] = {}
    for one in recipes:
        for path, value in one.values().items():
            values.setdefault(path, []).append(value)
    entries: dict[str, Value | Range | Choice] = {}
    for path, found in values.items():
        different = tuple(dict.fromkeys(found))
        entries[path] = different[0] if len(different) == 1 else Choice(different)
    return Space(entries)


def stack_of(
    *recipes: Recipe, split: Split, slots: int | None = None, space: Space | None = None, **more: Any
) -> Stack:
    """A stack with these recipes loaded, seeds 0, 1, ... ."""
    structure = structure_of(recipes[0], space or space_of(*recipes))
    stack = Stack(structure, split, slots or len(recipes), **more)
    for seed, one in enumerate(recipes):
        stack.load(one, seed)
    return stack


def restarted(stack: Stack, *runs: tuple[Recipe, int], clock: int = 0) -> Stack:
    """The stack as if it were new, with recipes and seeds loaded; nothing is compiled again."""
    for slot in stack.active:
        stack.unload(slot)
    stack.clock = clock
    for one, seed in runs:
        stack.load(one, seed)
    return stack


def poison(stack: Stack, slot: int) -> None:
    """Make some of a slot's weights something that is no number."""
    state = stack.freeze(slot)
    state.weights[::7] = np.nan
    stack._write([slot], (state.weights, None, None, None, None))


def keras_optimizer(one: Recipe) -> keras.optimizers.Optimizer:
    """The namesake with the same arguments; `learning_rate` is set anew before each step."""
    branch, clip = one.optimizer.branch, one.optimizer.clip_norm or None
    optimizer: keras.optimizers.Optimizer = getattr(keras.optimizers, branch.keras)(
        **branch.keras_arguments(), clipnorm=clip
    )
    return optimizer


def keras_loss(one: Recipe) -> Any:
    """The recipe's loss on one-hot labels and logits, written down once more from the paper's equations 8 and 9."""
    if one.loss.kind == "cross_entropy":
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=one.loss.label_smoothing)

    def of_1998(labels: Any, logits: Any) -> Any:
        energies = -logits
        smoothing = one.loss.label_smoothing
        labels = (1 - smoothing) * labels + smoothing / labels.shape[-1]
        right = keras.ops.sum(labels * energies, -1)
        if one.loss.kind == "mse":
            return right
        least = keras.ops.min(energies, -1)  # taken out of the sum, so that no exponential overflows
        others = keras.ops.exp(least - 0.1) + keras.ops.sum(keras.ops.exp(least[:, None] - energies), -1)
        return right - least + keras.ops.log(others)

    return of_1998


def train_plain(
    one: Recipe, weights: Mapping[str, np.ndarray], split: Split, order: np.ndarray
) -> tuple[keras.Model, list[float]]:
    """A plain Keras model from the same weights on the same batches; gives it with its logits, and its losses."""
    model = plain_model(one, split.describe(), weights, softmax=False)
    model.compile(
        optimizer=keras_optimizer(one),
        loss=keras_loss(one),
    )
    labels = keras.utils.to_categorical(split.y_train, split.classes)
    steps_per_epoch = len(split.x_train) // BATCH
    factors = one.schedule.factors(0, len(order), steps_per_epoch, one.train.epochs)
    losses = []
    for step, chosen in enumerate(order):
        model.optimizer.learning_rate = one.optimizer.branch.learning_rate * factors[step]
        losses.append(float(model.train_on_batch(split.x_train[chosen].astype("float32"), labels[chosen])))
    return model, losses
