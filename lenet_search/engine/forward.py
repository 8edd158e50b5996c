"""A network run for all slots of a stack at once.

Images carry their slots in the last axis, (B, H, W, K * C), slot by slot; vectors in the first, (K, B, D).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from keras import ops

from lenet_search.engine import backend
from lenet_search.networks import Layer, Shape, walk
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
from lenet_search.networks.transform import transformed
from lenet_search.recipe.regularize import dropout_mask

Tensor = Any
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": ops.tanh,
    "scaled_tanh": lambda x: 1.7159 * ops.tanh(x * (2.0 / 3.0)),
    "relu": ops.relu,
    "leaky_relu": lambda x: ops.leaky_relu(x, negative_slope=0.2),  # keras.activations.leaky_relu's slope
    "elu": ops.elu,
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "silu": backend.silu,
}


# Those that never fall, so that the largest activation is the activation of the largest.
RISING = ("tanh", "scaled_tanh", "relu", "leaky_relu", "elu")


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
    return isinstance(layer, Bias) or (isinstance(layer, Activation) and layer.kind in RISING)


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


def forward(
    steps: Sequence[Step],
    weights: Mapping[str, Tensor],
    images: Tensor,
    slots: int,
    lowering: str,
    rates: Mapping[str, Tensor] | None = None,
    moment: Tensor = None,
    dtype: str = "float32",
) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits (K, B, classes), and the new moving statistics by name.

    Args:
        steps: the network, as `plan` orders it
        weights: (K, *shape) by parameter name
        images: (B, H, W, C) seen by all slots, or (B, H, W, K * C)
        slots: K
        lowering: how convolutions are computed, see `backend.convolution`
        rates: what is dropped while training, (K,) by `recipe.regularize.DROPOUTS`; None for evaluation
        moment: which training step it is, for the random draws
        dtype: what convolutions and hidden dense layers multiply in; everything else is float32
    """
    training = rates is not None
    rates = rates or {}
    # Logits stay exact, as Keras advises, and so do the units whose distances are the logits.
    exact = [step.layer for step in steps if isinstance(step.layer, Dense | Affine)][-1:]
    x = images
    moving: dict[str, Tensor] = {}
    for step in steps:
        match layer := step.layer:
            case PooledConv():
                kernel = ops.cast(weights[f"{layer.name}.kernel"], dtype)
                x = backend.pooled_convolution(ops.cast(x, dtype), kernel, lowering, finite=x is images)
            case Conv():
                kernel = weights[f"{layer.name}.kernel"]
                if layer.connections:
                    kernel = full_kernel(kernel, layer.connections, step.shape[-1])
                kernel, first, x = ops.cast(kernel, dtype), x is images, ops.cast(x, dtype)
                if layer.covers(step.shape):  # nothing is shared: a matrix product is several times as fast
                    kernel = ops.reshape(kernel, (slots, -1, layer.filters))
                    x = ops.matmul(_flat(x, step.shape, slots), kernel)
                    x = ops.reshape(ops.transpose(x, (1, 0, 2)), (-1, 1, 1, slots * layer.filters))
                else:
                    x = backend.convolution(x, kernel, lowering, layer.stride, layer.padding, finite=first)
            case Elementwise():
                x = _elementwise(layer, weights, x)
            case Bias():
                x = ops.cast(x, "float32") + ops.reshape(weights[f"{layer.name}.bias"], (-1,))
            case Dense() | Affine():
                own = "float32" if layer in exact else dtype
                product = ops.matmul(ops.cast(x, own), ops.cast(weights[f"{layer.name}.kernel"], own))
                x = ops.cast(product, "float32") + weights[f"{layer.name}.bias"][:, None, :]
            case BatchNorm():
                x, statistics = _batch_norm(layer, weights, x, slots, training)
                moving |= statistics
            case Activation():
                x = ACTIVATIONS[layer.kind](x)
            case Pool():  # one that is not part of an Elementwise
                pool = ops.max_pool if layer.kind == "max" else ops.average_pool
                x = pool(x, layer.size, layer.stride, layer.padding)
            case RadialBasis():
                x = -distances(x, layer.classes)
            case SpatialTransformer():
                x = ops.cast(x, "float32")
                inner = plan(layer.localization, step.shape)
                transformations, _ = forward(inner, weights, x, slots, lowering, dtype=dtype)
                x = _transformed(x, transformations, step.shape)
            case GlobalPool():
                x = ops.mean(x, axis=(1, 2))
                x = ops.transpose(ops.reshape(x, (x.shape[0], slots, -1)), (1, 0, 2))
            case Flatten():
                x = _flat(x, step.shape, slots)
            case Dropout() if layer.rate in rates:
                batch = x.shape[-2] if len(x.shape) == 3 else x.shape[0]
                draw = backend.uniform((batch, *step.shape), step.stream, moment)
                x = _dropped(x, draw, rates[layer.rate])
            case SpatialDropout() if "spatial_dropout" in rates:
                batch, channels = x.shape[0], x.shape[-1] // slots
                draw = backend.uniform((batch, 1, channels), step.stream, moment)
                mask = dropout_mask(draw, rates["spatial_dropout"][:, None])
                x = x * ops.reshape(mask, (batch, 1, 1, slots * channels))
    return x, moving


