"""Where augmentation acts, and where it must not."""

from dataclasses import replace

import numpy as np
import pytest
from stacks import images, recipe, space_of, stack_of

from lenet_search.engine import Stack
from lenet_search.recipe.augment import AUGMENTATIONS
from lenet_search.recipe.regularize import DROPOUTS
from lenet_search.space import Space
from lenet_search.structure import structure_of

STILL = {"optimizer__sgd__learning_rate": 1e-30}  # a step so small that no weight moves
STRENGTHS = {"shift": 5, "rotate": 90.0, "cutout": 12}  # the others are shares
STRONG = {name: {f"augment__{name}": STRENGTHS.get(name, 0.5)} for name in AUGMENTATIONS}
STRONG |= {name: {f"regularize__{name}": 0.5} for name in DROPOUTS}


@pytest.mark.parametrize("name", STRONG)
def test_training_images_are_changed_and_validation_images_are_not(name: str) -> None:
    plain, strong = recipe(**STILL), recipe(**STILL, **STRONG[name])
    stack = stack_of(plain, strong, split=images(channels=3), space=space_of(plain, strong))
    stack.unload(1)
    stack.load(strong, seed=0)
    off, on = stack.epoch().values()
    assert on.train_loss != off.train_loss
    assert (on.val_loss, on.val_accuracy) == (off.val_loss, off.val_accuracy)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_slots_that_augment_alike_share_images_and_train_as_on_images_of_their_own(name: str) -> None:
    strong = recipe(**STRONG[name])
    alike = structure_of(strong, Space.from_recipe(strong))
    assert not alike.own_images
    apart = replace(alike, augment=None)
    assert apart.own_images
    ends = []
    for structure in (alike, apart):
        stack = Stack(structure, images(n=40 + 3 * 16, channels=3), 3)
        for seed in range(3):
            stack.load(strong, seed)
        stack.unload(0)  # the first slot of the stack is empty, and its strengths are nobody's
        stack._hyper[name][0] = 0.0
        stack.epoch()
        ends.append([stack.weights(slot) for slot in (1, 2)])
    for shared, own in zip(*ends, strict=True):
        for parameter, value in own.items():
            np.testing.assert_allclose(shared[parameter], value, atol=1e-5, rtol=0)


def test_a_recipe_that_augments_otherwise_is_refused_where_slots_share_images() -> None:
    flipped, shifted = recipe(augment__flip=0.5), recipe(augment__shift=2)
    stack = stack_of(flipped, split=images(), slots=2)
    with pytest.raises(ValueError, match="expected the stack's augmentation"):
        stack.load(shifted, seed=1)
