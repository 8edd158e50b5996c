"""The true second derivatives of the loss by each weight of one network: LeCun et al. 1998, equation (22).

The diagonal of the Hessian, with the connections that share a weight taken together and nothing dropped. Along each
weight the first and second derivatives of everything behind it are carried forward to the loss. Where weights are
shared, a weight moves one map, so that there is only this map to carry until maps meet; where nothing is shared,
d2E/dw_ij2 = x_j^2 d2E/da_i2, and one pass per unit serves all its weights. For LeNet-5 that is a pass for each of
some 1,700 weights of its convolutions, over little more than its dense layers: seconds on one core.

It can be negative; `sdlm` takes its size then, as Becker & LeCun 1989 did.

Layers are for one slot here: maps (N, H, W, C), vectors (N, D); derivatives along R directions have R in front.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.curvature import Weights, convolved, kernel_of, moved, states_of, sums
from lenet_search.engine.losses import left_over, probabilities
from lenet_search.networks import Layer, Shape, walk
from lenet_search.networks.activations import ACTIVATIONS
from lenet_search.networks.bitmaps import bitmaps
from lenet_search.networks.layers import Activation, Conv, Dense, Flatten, Pool, RadialBasis, Subsampling

Tensor = Any
AT_ONCE = 8192  # images times directions that are carried forward together; a few hundred MB


class _Along(NamedTuple):
    """First and second derivatives along R directions, (R, N, ...) each; of one map alone where `map` is given."""

    first: Tensor
    second: Tensor
    map: Tensor = None


class Exact:
    """Equation (22) for one network, whose convolutions have stride 1 and no padding, and whose pools do not overlap.

    Args:
        layers: the network
        image_shape: (H, W, C)
        loss: one of `recipe.loss.LOSSES`
    """

    def __init__(self, layers: Sequence[Layer], image_shape: Shape, loss: str) -> None:
        self._layers = list(layers)
        self._shapes = [shape for _, shape in walk(layers, image_shape)]
        self._loss = loss
        self._states = backend.compiled(lambda weights, images: states_of(self._layers, weights, images))
        self._of_maps = {
            place: backend.compiled(partial(self._along_map, place))
            for place, layer in enumerate(self._layers)
            if self._is_shared(place) or isinstance(layer, Subsampling)
        }
        self._of_units = {
            place: backend.compiled(partial(self._along_units, place))
            for place, layer in enumerate(self._layers)
            if isinstance(layer, Conv | Dense) and not self._is_shared(place)
        }

    def __call__(self, weights: Weights, images: Tensor, targets: Tensor) -> dict[str, np.ndarray]:
        """h of each parameter, by name and in its shape; it can be negative.

        Args:
            weights: by name
            images: (N, H, W, C) as the network sees them
            targets: (N, classes), the labels as shares of one
        """
        states = [np.asarray(state) for state in self._states(weights, images)]
        found: dict[str, np.ndarray] = {}
        for place, layer in enumerate(self._layers):
            if place in self._of_units:
                found |= self._units(place, layer, weights, states, targets)
            elif place in self._of_maps:
                found |= self._maps(place, layer, weights, states, targets)
        return found

    def _is_shared(self, place: int) -> bool:
        layer = self._layers[place]
        return isinstance(layer, Conv) and not layer.covers(self._shapes[place])

    def _units(
        self, place: int, layer: Layer, weights: Weights, states: Sequence[np.ndarray], targets: np.ndarray
    ) -> dict[str, np.ndarray]:
        """A layer in which nothing is shared: d2E/da2 of its units, times its inputs squared."""
        x, units = states[place], states[place + 1].shape[-1]
        kernel, bias = np.zeros((x[0].size, units)), np.zeros(units)
        for part in _parts(len(x), units):
            behind = [state[part] for state in states[place + 1 :]]
            second = np.asarray(self._of_units[place](weights, behind, targets[part]))  # (units, n)
            kernel += np.square(x[part].reshape(second.shape[1], -1)).T @ second.T
            bias += second.sum(1)
        shape = weights[f"{layer.name}.kernel"].shape
        return {f"{layer.name}.kernel": kernel.reshape(shape) / len(x), f"{layer.name}.bias": bias / len(x)}

    def _along_units(self, place: int, weights: Weights, behind: Sequence[Tensor], targets: Tensor) -> Tensor:
        units = behind[0].shape[-1]
        along = ops.reshape(ops.eye(units), (units, *[1] * (len(behind[0].shape) - 1), units))
        along = ops.broadcast_to(along, (units, *behind[0].shape))
        return self._to_loss(place, _Along(along, ops.zeros_like(along)), weights, behind, targets)

    def _maps(
        self, place: int, layer: Layer, weights: Weights, states: Sequence[np.ndarray], targets: np.ndarray
    ) -> dict[str, np.ndarray]:
        """A layer whose weights are shared over a map: a direction for each of them, map by map."""
        x = states[place]
        kernels, biases = [], []
        for number in range(states[place + 1].shape[-1]):
            inputs = _moved_by(layer, x, number)  # (N, H', W', R): what each weight of this map multiplies
            total = np.zeros(inputs.shape[-1] + 1)
            for part in _parts(len(x), len(total)):
                behind = [state[part] for state in states[place + 1 :]]
                chosen = np.array(number, np.int32)
                total += np.asarray(self._of_maps[place](weights, inputs[part], chosen, behind, targets[part]))
            kernels.append(total[:-1] / len(x))
            biases.append(total[-1] / len(x))
        if isinstance(layer, Subsampling):
            return {f"{layer.name}.coefficient": np.concatenate(kernels), f"{layer.name}.bias": np.array(biases)}
        assert isinstance(layer, Conv)
        pieces = [kernel.reshape(layer.kernel_size, layer.kernel_size, -1) for kernel in kernels]
        whole = np.concatenate(pieces, -1) if layer.connections else np.stack(pieces, -1)
        return {f"{layer.name}.kernel": whole, f"{layer.name}.bias": np.array(biases)}

    def _along_map(
        self, place: int, weights: Weights, inputs: Tensor, number: Tensor, behind: Sequence[Tensor], targets: Tensor
    ) -> Tensor:
        along = ops.concatenate([inputs, ops.ones_like(inputs[..., :1])], -1)  # the last direction is the bias
        along = ops.transpose(along, (3, 0, 1, 2))[..., None]
        second = self._to_loss(place, _Along(along, ops.zeros_like(along), number), weights, behind, targets)
        return ops.sum(second, -1)

    def _to_loss(
        self, place: int, along: _Along, weights: Weights, behind: Sequence[Tensor], targets: Tensor
    ) -> Tensor:
        """d2E of each image along each direction, (R, N), from what the layer at `place` gives."""
        for layer, x in zip(self._layers[place + 1 :], behind, strict=False):
            along = _through(layer, x, along, weights)
        p = probabilities(behind[-1], self._loss)
        mean = ops.sum(p * along.first, -1, keepdims=True)
        spread = ops.sum(p * ops.square(along.first - mean), -1)
        spread = spread + (left_over(p, self._loss) * ops.square(mean))[..., 0]
        return spread + ops.sum((p - targets) * along.second, -1)


def _through(layer: Layer, x: Tensor, along: _Along, weights: Weights) -> _Along:
    """The derivatives behind a layer that sees x, (N, ...)."""
    first, second, number = along
    match layer:
        case Activation():
            slope, bend = (_of_map(value, number) for value in ACTIVATIONS[layer.kind].slopes(ops, x))
            return _Along(slope * first, bend * ops.square(first) + slope * second, number)
        case Conv():
            kernel = kernel_of(layer, weights, x.shape[-1])
            kernel = kernel if number is None else ops.take(kernel, number[None], axis=2)
            return _linear(along, lambda each: convolved(layer, each, kernel))
        case Dense():
            kernel = weights[f"{layer.name}.kernel"]
            if number is not None:  # flattened maps: every so many rows belong to this one
                maps = x.shape[-1] // first.shape[-1]
                kernel = ops.take(ops.reshape(kernel, (-1, maps, layer.units)), number, axis=1)
            return _linear(along, lambda each: ops.matmul(each, kernel))
        case Subsampling():
            coefficient = _of_map(weights[f"{layer.name}.coefficient"], number)
            return _linear(along, lambda each: sums(each) * coefficient)._replace(map=number)
        case Pool(kind="max"):
            largest = _of_map(_largest(layer, x), number)
            first, second = (ops.sum(_windows(layer, each) * largest, (-2, -4)) for each in (first, second))
            return _Along(first, second, number)
        case Pool() | Flatten():
            return _linear(along, lambda each: moved(layer, each))._replace(map=number)
        case RadialBasis():
            figures = ops.transpose(bitmaps(layer.classes))

            def from_figures(each: Tensor) -> Tensor:  # (unit - figure) . each
                return ops.sum(x * each, -1, keepdims=True) - ops.matmul(each, figures)

            bent = ops.sum(ops.square(first), -1, keepdims=True) + from_figures(second)
            return _Along(-2.0 * from_figures(first), -2.0 * bent)
    return along


def _linear(along: _Along, function: Callable[[Tensor], Tensor]) -> _Along:
    """Both derivatives through a linear layer, in which maps meet."""

    def apply(each: Tensor) -> Tensor:
        directions, images = each.shape[:2]
        result = function(ops.reshape(each, (directions * images, *each.shape[2:])))
        return ops.reshape(result, (directions, images, *result.shape[1:]))

    return _Along(apply(along.first), apply(along.second))


def _of_map(value: Tensor, number: Tensor) -> Tensor:
    """The map `number` of (..., C), or all of them."""
    return value if number is None else ops.take(value, number[None], axis=-1)


def _windows(layer: Pool, x: Tensor) -> Tensor:
    """(..., H, W, C) as (..., H / s, s, W / s, s, C), what is left over at the end left out."""
    *front, height, width, maps = x.shape
    s = layer.size
    x = x[..., : height // s * s, : width // s * s, :]
    return ops.reshape(x, (*front, height // s, s, width // s, s, maps))


def _largest(layer: Pool, x: Tensor) -> Tensor:
    """1 where a pixel is the largest of its window, shared between equals."""
    windows = _windows(layer, x)
    where = ops.cast(windows == ops.max(windows, (-2, -4), keepdims=True), "float32")
    return where / ops.sum(where, (-2, -4), keepdims=True)


def _moved_by(layer: Layer, x: np.ndarray, number: int) -> np.ndarray:
    """What each weight of map `number` multiplies, in the order of the weights: (N, H', W', R)."""
    if isinstance(layer, Subsampling):
        height, width = (side // 2 * 2 for side in x.shape[1:3])
        one = x[:, :height, :width, number]
        total: np.ndarray = one[:, ::2, ::2] + one[:, 1::2, ::2] + one[:, ::2, 1::2] + one[:, 1::2, 1::2]
        return total[..., None]
    assert isinstance(layer, Conv)
    k = layer.kernel_size
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    seen = x[..., list(layer.connections[number])] if layer.connections else x
    shifted = [seen[:, i : i + height, j : j + width] for i in range(k) for j in range(k)]
    inputs: np.ndarray = np.concatenate(shifted, axis=-1)
    return inputs


def _parts(images: int, directions: int) -> list[slice]:
    """The images in about equal parts that can be carried forward at once."""
    parts = math.ceil(images / max(1, AT_ONCE // directions))
    size = math.ceil(images / parts)
    return [slice(start, start + size) for start in range(0, images, size)]