def _elementwise(layer: Elementwise, weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    names = []
    for part in layer.parts:
        names += [f"{part.name}.coefficient"] if isinstance(part, Subsampling) else []
        names += [f"{part.name}.bias"] if isinstance(part, Bias | Subsampling) else []

    def run(x: Tensor, *own: Tensor) -> Tensor:
        waiting = [ops.reshape(each, (-1,)) for each in own]
        x = ops.cast(x, "float32")
        for part in layer.parts:
            match part:
                case Bias():
                    x = x + waiting.pop(0)
                case Activation():
                    x = ACTIVATIONS[part.kind](x)
                case Pool():
                    x = _pool(x, part.kind)
                case Subsampling():
                    x = 4.0 * _pool(x, "average") * waiting.pop(0) + waiting.pop(0)
        return x

    return backend.recomputed(run)(x, *(weights[name] for name in names))


def _pool(x: Tensor, kind: str) -> Tensor:
    """2x2 pooling of (B, H, W, C), an odd last row or column left out."""
    batch, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    x = ops.reshape(x, (batch * (height // 2), 2, width // 2, 2, channels))
    corners = [x[:, row, :, column] for row in (0, 1) for column in (0, 1)]
    if kind == "max":
        pooled = ops.maximum(ops.maximum(corners[0], corners[1]), ops.maximum(corners[2], corners[3]))
    else:
        pooled = (corners[0] + corners[1] + corners[2] + corners[3]) * 0.25
    return ops.reshape(pooled, (batch, height // 2, width // 2, channels))


def _flat(x: Tensor, shape: Shape, slots: int) -> Tensor:
    """Images (B, H, W, C) or (B, H, W, K * C), of one slot of `shape`, as vectors (K, B, H * W * C)."""
    batch, height, width, channels = x.shape
    if channels == shape[-1]:  # all slots see the same
        return ops.broadcast_to(ops.reshape(x, (1, batch, -1)), (slots, batch, math.prod(shape)))
    x = ops.reshape(x, (batch, height * width, slots, channels // slots))
    return ops.reshape(ops.transpose(x, (2, 0, 1, 3)), (slots, batch, -1))


def _transformed(x: Tensor, transformations: Tensor, shape: Shape) -> Tensor:
    """Images (B, H, W, C) or (B, H, W, K * C) under each slot's own transformations (K, B, 6): (B, H, W, K * C)."""
    slots, batch, _ = transformations.shape
    height, width, channels = shape
    if x.shape[-1] == channels:
        x = transformed(x, transformations, backend.gather)
    else:
        own = ops.reshape(
            ops.transpose(ops.reshape(x, (batch, height, width, slots, channels)), (3, 0, 1, 2, 4)), (-1, *shape)
        )
        x = transformed(own, ops.reshape(transformations, (1, -1, 6)), backend.gather)
        x = ops.transpose(ops.reshape(x, (slots, batch, *shape)), (1, 2, 3, 0, 4))
    return ops.reshape(x, (batch, height, width, slots * channels))


def _dropped(x: Tensor, draw: Tensor, rate: Tensor) -> Tensor:
    """One draw (B, *shape) for all slots, each with its own rate (K,)."""
    if len(x.shape) == 3:
        return x * dropout_mask(draw, rate[:, None, None])
    batch, height, width, channels = draw.shape
    # one image for all slots, or one for each
    x = ops.reshape(ops.cast(x, "float32"), (batch, height, width, -1, channels))
    x = x * dropout_mask(draw[:, :, :, None], rate[:, None])
    return ops.reshape(x, (batch, height, width, -1))


def _batch_norm(
    layer: BatchNorm, weights: Mapping[str, Tensor], x: Tensor, slots: int, training: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """Normalize each slot's channels by the batch (training) or the moving statistics (evaluation)."""
    image = len(x.shape) == 4
    gamma, beta, mean, variance = (
        weights[f"{layer.name}.{role}"] for role in ("gamma", "beta", "moving_mean", "moving_variance")
    )

    def spread(value: Tensor) -> Tensor:  # (K, C) to what broadcasts over x
        return ops.reshape(value, (-1,)) if image else value[:, None, :]

    moving: dict[str, Tensor] = {}
    if training:
        now_mean, now_variance = ops.moments(x, axes=(0, 1, 2) if image else 1)
        now_mean, now_variance = (ops.reshape(now, (slots, -1)) for now in (now_mean, now_variance))
        keep = layer.momentum
        moving = {
            f"{layer.name}.moving_mean": keep * mean + (1 - keep) * now_mean,
            f"{layer.name}.moving_variance": keep * variance + (1 - keep) * now_variance,
        }
        mean, variance = now_mean, now_variance
    scale = gamma * ops.rsqrt(variance + layer.epsilon)
    return x * spread(scale) + spread(beta - mean * scale), moving
