"""The compiled programs of a stack: an epoch of training, and an evaluation, for K slots at once.

Both are pure: state in, state out. Nothing crosses to Python inside an epoch.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from keras import ops

from lenet_search.engine import backend, update
from lenet_search.engine.augmentation import cut_out, placed, recolor, repeated, warp
from lenet_search.engine.curvature import GaussNewton
from lenet_search.engine.forward import draws_of, forward, plan
from lenet_search.engine.hessian import Exact
from lenet_search.engine.losses import losses
from lenet_search.engine.maps import Maps
from lenet_search.engine.precision import multiplying_dtype
from lenet_search.engine.update import Moments
from lenet_search.networks import Parameter, network, parameters
from lenet_search.recipe.augment import COLOR, CUT, MOVE, TURN, all_draws, at
from lenet_search.recipe.regularize import DROPOUTS
from lenet_search.structure import Structure

Tensor = Any
AUGMENT_STREAM = 1000  # random streams below this number belong to the network's layers
# Bytes of random numbers that are drawn ahead; twice as many are in memory while they are. LeNet-5 needs 40 MB for an
# epoch of CIFAR-10 with all dropouts but that of images.
DRAWS = 64_000_000
PARTS, SHORTEST = 16, 16  # the most parts of an epoch that are only for showing progress, and the fewest steps of each


class State(NamedTuple):
    """What K slots have learned: weights (K, P), the optimizers' moments, moving statistics (K, S)."""

    weights: Tensor
    moments: Moments
    moving: Tensor


