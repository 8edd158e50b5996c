"""Where augmentation acts, and where it must not."""

import pytest
from stacks import images, recipe, space_of, stack_of

from lenet_search.engine.backend import LOWERINGS

STILL = {"optimizer__sgd__learning_rate": 1e-30}  # a step so small that no weight moves
STRONG = {
    "flip": {"augment__flip": 0.5},
    "shift": {"augment__shift": 5},
    "rotate": {"augment__rotate": 90.0},
    "zoom": {"augment__zoom": 0.5},
    "brightness": {"augment__brightness": 0.8},
    "contrast": {"augment__contrast": 0.9},
    "cutout": {"augment__cutout": 12},
    "input_dropout": {"regularize__input_dropout": 0.5},
    "dropout": {"regularize__dropout": 0.5},
    "spatial_dropout": {"regularize__spatial_dropout": 0.5},
}


@pytest.mark.parametrize("lowering", LOWERINGS)
@pytest.mark.parametrize("name", STRONG)
def test_training_images_are_changed_and_validation_images_are_not(name: str, lowering: str) -> None:
    plain, strong = recipe(**STILL), recipe(**STILL, **STRONG[name])
    stack = stack_of(plain, strong, split=images(channels=3), space=space_of(plain, strong), lowering=lowering)
    stack.unload(1)
    stack.load(strong, seed=0)
    off, on = stack.epoch().values()
    assert on.train_loss != off.train_loss
    assert (on.val_loss, on.val_accuracy) == (off.val_loss, off.val_accuracy)
