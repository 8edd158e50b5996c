"""A recipe's network as an ordinary Keras model: pixels in, probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from lenet_search import keras_settings
from lenet_search.networks import keras_layers, network, parameters
from lenet_search.networks.call import Call
from lenet_search.networks.layers import Layer, SpatialTransformer
from lenet_search.recipe import Recipe
from lenet_search.recipe.normalization import normalization
from lenet_search.recipe.regularize import Regularize


@keras_settings.defaults()
def plain_model(
    recipe: Recipe,
    images: Mapping[str, Any],
    weights: Mapping[str, np.ndarray] | None = None,
    softmax: bool = True,
) -> keras.Model:
    """The recipe's network with preprocessing inside: padding and normalization, then the layers.

    Args:
        recipe: what to build; penalties and dropout rates are set, so the model can be trained further
        images: what `data.Split.describe()` says (image_shape, pad, classes, mean, std)
        weights: by name, as `engine.Stack.weights` gives them; without, Keras's fresh ones
        softmax: end in probabilities instead of logits

    Takes raw pixels from 0 to 255, (n, H, W, C) in the data set's own size.
    """
    height, width, channels = images["image_shape"]
    pad = images["pad"]
    layers = network(recipe.model, (height, width, channels), images["classes"])
    pixels = keras.Input((height - 2 * pad, width - 2 * pad, channels), name="pixels")
    x = keras.layers.ZeroPadding2D(pad, name="pad")(pixels) if pad else pixels
    scale, offset = normalization(recipe.data.normalize, images["mean"], images["std"])
    x = keras.layers.Rescaling([float(s) / 255 for s in scale], [float(o) for o in offset], name="normalize")(x)
    x = _through(layers, x, recipe.regularize)
    if softmax:
        x = keras.layers.Softmax(name="probabilities")(x)
    model = keras.Model(pixels, x, name=recipe.model.network)
    if weights is not None:
        set_weights(model, recipe, images, weights)
    return model


def set_weights(
    model: keras.Model, recipe: Recipe, images: Mapping[str, Any], weights: Mapping[str, np.ndarray]
) -> None:
    """Put named weights into a model of `plain_model`."""
    shape = tuple(images["image_shape"])
    named = parameters(network(recipe.model, shape, images["classes"]), shape)
    by_layer: dict[str, list[np.ndarray]] = {}
    for parameter in named:
        by_layer.setdefault(parameter.name.rsplit(".", 1)[0], []).append(weights[parameter.name])
    for name, values in by_layer.items():
        model.get_layer(name).set_weights(values)


def get_weights(model: keras.Model, recipe: Recipe, images: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights of a model of `plain_model`, by name."""
    shape = tuple(images["image_shape"])
    found = {}
    for parameter in parameters(network(recipe.model, shape, images["classes"]), shape):
        layer, role = parameter.name.rsplit(".", 1)
        found[parameter.name] = np.asarray(getattr(model.get_layer(layer), role))
    return found


def _through(layers: Sequence[Layer], x: Any, regularize: Regularize) -> Any:
    """What `layers` make of a symbolic `x`."""
    for layer in layers:
        inputs = [x]
        if isinstance(layer, SpatialTransformer):
            inputs.append(_through(layer.localization, x, regularize))
        for call in layer.calls(vars(regularize)):
            x = _keras_layer(call, layer.name, regularize)(*inputs)
            inputs = [x]
    return x


def _keras_layer(call: Call, name: str, regularize: Regularize) -> keras.Layer:
    options = dict(call.options)
    if call.kernel and (regularize.l1 or regularize.l2):
        options["kernel_regularizer"] = keras.regularizers.L1L2(regularize.l1, regularize.l2)
    make = getattr(keras_layers if call.own else keras.layers, call.name)
    return make(*call.arguments, **options, name=f"{name}_{call.part}" if call.part else name)
