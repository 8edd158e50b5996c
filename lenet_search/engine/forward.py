"""A network run for all slots of a stack at once: maps as `engine.maps` says, vectors (K, B, D)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeGuard

from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.maps import Maps, dropout_mask
from lenet_search.networks import Layer, Shape, walk
from lenet_search.networks.activations import ACTIVATIONS
from lenet_search.networks.keras_layers import distances, full_kernel
from lenet_search.networks.layers import (
    Activation,
    Affine,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Pool,
    RadialBasis,
    SpatialDropout,
    SpatialTransformer,
    Subsampling,
)

Tensor = Any


@dataclass(frozen=True)
class Bias:
    """The bias of the convolution `name`, as a step of its own."""

    name: str


@dataclass(frozen=True)
class PooledConv:
    """The convolution `name` without its bias, and max pooling right behind it."""

    name: str


@dataclass(frozen=True)
class Elementwise:
    """Biases, activations, pooling and subsampling of maps that follow each other: one pass over memory."""

    parts: tuple[Bias | Activation | Pool | Subsampling, ...]

    @property
    def name(self) -> str:
        """The names of its parts."""
        return ", ".join(("bias of " if isinstance(part, Bias) else "") + part.name for part in self.parts)


@dataclass(frozen=True)
class Step:
    """A layer, or what stands for parts of layers, and the random stream that it draws from."""

    layer: Layer | Bias | PooledConv | Elementwise
    stream: int
    shape: Shape  # what the layer sees of one image of one slot, in the network as it is written


def plan(layers: Sequence[Layer], image_shape: Shape) -> list[Step]:
    """The same network in the order in which it is computed.

    Max pooling goes before biases and rising activations, which then have a quarter of the work, and joins its
    convolution; what comes out is the same but for rounding.
    """
    steps: list[Step] = []
    for stream, (layer, shape) in enumerate(walk(layers, image_shape)):
        place = len(steps)
        if isinstance(layer, Pool) and layer.kind == "max":
            while place and _rises(steps[place - 1].layer):
                place -= 1
            before = steps[place - 1].layer if place else None
            if isinstance(before, Conv) and before.plain and layer.halves:
                steps[place - 1] = Step(PooledConv(before.name), stream, steps[place - 1].shape)
                continue
        steps.insert(place, Step(layer, stream, shape))
        if isinstance(layer, Conv):
            steps.append(Step(Bias(layer.name), stream, layer.output(shape)))
    return _joined(steps)


def _rises(layer: object) -> bool:
    return isinstance(layer, Bias) or (isinstance(layer, Activation) and ACTIVATIONS[layer.kind].rises)


def _joins(layer: object) -> TypeGuard[Bias | Activation | Pool | Subsampling]:
    return isinstance(layer, Bias | Activation | Subsampling) or (isinstance(layer, Pool) and layer.halves)


def _joined(steps: Sequence[Step]) -> list[Step]:
    """Biases, activations and pooling of feature maps as `Elementwise`; behind `Flatten` there are no maps."""
    joined: list[Step] = []
    maps = True
    for step in steps:
        layer = step.layer
        maps = maps and not isinstance(layer, Flatten | GlobalPool)
        before = joined[-1] if joined else None
        if not (maps and _joins(layer)):
            joined.append(step)
        elif before is not None and isinstance(before.layer, Elementwise):
            joined[-1] = Step(Elementwise((*before.layer.parts, layer)), step.stream, before.shape)
        else:
            joined.append(Step(Elementwise((layer,)), step.stream, step.shape))
    return joined


def draws_of(steps: Sequence[Step], rates: Collection[str], batch: int) -> dict[int, tuple[int, ...]]:
    """The shapes of what a training step draws for dropout, by random stream; `rates` names what is dropped."""
    shapes: dict[int, tuple[int, ...]] = {}
    for step in steps:
        match layer := step.layer:
            case SpatialDropout() if layer.rate in rates:
                shapes[step.stream] = (batch, 1, 1, step.shape[-1])
            case Dropout() if layer.rate in rates:
                shapes[step.stream] = (batch, *step.shape)
    return shapes


def forward(
    steps: Sequence[Step],
    weights: Mapping[str, Tensor],
    images: Tensor,
    slots: int,
    maps: Maps,
    rates: Mapping[str, Tensor] | None = None,
    draws: Mapping[int, Tensor] = MappingProxyType({}),
    dtype: str = "float32",
) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits (K, B, classes), and the new moving statistics by name.

    Args:
        steps: the network, as `plan` orders it
        weights: (K, *shape) by parameter name
        images: maps, of each slot's own or seen by all
        slots: K
        maps: how maps lie in memory, and convolutions are computed
        rates: what is dropped while training, (K,) by `recipe.regularize.DROPOUTS`; None for evaluation
        draws: uniform numbers in [0, 1) for it, as `draws_of` says
        dtype: what convolutions and hidden dense layers multiply in; everything else is float32
    """
    training = rates is not None
    rates = rates or {}
    # Logits stay exact, as Keras advises, and so do the units whose distances are the logits.
    exact = [step.layer for step in steps if isinstance(step.layer, Dense | Affine)][-1:]
    x = images
    moving: dict[str, Tensor] = {}
    for step, after in zip(steps, (*steps[1:], None), strict=True):
        match layer := step.layer:
            case PooledConv():
                kernel = ops.cast(weights[f"{layer.name}.kernel"], dtype)
                x = maps.pooled_convolution(ops.cast(x, dtype), kernel, finite=x is images)
            case Conv():
                kernel = weights[f"{layer.name}.kernel"]
                if layer.connections:
                    kernel = full_kernel(kernel, layer.connections, step.shape[-1])
                kernel, first, x = ops.cast(kernel, dtype), x is images, ops.cast(x, dtype)
                if layer.covers(step.shape):  # nothing is shared: a matrix product is several times as fast
                    kernel = ops.reshape(kernel, (slots, -1, layer.filters))
                    x = maps.of_vectors(ops.matmul(maps.vectors(x, slots, step.shape[-1]), kernel))
                else:
                    halved = after is not None and _halves(after.layer)
                    x = maps.convolution(x, kernel, layer.stride, layer.padding, finite=first, halved=halved)
            case Elementwise():
                x = _elementwise(layer, weights, x, maps)
            case Bias():
                x = ops.cast(x, "float32") + maps.spread(weights[f"{layer.name}.bias"], x)
            case Dense() | Affine():
                own = "float32" if layer in exact else dtype
                product = ops.matmul(ops.cast(x, own), ops.cast(weights[f"{layer.name}.kernel"], own))
                x = ops.cast(product, "float32") + weights[f"{layer.name}.bias"][:, None, :]
            case BatchNorm():
                x, statistics = _batch_norm(layer, weights, x, slots, maps, training)
                moving |= statistics
            case Activation():
                x = ACTIVATIONS[layer.kind].value(ops, x)
            case Pool():  # one that is not part of an Elementwise
                x = maps.pooled(x, layer.kind, layer.size, layer.stride, layer.padding)
            case RadialBasis():
                x = -distances(x, layer.classes)
            case SpatialTransformer():
                x = ops.cast(x, "float32")
                inner = plan(layer.localization, step.shape)
                transformations, _ = forward(inner, weights, x, slots, maps, dtype=dtype)
                x = maps.transformed(x, transformations, step.shape[-1])
            case GlobalPool():
                x = maps.means(x, slots)
            case Flatten():
                x = maps.vectors(x, slots, step.shape[-1])
            case Dropout() if layer.rate in rates:
                draw, rate = draws[step.stream], rates[layer.rate]
                vectors = len(x.shape) == 3
                x = x * dropout_mask(draw, rate[:, None, None]) if vectors else maps.dropped(x, draw, rate)
            case Dropout():  # in evaluation, or off for all slots
                pass
            case _:
                raise TypeError(f"no rule for the layer {layer}")
    return x, moving


