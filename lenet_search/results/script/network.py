"""The network in `train.py`, layer by layer, with what the recipe asks of its kernels."""

import math
from collections.abc import Mapping
from typing import Any

from lenet_search.networks import network, walk
from lenet_search.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Pool,
    Shape,
    SpatialDropout,
)
from lenet_search.recipe import Recipe


def network_functions(recipe: Recipe, images: Mapping[str, Any]) -> list[str]:
    """`build()`, after the functions of our own that it needs, if any."""
    shape = tuple(images["image_shape"])
    layers = list(walk(network(recipe.model, shape, images["classes"]), shape))
    shared = (
        [] if recipe.model.initializer == "lecun_1998" else [f'"kernel_initializer": "{recipe.model.initializer}",']
    )
    l1, l2 = recipe.regularize.l1, recipe.regularize.l2
    if l1 or l2:
        penalty = ", ".join(f"{name}={value!r}" for name, value in (("l1", l1), ("l2", l2)) if value)
        penalty = f"keras.regularizers.L1L2({penalty})"
        shared.append(f'"kernel_regularizer": {penalty},')
    lines = [
        "def build():",
        '    """The network: pixels from 0 to 255 in, logits out."""',
        *(["    kernel = {", *(f"        {entry}" for entry in shared), "    }"] if shared else []),
        "    return keras.Sequential(",
        "        [",
        f"            keras.Input({shape}),",
        f"            {_normalization(recipe)},",
    ]
    for layer, seen in layers:
        lines += [f"            {line}," for line in _layer(layer, seen, recipe, kernel=bool(shared))]
    lines += ["        ]", "    )"]
    return [*_own_functions(recipe), "\n".join(lines)]


def _own_functions(recipe: Recipe) -> list[str]:
    functions = []
    if recipe.model.initializer == "lecun_1998":
        functions.append(
            "def lecun_1998(fan_in):\n"
            '    """Initial weights of LeCun et al. 1998: uniform within 2.4 / fan-in."""\n'
            "    return keras.initializers.RandomUniform(-2.4 / fan_in, 2.4 / fan_in)"
        )
    if recipe.model.activation == "scaled_tanh":
        functions.append(
            "def scaled_tanh():\n"
            '    """1.7159 tanh(2x/3), as three layers that load without code of their own."""\n'
            "    rescaling = keras.layers.Rescaling\n"
            '    return [rescaling(2 / 3), keras.layers.Activation("tanh"), rescaling(1.7159)]'
        )
    return functions


def _normalization(recipe: Recipe) -> str:
    match recipe.data.normalize:
        case "unit":
            return "keras.layers.Rescaling(1 / 255)"
        case "invert":
            return "keras.layers.Rescaling(-1 / 255, 1.0)"
    return "keras.layers.Rescaling([1 / (255 * s) for s in STD], [-m / s for m, s in zip(MEAN, STD, strict=True)])"


def _layer(layer: Layer, seen: Shape, recipe: Recipe, *, kernel: bool) -> list[str]:
    """The constructors of one layer that sees arrays of shape `seen`; none where the recipe leaves it out."""
    match layer:
        case Conv():
            fan_in = layer.kernel_size**2 * seen[-1]
            more = f", strides={layer.stride}" if layer.stride > 1 else ""
            more += f', padding="{layer.padding}"' if layer.padding != "valid" else ""
            more += _kernel(recipe, fan_in, kernel)
            return [f"keras.layers.Conv2D({layer.filters}, {layer.kernel_size}{more})"]
        case Dense():
            return [f"keras.layers.Dense({layer.units}{_kernel(recipe, math.prod(seen), kernel)})"]
        case BatchNorm():
            return [f"keras.layers.BatchNormalization(momentum={layer.momentum!r}, epsilon={layer.epsilon!r})"]
        case Activation(kind="scaled_tanh"):
            return ["*scaled_tanh()"]
        case Activation():
            return [f'keras.layers.Activation("{layer.kind}")']
        case Pool():
            more = "" if layer == Pool(layer.name, layer.kind) else f', {layer.stride}, "{layer.padding}"'
            return [f"keras.layers.{'Max' if layer.kind == 'max' else 'Average'}Pooling2D({layer.size}{more})"]
        case GlobalPool():
            return ["keras.layers.GlobalAveragePooling2D()"]
        case SpatialDropout():
            rate = recipe.regularize.spatial_dropout
            return [f"keras.layers.SpatialDropout2D({rate!r})"] if rate else []
        case Dropout():
            rate = getattr(recipe.regularize, layer.rate)
            return [f"keras.layers.Dropout({rate!r})"] if rate else []
        case Flatten():
            return ["keras.layers.Flatten()"]
    raise ValueError(f"no layer of Keras's own: {layer}")


def _kernel(recipe: Recipe, fan_in: int, kernel: bool) -> str:
    own = f", kernel_initializer=lecun_1998({fan_in})" if recipe.model.initializer == "lecun_1998" else ""
    return own + (", **kernel" if kernel else "")
