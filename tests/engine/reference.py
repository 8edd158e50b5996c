"""Small networks once more, in NumPy and float64, straight from the formulas: what curvature is held against."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lenet_search.networks import Layer
from lenet_search.networks.bitmaps import bitmaps
from lenet_search.networks.layers import (
    Activation,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
    RadialBasis,
    Subsampling,
)

Array = np.ndarray
Weights = Mapping[str, Array]
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "scaled_tanh": lambda x: 1.7159 * np.tanh(2 * x / 3),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
}


def output(layer: Layer, x: Array, weights: Weights) -> Array:
    """What a layer makes of x, (N, ...)."""
    name = layer.name
    match layer:
        case Conv():
            kernel, k, stride = weights[f"{name}.kernel"], layer.kernel_size, layer.stride
            if layer.padding == "same":  # TensorFlow's rule: what is odd goes behind
                lost = [max((-(-side // stride) - 1) * stride + k - side, 0) for side in x.shape[1:3]]
                x = np.pad(x, ((0, 0), *((each // 2, each - each // 2) for each in lost), (0, 0)))
            table = layer.connections or [range(x.shape[-1])] * layer.filters
            if not layer.connections:
                kernel = np.concatenate([kernel[..., f] for f in range(layer.filters)], axis=-1)
            height, width = (x.shape[1] - k) // stride + 1, (x.shape[2] - k) // stride + 1
            result, start = np.zeros((len(x), height, width, layer.filters)), 0
            for f, seen in enumerate(table):
                one = kernel[..., start : start + len(seen)]
                start += len(seen)
                for i in range(height):
                    for j in range(width):
                        patch = x[:, i * stride : i * stride + k, j * stride : j * stride + k, list(seen)]
                        result[:, i, j, f] = (patch * one).sum((1, 2, 3))
            return result + weights[f"{name}.bias"]
        case Dense():
            return x @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]
        case Subsampling():
            return windows(x).sum((2, 4)) * weights[f"{name}.coefficient"] + weights[f"{name}.bias"]
        case Pool():
            return windows(x).max((2, 4)) if layer.kind == "max" else windows(x).mean((2, 4))
        case GlobalPool():
            return x.mean((1, 2))
        case Activation():
            return ACTIVATIONS[layer.kind](x)
        case Flatten():
            return x.reshape(len(x), -1)
        case RadialBasis():
            return -((x[:, None] - bitmaps(layer.classes).astype(float)) ** 2).sum(-1)
        case Dropout():
            return x
    raise AssertionError(layer)


def windows(x: Array) -> Array:
    """(N, H, W, C) as (N, H / 2, 2, W / 2, 2, C)."""
    n, height, width, maps = x.shape
    return x[:, : height // 2 * 2, : width // 2 * 2].reshape(n, height // 2, 2, width // 2, 2, maps)


def losses(logits: Array, targets: Array, kind: str) -> Array:
    """The loss of each image: cross-entropy, or equations (9) and (8) of LeCun et al. 1998."""
    aimed = -(targets * logits).sum(-1)
    if kind == "mse":
        return aimed
    return aimed + np.log(np.exp(logits).sum(-1) + (np.exp(-0.1) if kind == "map" else 0.0))


def loss(layers: Sequence[Layer], weights: Weights, x: Array, targets: Array, kind: str) -> float:
    """The mean loss over the images x."""
    for layer in layers:
        x = output(layer, x, weights)
    return float(losses(x, targets, kind).mean())


def jacobian(function: Callable[[Array], Array], x: Array, step: float = 1e-6) -> Array:
    """d function / d x at one x (1, ...), (outputs, inputs), by central differences."""
    moves = step * np.eye(x.size).reshape(-1, *x.shape[1:])
    return ((function(x + moves) - function(x - moves)) / (2 * step)).reshape(x.size, -1).T


def gauss_newton(
    layers: Sequence[Layer], weights: Weights, image: Array, target: Array, kind: str, wanted: Mapping[str, Array]
) -> dict[str, Array]:
    """Equations (23), (25) and (27) for one image, connection by connection; every derivative a finite difference.

    `wanted` are the weights that are looked at, by flat number; the result has one value for each.

    A connection u_ij is what unit i gets per unit of x_j; it belongs to the weight w_k where moving w_k moves it.
    """
    body = list(layers[:-1]) if isinstance(layers[-1], RadialBasis) else list(layers)
    states = [image[None]]
    for layer in body:
        states.append(output(layer, states[-1], weights))

    def loss_of(last: Array) -> Array:
        logits = output(layers[-1], last, weights) if len(body) < len(layers) else last
        return losses(logits, target, kind)

    def second(place: tuple[int, ...], step: float = 1e-3) -> float:
        # In double precision, rounding of a loss near 100 alone would give 1e-7 here, as much as small curvatures.
        middle = states[-1].astype(np.longdouble)
        up, down = middle.copy(), middle.copy()
        up[place] += step
        down[place] -= step
        return float((loss_of(up) - 2 * loss_of(middle) + loss_of(down))[0] / step**2)

    h = np.array([second(place) for place in np.ndindex(states[-1].shape)])
    found: dict[str, Array] = {}
    for layer, x in zip(reversed(body), reversed(states[:-1]), strict=True):
        connections = jacobian(lambda at, layer=layer: output(layer, at, weights), x)
        for name in [name for name in weights if name.startswith(f"{layer.name}.")]:
            value = np.zeros(len(wanted[name]))
            for place, number in enumerate(wanted[name]):
                changed = {**weights, name: weights[name].copy()}
                changed[name].ravel()[number] += 1.0
                if name.endswith("bias"):
                    value[place] = h[(output(layer, x, changed) - output(layer, x, weights)).ravel() > 0.5].sum()
                else:
                    other = jacobian(lambda at, layer=layer, changed=changed: output(layer, at, changed), x)
                    own = np.abs(other - connections) > 0.5
                    value[place] = (own * x.ravel() ** 2).sum(1) @ h
            found[name] = value
        h = (connections**2).T @ h
    return found
