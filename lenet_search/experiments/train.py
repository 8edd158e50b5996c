"""Training one recipe from several initial weights in one stack."""

import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from lenet_search.look.intervals import mean_summary
from lenet_search.recipe import Recipe
from lenet_search.storage import CURVES
from lenet_search.structure import structure_of
from lenet_search.study import METRICS

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Course:
    """One training run: the seed of its initial weights, and one number per epoch in each curve."""

    seed: int
    clock: int  # epochs that the stack had run before this one began: fixes images' order and random draws
    curve: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CURVES})
    diverged: bool = False


@dataclass(frozen=True)
class Training:
    """What came of one recipe: a course per seed, and the weights of the first that did not diverge."""

    recipe: Recipe
    courses: tuple[Course, ...]
    images: dict[str, Any]  # data.Split.describe()
    device: str
    seconds: float
    weights: "Mapping[str, np.ndarray] | None"
    kept: int | None  # the seed that `weights` belong to

    def values(self, metric: str) -> list[float]:
        """The metric after the last epoch, of every course that did not diverge."""
        return [course.curve[metric][-1] for course in self.courses if not course.diverged]

    def mean(self, metric: str) -> dict[str, float | int | None]:
        """Number of courses, mean of the metric and its 95 % interval, None where there is none."""
        return mean_summary(self.values(metric), share=metric == "val_accuracy")

    def summary(self) -> dict[str, Any]:
        """All but curves and weights, JSON-able."""
        seeds = [
            {"seed": course.seed, "clock": course.clock, "diverged": course.diverged}
            | {metric: None if course.diverged else course.curve[metric][-1] for metric in METRICS}
            for course in self.courses
        ]
        return {
            "values": self.recipe.values(),
            "metrics": {metric: self.mean(metric) for metric in METRICS},
            "seeds": seeds,
            "model_seed": self.kept,
            "images": self.images,
            "device": self.device,
            "seconds": round(self.seconds, 3),
        }


def train(
    recipe: Recipe,
    *,
    seeds: int | Sequence[int] = 1,
    first_seed: int = 0,
    data_folder: Path | None = None,
    slots: int | None = None,
    threads: int | None = None,
    on_epoch: Callable[[tuple[Course, ...], int], None] | None = None,
    on_end: "Callable[[Course, Mapping[str, np.ndarray] | None], None] | None" = None,
) -> Training:
    """Train `recipe` from `seeds` different initial weights, `slots` at a time in one stack.

    Args:
        recipe: what to train
        seeds: how many runs; their seeds count up from `first_seed`; or the seeds themselves
        first_seed: seed of the first run's initial weights
        data_folder: folder that is looked at first for NAME.npz
        slots: runs side by side; else what suits the device
        threads: of the processor; else one per core
        on_epoch: called after each epoch of the stack with all courses, and the epochs that they have run together
        on_end: called with each course that has ended and its weights, None where it diverged

    Runs side by side see the same images in the same order with the same random draws, so they differ by their
    initial weights alone; runs of a later round see another order too.

    Raises:
        DataError: if the images cannot be had.
    """
    from lenet_search import data
    from lenet_search.engine import Stack, device
    from lenet_search.machine import usable_cores
    from lenet_search.space import Space

    started = monotonic()
    with contextlib.suppress(RuntimeError):  # it is running already, in a notebook: it stays as it is
        device.configure(threads or usable_cores())
    wanted = range(first_seed, first_seed + seeds) if isinstance(seeds, int) else seeds
    split = data.load(recipe.images, data_folder)
    if recipe.train.precision == "auto":
        recipe = recipe.settled(device.best_precision())
    stack = Stack(
        structure_of(recipe, Space.from_recipe(recipe)), split, min(len(wanted), slots or device.default_slots())
    )
    courses: list[Course] = []
    waiting = deque(wanted)
    running: dict[int, Course] = {}
    weights, kept, epochs = None, None, 0
    while waiting or running:
        while waiting and stack.free:
            course = Course(waiting.popleft(), stack.clock)
            running[stack.load(recipe, course.seed)] = course
            courses.append(course)
        for slot, result in stack.epoch().items():
            course = running[slot]
            for name in CURVES:
                course.curve[name].append(float(getattr(result, name)))
            epochs += 1
            course.diverged = not result.finite
            if course.diverged or result.epoch == recipe.train.epochs:
                ended = None if course.diverged else stack.weights(slot)
                if ended is not None and kept is None:
                    weights, kept = ended, course.seed
                if on_end is not None:
                    on_end(course, ended)
                stack.unload(slot)
                del running[slot]
        if on_epoch is not None:
            on_epoch(tuple(courses), epochs)
    return Training(recipe, tuple(courses), split.describe(), device.describe(), monotonic() - started, weights, kept)
