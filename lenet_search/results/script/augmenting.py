"""The augmentation in `train.py`: one function that holds the recipe's changes alone, as they say it themselves."""

from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import Recipe
from lenet_search.recipe.augment import AUGMENTATIONS


def augment_function(recipe: Recipe, images: Mapping[str, Any]) -> str:
    """`augment(images, labels)`, for `tf.data`; "" when the recipe changes nothing."""
    height, width, _ = images["image_shape"]
    middle = f"{(width - 1) / 2!r}", f"{(height - 1) / 2!r}"
    steps: list[str] = []
    moving = False  # within the changes of places, all of which are interpolated once
    for name, augmentation in AUGMENTATIONS.items():
        if strength := getattr(recipe.augment, name):
            if moving and not augmentation.places:
                steps += _moved(*middle)
            elif augmentation.places and not moving:
                steps += _places(*middle)
            moving = augmentation.places
            steps += augmentation.script(strength, height, width)
    steps += _moved(*middle) if moving else []
    if not steps:
        return ""
    lines = [
        '"""Random changes to a batch of training images, worked out on the scale 0 to 1; each image draws its own."""',
        "n = tf.shape(images)[0]",
        "images = tf.cast(images, tf.float32) / 255",
        "",
        "def draw(low, high):",
        "    return tf.random.uniform((n, 1, 1, 1), low, high)",
        "",
        *steps,
        "return images * 255, labels",
    ]
    return "\n".join(["def augment(images, labels):", *(f"    {line}" if line else "" for line in lines)])


def _places(x: str, y: str) -> list[str]:
    return [
        "# Where each pixel comes from, seen from the middle: x and y as factors of its column, its row and 1",
        f"x, y = tf.constant([1.0, 0.0, -{x}]), tf.constant([0.0, 1.0, -{y}])",
    ]


def _moved(x: str, y: str) -> list[str]:
    return [
        f"places = [x + tf.constant([0.0, 0.0, {x}]), y + tf.constant([0.0, 0.0, {y}]), tf.zeros((n, 1, 1, 2))]",
        "transform = tf.reshape(tf.concat(places, axis=-1), (n, 8))  # outside of the image is black",
        'images = keras.ops.image.affine_transform(images, transform, fill_mode="constant", fill_value=0.0)',
    ]