class Program:
    """Training and evaluation for one structure on images of one shape; compiled once per number of slots."""

    def __init__(self, structure: Structure, image_shape: tuple[int, int, int], classes: int, maps: Maps) -> None:
        self.structure = structure
        self.maps = maps
        self.dtype = multiplying_dtype(structure.precision)
        layers = network(structure.model, image_shape, classes)
        everything = parameters(layers, image_shape)
        self.steps = plan(layers, image_shape)
        self.trainable = [p for p in everything if p.trainable]
        self.moving = [p for p in everything if not p.trainable]
        self._layers, self._image_shape, self._classes = layers, image_shape, classes
        # The shapes of all that a step draws, by random stream.
        self._draws = draws_of(self.steps, self._dropouts, structure.batch_size)
        if structure.augmentations:
            self._draws[AUGMENT_STREAM] = (len(all_draws()), structure.batch_size)
        self.train = backend.compiled(self._train, consumed=1)
        self.evaluate = backend.compiled(self._evaluate)
        self._update = backend.fused(update.regularized_step, tuple(self.trainable), structure.penalty, structure.clip)

    @property
    def _dropouts(self) -> tuple[str, ...]:
        """The kinds of dropout that any slot may have."""
        return tuple(name for name in DROPOUTS if getattr(self.structure, name))

    @cached_property
    def gauss_newton(self) -> GaussNewton:
        """The curvature along each weight, approximated."""
        return GaussNewton(self._layers, self.structure.loss)

    @cached_property
    def exact(self) -> Exact:
        """The curvature along each weight."""
        return Exact(self._layers, self._image_shape, self.structure.loss)

    def parts(self, steps: int) -> int:
        """In how many parts an epoch is trained.

        There are so many that the draws of each fit into memory. On a processor, where an epoch may take minutes, there
        are up to `PARTS`, so that one can say how far it is; but only if all have as many steps, since each number of
        steps is a program of its own.
        """
        numbers = sum(math.prod(shape) for shape in self._draws.values())
        least = min(steps, math.ceil(4 * numbers * steps / DRAWS)) or 1
        most = least if backend.on_gpu() else min(PARTS, steps // SHORTEST)
        return max((n for n in range(least, most + 1) if steps % n == 0), default=least)

    def _train(
        self,
        state: State,
        images: Tensor,
        labels: Tensor,
        order: Tensor,
        rows: Tensor,
        hyper: Mapping[str, Tensor],
        first: Tensor,
    ) -> tuple[State, Tensor, Tensor, Tensor]:
        """An epoch, or a part of one.

        Args:
            state: of K slots; its arrays are used up
            images: (n, H, W, C) uint8
            labels: (n,) int32
            order: (steps, B), which images each step sees
            rows: (steps, K, columns), each step's optimizer coefficients
            hyper: the slots' other hyperparameters, (K,) or (K, C), by name
            first: number of the first step on the stack's clock, for the random draws

        Returns:
            The new state; each slot's summed loss on the training batches and the number of images it got right, (K,)
            each; and whether all its weights are finite (K,).
        """
        steps, _ = order.shape
        slots = state.weights.shape[0]
        moments = first + ops.arange(steps, dtype="int32")
        drawn = {stream: backend.uniform(shape, stream, moments) for stream, shape in self._draws.items()}

        def body(i: Tensor, carry: tuple[State, Tensor, Tensor]) -> tuple[State, Tensor, Tensor]:
            now, loss, correct = carry
            chosen = order[i]
            now, more_loss, more_correct = self._train_step(
                now,
                backend.gather(images, chosen),
                backend.gather(labels, chosen),
                rows[i],
                hyper,
                {stream: numbers[i] for stream, numbers in drawn.items()},
            )
            return now, loss + more_loss, correct + more_correct

        zeros = ops.zeros((slots,))
        state, loss, correct = backend.loop(steps, body, (state, zeros, zeros))
        return state, loss, correct, ops.all(ops.isfinite(state.weights), axis=1)

    def _train_step(
        self,
        state: State,
        images: Tensor,
        labels: Tensor,
        row: Tensor,
        hyper: Mapping[str, Tensor],
        drawn: Mapping[int, Tensor],
    ) -> tuple[State, Tensor, Tensor]:
        slots = state.weights.shape[0]
        x = self._training_images(images, hyper, slots, drawn)
        rates = {name: hyper[name] for name in self._dropouts}
        moving = _unpack(state.moving, self.moving)
        trained = _unpack(state.weights, self.trainable)

        def loss(weights: dict[str, Tensor]) -> tuple[Tensor, Any]:
            logits, statistics = forward(
                self.steps, weights | moving, x, slots, self.maps, rates=rates, draws=drawn, dtype=self.dtype
            )
            followed, plain = losses(logits, labels[None], hyper["label_smoothing"][:, None], self.structure.loss)
            correct = ops.cast(ops.argmax(logits, -1) == ops.cast(labels, "int32")[None], "float32")
            return ops.sum(ops.mean(followed, -1)), (ops.sum(plain, -1), ops.sum(correct, -1), statistics)

        extra, gradients = backend.value_and_gradients(loss, trained)
        plain, correct, statistics = extra
        packed = ops.concatenate([ops.reshape(gradients[name], (slots, -1)) for name in trained], axis=1)
        weights, moments = self._update(state.weights, packed, state.moments, row, hyper)
        if self.moving:
            state_moving = ops.concatenate([statistics[p.name] for p in self.moving], axis=1)
        else:
            state_moving = state.moving
        return State(weights, moments, state_moving), plain, correct

    def _training_images(
        self, images: Tensor, hyper: Mapping[str, Tensor], slots: int, drawn: Mapping[int, Tensor]
    ) -> Tensor:
        """What the slots train on, as maps: of all, or of each."""
        if not (self.structure.own_images or self.structure.augmentations):
            return self.maps.of_all(self._normalized(images, hyper, self.dtype))
        if not self.structure.own_images:  # the first slot's will do for all; slots in use come first
            hyper, slots = {name: hyper[name][:1] for name in (*self.structure.augmentations, "scale", "offset")}, 1
        channels = images.shape[-1]
        strength = {name: hyper[name] for name in self.structure.augmentations}
        draws = {name: drawn[AUGMENT_STREAM][i] for i, name in enumerate(all_draws())} if strength else {}
        order = self.maps.ORDER
        # Normalizing before the slots part is a Kth of the work; not possible where colours change in between.
        early = not (self.structure.own_normalization or at(strength, COLOR))
        # Cutting out is the last change: it joins the warp where nothing else comes between. A lookup changes no
        # pixel, so rounding may come before it.
        joined = early and not at(strength, TURN)
        if early:
            pixels = self._normalized(images, hyper, self.dtype if joined else "float32")
        else:
            pixels = ops.cast(images, "float32") / 255.0
        cut = {} if joined else {name: strength.pop(name) for name in at(strength, CUT)}
        if at(strength, MOVE, TURN, CUT):
            black = ops.cast(hyper["offset"][0] if early else ops.zeros((channels,)), pixels.dtype)
            x = warp(pixels, draws, strength, black, rows_of=backend.gather, fuse=backend.fused, order=order)
        else:
            x = repeated(pixels, slots, order)
        if at(strength, COLOR):
            x = backend.fused(recolor, f"{order}c")(x, draws, strength)
        x = self.maps.of_each(x)
        if not early:
            x = x * self.maps.spread(hyper["scale"], x) + self.maps.spread(hyper["offset"], x)
        if cut:
            x = backend.fused(cut_out, self.maps.AXES)(x, draws, self.maps.per_map(cut["cutout"], channels))
        return backend.once(ops.cast(x, self.dtype))

    def _normalized(self, images: Tensor, hyper: Mapping[str, Tensor], dtype: str) -> Tensor:
        """What all slots see alike: pixels from 0 to 255, normalized."""
        return backend.fused(_normalize, dtype)(images, hyper["scale"][0], hyper["offset"][0])

    def _evaluate(
        self, state: State, images: Tensor, labels: Tensor, hyper: Mapping[str, Tensor], count: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Mean loss (K,), and how many images of each class are right (K, classes).

        Args:
            state: of K slots
            images: (batches, B, H, W, C) uint8
            labels: (batches, B); those below 0 mark padding
            hyper: as `_train`
            count: number of images without padding
        """
        batches = images.shape[0]
        slots = state.weights.shape[0]
        order = f"{self.maps.ORDER}c"
        weights = _unpack(state.weights, self.trainable) | _unpack(state.moving, self.moving)

        def body(i: Tensor, carry: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            if self.structure.own_normalization:
                pixels = ops.expand_dims(ops.cast(images[i], "float32") / 255.0, order.index("k"))
                own = (placed(hyper[name], "kc", order) for name in ("scale", "offset"))
                x = self.maps.of_each(pixels * next(own) + next(own))
            else:
                x = self.maps.of_all(self._normalized(images[i], hyper, "float32"))
            logits, _ = forward(self.steps, weights, x, slots, self.maps)
            _, plain = losses(logits, labels[i][None], 0.0)
            plain = ops.where(labels[i] >= 0, plain, 0.0)
            correct = ops.cast(ops.argmax(logits, -1) == labels[i][None], "float32")
            of_class = ops.one_hot(labels[i], self._classes, dtype="float32")  # nothing for padding
            return carry[0] + ops.sum(plain, -1), carry[1] + ops.matmul(correct, of_class)

        zeros = ops.zeros((slots,)), ops.zeros((slots, self._classes))
        loss, right = backend.loop(batches, body, zeros)
        return loss / count, right


def _normalize(dtype: str, pixels: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    return ops.cast(ops.cast(pixels, "float32") / 255.0 * scale + offset, dtype)


def _unpack(packed: Tensor, which: list[Parameter]) -> dict[str, Tensor]:
    """The named parts (K, *shape) of a packed (K, P) array."""
    parts = {}
    start = 0
    for parameter in which:
        piece = packed[:, start : start + parameter.size]
        parts[parameter.name] = ops.reshape(piece, (packed.shape[0], *parameter.shape))
        start += parameter.size
    return parts
