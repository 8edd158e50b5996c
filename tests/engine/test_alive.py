"""Every hyperparameter is alive: changed alone, three training steps (or the evaluation) give something else."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from stacks import SMALL, WAYS, images, space_of

from lenet_search.data import Split
from lenet_search.engine import Stack
from lenet_search.recipe import FIELDS, Field, Recipe, Value
from lenet_search.structure import Structure, structure_of

# Decided before an engine sees anything (which images, how many epochs): held by the tests of data and search.
ELSEWHERE = {"data.name", "data.validation", "data.limit", "data.size", "model.network"}
# Values from which a change is visible; a hyperparameter that modifies another needs the other to be on.
BASE: dict[str, Value] = SMALL | {"optimizer.clip_norm": 0.0, "train.epochs": 3}
CONTEXT: dict[str, dict[str, Value]] = {
    "optimizer.sgd.nesterov": {"optimizer.sgd.momentum": 0.9},
    "schedule.one_cycle.start": {"schedule.one_cycle.warmup": 0.5},
    # amsgrad shows once a second moment shrinks: soon, with so short a memory
    "optimizer.adam.amsgrad": {"optimizer.adam.beta_2": 0.1},
    "optimizer.adamw.amsgrad": {"optimizer.adamw.beta_2": 0.1},
    "schedule.step.factor": {"schedule.step.every": 1},
    "schedule.piecewise.factors": {"schedule.piecewise.epochs": (1, 20)},
    # with a constant rate, a shorter run is the same run, ended earlier
    "train.epochs": {"schedule.kind": "cosine"},
}
CHANGED: dict[str, Value] = {
    "train.epochs": 2,
    "train.batch_size": 24,
    "schedule.step.every": 1,
    "schedule.piecewise.epochs": (1, 20),
    "schedule.piecewise.factors": (0.5, 0.1),
    "optimizer.clip_norm": 1e-3,
}
CHANGED |= {path: 0.1 for path in FIELDS if path.endswith(".epsilon")}  # half of 1e-7 is as good as 1e-7
ROUNDING = 1e-6  # slots of one stack may add in different orders; a float32 has 7 digits


def other_value(field: Field, value: Value) -> Value:
    """A legal value that is clearly another."""
    legal = field.legal
    if field.path in CHANGED:
        return CHANGED[field.path]
    if legal.choices:
        return next(choice for choice in legal.choices if choice != value)
    if legal.type is bool:
        return not value
    if legal.type is int:
        return int(value) + 4
    if float(value) == 0.0:
        return 0.5
    return float(value) * 0.5


def outcomes(recipes: Sequence[Recipe], split: Split, lowering: str | None = None) -> list[tuple[float, ...]]:
    """What two epochs of three steps give from the same weights, of each recipe.

    All recipes of one structure run side by side in one stack, so that nothing but the recipe differs, and little is
    compiled.
    """
    space = space_of(*recipes)
    groups: dict[Structure, list[int]] = {}
    for i, one in enumerate(recipes):
        groups.setdefault(structure_of(one, space), []).append(i)
    found: dict[int, tuple[float, ...]] = {}
    for structure, members in groups.items():
        stack = Stack(structure, split, len(members), lowering=lowering)
        slots = {i: stack.load(recipes[i], seed=0) for i in members}
        epochs = [stack.epoch() for _ in range(2)]
        for i, slot in slots.items():
            courses = [(e[slot].train_loss, e[slot].val_loss, e[slot].learning_rate) for e in epochs]
            weights = sum(float(np.abs(w).sum()) for w in stack.weights(slot).values())
            found[i] = (*courses[0], *courses[1], weights)
    return [found[i] for i in range(len(recipes))]


def pair_of(field: Field) -> tuple[Recipe, Recipe]:
    """A recipe in which the field has an effect, and the same with another value of it."""
    values = BASE | ({f"{field.section}.kind": field.branch} if field.branch else {}) | CONTEXT.get(field.path, {})
    base = dict(Recipe.from_values(values).values())
    changed = base | {field.path: other_value(field, base[field.path])}
    return Recipe.from_values(base), Recipe.from_values(changed)


def difference(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The largest relative difference."""
    return max(abs(a - b) / max(abs(a), 1e-12) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def split() -> Split:
    return images(n=40 + 3 * 16 + 8)


PATHS = [path for path in FIELDS if path not in ELSEWHERE and not path.endswith(".kind")]


@pytest.fixture(scope="module")
def pairs(split: Split) -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """By path: what a recipe gives, and what it gives with this hyperparameter changed."""
    found = outcomes([recipe for path in PATHS for recipe in pair_of(FIELDS[path])], split)
    return dict(zip(PATHS, zip(found[::2], found[1::2], strict=True), strict=True))


@pytest.mark.parametrize("path", PATHS)
def test_a_change_of_this_hyperparameter_alone_changes_the_run(
    path: str, pairs: dict[str, tuple[tuple[float, ...], tuple[float, ...]]]
) -> None:
    one, other = pairs[path]
    assert difference(one, other) > 10 * ROUNDING


@pytest.mark.parametrize("lowering", WAYS)
def test_the_same_recipe_in_two_slots_runs_the_same_but_for_rounding(lowering: str, split: Split) -> None:
    plain = Recipe.from_values(BASE | {"regularize.dropout": 0.3, "augment.shift": 2})
    one, other = outcomes([plain, plain], split, lowering)
    assert difference(one, other) < ROUNDING


# The precision "auto" is one of the others, by the device
NAMED = [path for path, field in FIELDS.items() if field.legal.choices and path not in {*ELSEWHERE, "train.precision"}]


@pytest.mark.parametrize("path", NAMED)
def test_every_name_gives_a_course_of_its_own(path: str, split: Split) -> None:
    # The kinds' own defaults for what they share would make two of them alike (constant and step in epoch one),
    # so the run is long enough, and the rate is fixed.
    recipes = []
    for kind in FIELDS[path].legal.choices:
        values = dict(BASE) | {path: kind}
        if path != "model.pooling":
            values["model.network"] = "mlp"  # compiled sooner
        if path == "schedule.kind":
            values |= {"schedule.step.every": 1, "schedule.piecewise.epochs": (1, 2)}
        recipes.append(Recipe.from_values(values))
    found = outcomes(recipes, split)
    assert all(difference(one, other) > 10 * ROUNDING for one, other in combinations(found, 2))


def test_what_no_trial_can_switch_on_is_not_in_the_program(split: Split) -> None:
    plain = Recipe.from_values(BASE)
    structure = structure_of(plain, space_of(plain))
    assert structure.augmentations == ()
    assert not (structure.dropout or structure.penalty or structure.clip or structure.third_moment)
