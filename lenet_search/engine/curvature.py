"""How sharply the loss bends along each weight of one network: what `sdlm` divides by.

LeCun, Bottou, Bengio & Haffner 1998, section III.C and appendix C, want the second derivative of the loss, averaged
over some training images, for each weight w_k (equation 22), and approximate it. `GaussNewton` is their way: it counts
each connection that shares w_k by itself (23 to 25), and takes second derivatives back through the network without
the terms that could be negative (27). The loss is what comes after the weights: with radial-basis outputs, the
distances belong to it. So h is never negative. `engine.hessian` has equation (22) itself.

Layers are for one slot here: maps (N, H, W, C), vectors (N, D).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.losses import left_over, probabilities
from lenet_search.errors import RunError
from lenet_search.networks import Layer
from lenet_search.networks.activations import ACTIVATIONS
from lenet_search.networks.bitmaps import bitmaps
from lenet_search.networks.keras_layers import distances, full_kernel
from lenet_search.networks.layers import (
    Activation,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
    RadialBasis,
    SpatialDropout,
    Subsampling,
)

Tensor = Any
Weights = Mapping[str, Tensor]


def convolved(layer: Conv, x: Tensor, kernel: Tensor) -> Tensor:
    """The convolution without its bias."""
    return ops.conv(x, kernel, layer.stride, layer.padding)


def kernel_of(layer: Conv, weights: Weights, maps: int) -> Tensor:
    """The full kernel (k, k, maps, filters)."""
    kernel = weights[f"{layer.name}.kernel"]
    return full_kernel(kernel, layer.connections, maps) if layer.connections else kernel


def _output(layer: Layer, x: Tensor, weights: Weights) -> Tensor:
    """What a layer makes of x in evaluation."""
    match layer:
        case Conv():
            return convolved(layer, x, kernel_of(layer, weights, x.shape[-1])) + weights[f"{layer.name}.bias"]
        case Dense():
            return ops.matmul(x, weights[f"{layer.name}.kernel"]) + weights[f"{layer.name}.bias"]
        case Subsampling():
            return sums(x) * weights[f"{layer.name}.coefficient"] + weights[f"{layer.name}.bias"]
        case Activation():
            return ACTIVATIONS[layer.kind].value(ops, x)
        case RadialBasis():
            return -distances(x, layer.classes)
        case Pool() | GlobalPool() | Flatten():
            return moved(layer, x)
        case Dropout() | SpatialDropout():
            return x
    raise RunError(f"sdlm does not know the curvature of {type(layer).__name__}; choose another optimizer or network")


def moved(layer: Pool | GlobalPool | Flatten, x: Tensor) -> Tensor:
    """Layers without parameters that are linear, given which pixel is the largest."""
    match layer:
        case Pool(kind="max"):
            return ops.max_pool(x, layer.size, layer.stride, layer.padding)
        case Pool():
            return ops.average_pool(x, layer.size, layer.stride, layer.padding)
        case GlobalPool():
            return ops.mean(x, axis=(1, 2))
    return ops.reshape(x, (x.shape[0], -1))


def sums(x: Tensor) -> Tensor:
    """The sum of each 2x2 pixels."""
    return 4.0 * ops.average_pool(x, 2, 2)


def states_of(layers: Sequence[Layer], weights: Weights, images: Tensor) -> list[Tensor]:
    """What each layer sees, and at the end what the last one gives."""
    states = [images]
    for layer in layers:
        states.append(_output(layer, states[-1], weights))
    return states


def _back(function: Callable[[Tensor], Tensor], at: Tensor, with_: Tensor) -> Tensor:
    """The transposed Jacobian of `function` at `at`, times `with_`."""
    return backend.value_and_gradients(lambda x: (ops.sum(function(x) * with_), None), at)[1]


class GaussNewton:
    """Equations (23) to (27) for one network.

    Args:
        layers: the network
        loss: one of `recipe.loss.LOSSES`
    """

    def __init__(self, layers: Sequence[Layer], loss: str) -> None:
        self._layers = layers
        self._loss = loss
        self._compiled = backend.compiled(self._run)

    def __call__(self, weights: Weights, images: Tensor) -> dict[str, np.ndarray]:
        """h of each parameter, by name and in its shape, for images (N, H, W, C) as the network sees them."""
        return {name: np.asarray(value) for name, value in self._compiled(weights, images).items()}

    def _run(self, weights: Weights, images: Tensor) -> dict[str, Tensor]:
        states = states_of(self._layers, weights, images)
        layers = list(self._layers)
        head = layers.pop() if isinstance(layers[-1], RadialBasis) else None
        curvature = self._of_loss(states[-1], states[-2] if head else None)
        found: dict[str, Tensor] = {}
        for place, layer in reversed(list(enumerate(layers))):
            curvature, own = self._through(layer, states[place], curvature, weights)
            found |= {f"{layer.name}.{role}": value / images.shape[0] for role, value in own.items()}
        return found

    def _of_loss(self, logits: Tensor, units: Tensor) -> Tensor:
        """d2E/dz2 for logits z, or for the `units` before radial-basis outputs; the labels do not come into it."""
        p = probabilities(logits, self._loss)
        if units is None:
            return p * (1.0 - p)
        apart = 2.0 * (units[:, None] - bitmaps(logits.shape[-1]))  # d distance / d unit, (N, classes, units)
        mean = ops.sum(p[..., None] * apart, 1)
        none = left_over(p, self._loss)
        spread = ops.sum(p[..., None] * ops.square(apart - mean[:, None]), 1) + none * ops.square(mean)
        return spread + 2.0 * none

    def _through(
        self, layer: Layer, x: Tensor, curvature: Tensor, weights: Weights
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """From d2E/d(output)2 to d2E/d(input)2 and, summed over the images, to the layer's own parameters."""
        bias = {"bias": ops.sum(curvature, tuple(range(len(curvature.shape) - 1)))}
        squared = ops.square(x)
        match layer:
            case Activation():
                return ops.square(ACTIVATIONS[layer.kind].slopes(ops, x)[0]) * curvature, {}
            case Conv():
                name = f"{layer.name}.kernel"
                kernel = kernel_of(layer, weights, x.shape[-1])
                before = _back(lambda at: convolved(layer, at, ops.square(kernel)), x, curvature)
                own = _back(
                    lambda at: convolved(layer, squared, kernel_of(layer, {name: at}, x.shape[-1])),
                    weights[name],
                    curvature,
                )
                return before, {"kernel": own, **bias}
            case Dense():
                kernel = weights[f"{layer.name}.kernel"]
                own = ops.matmul(ops.transpose(squared), curvature)
                return ops.matmul(curvature, ops.transpose(ops.square(kernel))), {"kernel": own, **bias}
            case Subsampling():  # four connections to each unit, which share its coefficient
                coefficient = weights[f"{layer.name}.coefficient"]
                before = _back(lambda at: sums(at) * ops.square(coefficient), x, curvature)
                return before, {"coefficient": ops.sum(sums(squared) * curvature, (0, 1, 2)), **bias}
            case Pool() | GlobalPool() | Flatten():
                before = _back(lambda at: moved(layer, at), x, curvature)
                return before * self._share(layer, x), {}
        return curvature, {}

    @staticmethod
    def _share(layer: Layer, x: Tensor) -> float:
        """What a pixel counts in a mean: once more, since weights are squared."""
        if isinstance(layer, GlobalPool):
            return 1.0 / float(x.shape[1] * x.shape[2])
        return 1.0 / layer.size**2 if isinstance(layer, Pool) and layer.kind == "average" else 1.0
