"""A recipe's network as an ordinary Keras model: standard layers only, pixels in, probabilities out."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from lenet_search.networks import keras_layers, network, parameters
from lenet_search.networks.layers import (
    Activation,
    Affine,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Pool,
    RadialBasis,
    SpatialDropout,
    SpatialTransformer,
    Subsampling,
)
from lenet_search.networks.start import IDENTITY
from lenet_search.recipe import Recipe
from lenet_search.recipe.data import normalization
from lenet_search.recipe.regularize import Regularize


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
        if isinstance(layer, SpatialTransformer):
            transformations = _through(layer.localization, x, regularize)
            x = keras_layers.AffineSampler(name=layer.name)(x, transformations)
        else:
            for each in _keras_layers(layer, regularize):
                x = each(x)
    return x


def _keras_layers(layer: Layer, regularize: Regularize) -> list[keras.Layer]:
    """The Keras layers that compute what `layer` says."""
    name = layer.name
    penalty = keras.regularizers.L1L2(regularize.l1, regularize.l2) if regularize.l1 or regularize.l2 else None
    match layer:
        case Conv() if layer.connections:
            own = keras_layers.TableConv2D(layer.kernel_size, layer.connections, penalty, name=name)
            return [own]
        case Conv():
            shape = {"strides": layer.stride, "padding": layer.padding}
            return [
                keras.layers.Conv2D(layer.filters, layer.kernel_size, **shape, kernel_regularizer=penalty, name=name)
            ]
        case Dense():
            return [keras.layers.Dense(layer.units, kernel_regularizer=penalty, name=name)]
        case BatchNorm():
            return [keras.layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.epsilon, name=name)]
        case Activation(kind="scaled_tanh"):  # 1.7159 tanh(2x/3), from layers that load without custom code
            return [
                keras.layers.Rescaling(2.0 / 3.0, name=f"{name}_inner"),
                keras.layers.Activation("tanh", name=name),
                keras.layers.Rescaling(1.7159, name=f"{name}_outer"),
            ]
        case Activation():
            return [keras.layers.Activation(layer.kind, name=name)]
        case Pool():
            pool = keras.layers.MaxPooling2D if layer.kind == "max" else keras.layers.AveragePooling2D
            return [pool(layer.size, layer.stride, layer.padding, name=name)]
        case GlobalPool():
            return [keras.layers.GlobalAveragePooling2D(name=name)]
        case SpatialDropout():
            return [keras.layers.SpatialDropout2D(regularize.spatial_dropout, name=name)]
        case Dropout():
            return [keras.layers.Dropout(getattr(regularize, layer.rate), name=name)]
        case Subsampling():
            return [keras_layers.Subsampling2D(penalty, name=name)]
        case RadialBasis():
            return [keras_layers.RadialBasis(layer.classes, name=name)]
        case Affine():
            bias = keras.initializers.Constant(list(IDENTITY))
            return [
                keras.layers.Dense(
                    6, kernel_initializer="zeros", bias_initializer=bias, kernel_regularizer=penalty, name=name
                )
            ]
        case SpatialTransformer():  # two inputs: see `_through`
            raise AssertionError(layer)
        case Flatten():
            return [keras.layers.Flatten(name=name)]
