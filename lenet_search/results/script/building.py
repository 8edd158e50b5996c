"""The network in `train.py`, layer by layer, as the layers say that Keras makes them."""

import math
from collections.abc import Mapping
from typing import Any

from lenet_search.networks import Layer, Shape, network, walk
from lenet_search.networks.call import Call
from lenet_search.networks.initializers import INITIALIZERS
from lenet_search.networks.layers import Dropout
from lenet_search.recipe import Recipe
from lenet_search.results.script.text import quoted


def build_function(recipe: Recipe, images: Mapping[str, Any]) -> str:
    """`build()`, with what all kernels have in common before it."""
    shape = tuple(images["image_shape"])
    lines = [
        "def build():",
        '    """The network: pixels from 0 to 255 in, logits out."""',
        "    return keras.Sequential(",
        "        [",
        f"            keras.Input({shape}),",
        "            keras.layers.Rescaling([s / 255 for s in SCALE], OFFSET),",
    ]
    for layer, seen in walk(network(recipe.model, shape, images["classes"]), shape):
        lines += [f"            {line}," for line in _written(layer, seen, recipe)]
    return "\n".join([*_kernel_function(recipe), *lines, "        ]", "    )"])


def own_layer(recipe: Recipe, images: Mapping[str, Any]) -> bool:
    """Whether a layer of the network is none of Keras's."""
    layers = network(recipe.model, tuple(images["image_shape"]), images["classes"])
    return any(call.own for layer in layers for call in layer.calls(vars(recipe.regularize)))


def _kernel_function(recipe: Recipe) -> list[str]:
    penalties = {name: getattr(recipe.regularize, name) for name in ("l1", "l2")}
    options = {"kernel_initializer": INITIALIZERS[recipe.model.initializer].keras}
    if given := ", ".join(f"{name}={value!r}" for name, value in penalties.items() if value):
        options["kernel_regularizer"] = f"keras.regularizers.L1L2({given})"
    return [
        f"def kernel({'fan_in' if _needs_fan_in(recipe) else ''}):",
        '    """What all kernels have: how they start, and what keeps them small."""',
        "    return {",
        *(f'        "{name}": {value},' for name, value in options.items()),
        "    }",
        "",
        "",
    ]


def _needs_fan_in(recipe: Recipe) -> bool:
    return "fan_in" in INITIALIZERS[recipe.model.initializer].keras


def _written(layer: Layer, seen: Shape, recipe: Recipe) -> list[str]:
    """The constructors of a layer that sees `seen`; none for a dropout that is off."""
    if isinstance(layer, Dropout) and not getattr(recipe.regularize, layer.rate):
        return []
    return [_call(call, layer, seen, recipe) for call in layer.calls(vars(recipe.regularize))]


def _call(call: Call, layer: Layer, seen: Shape, recipe: Recipe) -> str:
    given = [_value(value) for value in call.arguments]
    given += [f"{name}={_value(value)}" for name, value in call.options.items()]
    if call.kernel:
        fan_in = math.prod(layer.parameters(seen)[0].shape[:-1])
        given.append(f"**kernel({fan_in if _needs_fan_in(recipe) else ''})")
    return f"keras.layers.{call.name}({', '.join(given)})"


def _value(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)