def _halves(layer: object) -> bool:
    """Whether 2x2 pooling comes next, or behind elementwise parts."""
    return isinstance(layer, Elementwise) and any(isinstance(part, Pool | Subsampling) for part in layer.parts)


def _elementwise(layer: Elementwise, weights: Mapping[str, Tensor], x: Tensor, maps: Maps) -> Tensor:
    names = []
    for part in layer.parts:
        names += [f"{part.name}.coefficient"] if isinstance(part, Subsampling) else []
        names += [f"{part.name}.bias"] if isinstance(part, Bias | Subsampling) else []

    def run(x: Tensor, *own: Tensor) -> Tensor:
        waiting = list(own)
        x = ops.cast(x, "float32")
        for part in layer.parts:
            match part:
                case Bias():
                    x = x + maps.spread(waiting.pop(0), x)
                case Activation():
                    x = ACTIVATIONS[part.kind].value(ops, x)
                case Pool():
                    x = maps.halved(x, part.kind)
                case Subsampling():
                    x = 4.0 * maps.halved(x, "average")
                    x = x * maps.spread(waiting.pop(0), x) + maps.spread(waiting.pop(0), x)
        return x

    return backend.recomputed(run)(x, *(weights[name] for name in names))


def _batch_norm(
    layer: BatchNorm, weights: Mapping[str, Tensor], x: Tensor, slots: int, maps: Maps, training: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """Normalize each slot's channels by the batch (training) or the moving statistics (evaluation)."""
    vectors = len(x.shape) == 3
    gamma, beta, mean, variance = (
        weights[f"{layer.name}.{role}"] for role in ("gamma", "beta", "moving_mean", "moving_variance")
    )

    def spread(value: Tensor) -> Tensor:  # (K, C) to what broadcasts over x
        return value[:, None, :] if vectors else maps.spread(value, x)

    moving: dict[str, Tensor] = {}
    if training:
        now_mean, now_variance = ops.moments(x, axes=1) if vectors else maps.moments(x, slots)
        keep = layer.momentum
        moving = {
            f"{layer.name}.moving_mean": keep * mean + (1 - keep) * now_mean,
            f"{layer.name}.moving_variance": keep * variance + (1 - keep) * now_variance,
        }
        mean, variance = now_mean, now_variance
    scale = gamma * ops.rsqrt(variance + layer.epsilon)
    return x * spread(scale) + spread(beta - mean * scale), moving
