"""The augmentation in `train.py`: one function that holds the recipe's changes alone."""

from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import Recipe
from lenet_search.recipe.augment import Augment


def augment_function(recipe: Recipe, images: Mapping[str, Any]) -> str:
    """`augment(images, labels)`, for `tf.data`; "" when the recipe changes nothing."""
    use = recipe.augment
    height, width, _ = images["image_shape"]
    steps = [*_flip(use), *_warp(use, height, width), *_brightness(use), *_contrast(use)]
    if not steps and not use.cutout:
        return ""
    steps += _cutout(recipe, height, width)
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


def _flip(use: Augment) -> list[str]:
    return [f"images = tf.where(draw(0.0, 1.0) < {use.flip!r}, images[:, :, ::-1], images)"] if use.flip else []


def _warp(use: Augment, height: int, width: int) -> list[str]:
    """One transform for zoom, rotation and shift, so that pixels are interpolated once."""
    if not (use.shift or use.rotate or use.zoom):
        return []
    lines = []
    if use.shift:
        move = f"tf.floor(draw({-float(use.shift)!r}, {use.shift + 1.0!r}))"
        lines += [f"right, down = {move}, {move}  # whole pixels, each as likely"]
    if use.rotate:
        lines.append(f"angle = draw({-use.rotate!r}, {use.rotate!r}) * (math.pi / 180)")
    if use.zoom:
        lines.append(f"zoom = draw({1.0 - use.zoom!r}, {1.0 + use.zoom!r})  # above 1 enlarges")
    along, across = _turn(use)
    if not use.rotate and not use.zoom:
        entries = ["one", "zero", "-right", "zero", "one", "-down", "zero", "zero"]
        lines.append("zero, one = tf.zeros_like(right), tf.ones_like(right)")
    else:
        x, y = (width - 1) / 2, (height - 1) / 2
        lines += [f"a, b = {along}, {across}"]
        if use.shift:
            lines += [f"x, y = {x!r} + right, {y!r} + down  # where the center goes"]
            to_x, to_y = "x", "y"
        else:
            to_x, to_y = repr(x), repr(y)
        lines += [
            "zero = tf.zeros_like(a)",
            f"from_x, from_y = {x!r} - a * {to_x} - b * {to_y}, {y!r} + b * {to_x} - a * {to_y}",
        ]
        entries = ["a", "b", "from_x", "-b", "a", "from_y", "zero", "zero"]
    lines += [
        "# Where each pixel of the result comes from; outside of the image is black",
        f"transform = tf.reshape(tf.stack([{', '.join(entries)}], axis=1), (n, 8))",
        'images = keras.ops.image.affine_transform(images, transform, fill_mode="constant", fill_value=0.0)',
    ]
    return lines


def _turn(use: Augment) -> tuple[str, str]:
    if use.rotate and use.zoom:
        return "tf.cos(angle) / zoom", "tf.sin(angle) / zoom"
    if use.rotate:
        return "tf.cos(angle)", "tf.sin(angle)"
    return "1 / zoom", "tf.zeros_like(zoom)"


def _brightness(use: Augment) -> list[str]:
    if not use.brightness:
        return []
    return [f"images = tf.clip_by_value(images + draw({-use.brightness!r}, {use.brightness!r}), 0.0, 1.0)"]


def _contrast(use: Augment) -> list[str]:
    if not use.contrast:
        return []
    return [
        "mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)",
        f"images = mean + (images - mean) * draw({1.0 - use.contrast!r}, {1.0 + use.contrast!r})",
        "images = tf.clip_by_value(images, 0.0, 1.0)",
    ]


def _cutout(recipe: Recipe, height: int, width: int) -> list[str]:
    side = recipe.augment.cutout
    if not side:
        return []
    empty = {"standardize": "MEAN", "unit": "0.0", "invert": "1.0"}[recipe.data.normalize]
    return [
        f"# A square of {side} pixels becomes what the network's normalization turns into 0",
        f"top = tf.floor(draw(0.0, {float(height)!r})) - {side // 2}",
        f"left = tf.floor(draw(0.0, {float(width)!r})) - {side // 2}",
        f"y = tf.reshape(tf.range({float(height)!r}), (1, -1, 1, 1))",
        f"x = tf.reshape(tf.range({float(width)!r}), (1, 1, -1, 1))",
        f"square = (y >= top) & (y < top + {side}) & (x >= left) & (x < left + {side})",
        f"images = tf.where(square, {empty}, images)",
    ]
