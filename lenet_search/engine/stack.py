"""A stack: several networks of one structure, trained side by side in slots; a slot is refilled when its run ends."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from lenet_search.data import Split
from lenet_search.engine import backend
from lenet_search.engine.losses import smoothed
from lenet_search.engine.lowerings import LOWERINGS, best_lowering
from lenet_search.engine.program import Program, State
from lenet_search.engine.sizes import Sizes
from lenet_search.engine.update import Moments
from lenet_search.errors import DataError
from lenet_search.frozen import SlotState
from lenet_search.networks import Parameter
from lenet_search.networks.initial import initial_value
from lenet_search.recipe import Recipe
from lenet_search.recipe.augment import AUGMENTATIONS
from lenet_search.recipe.normalization import normalization
from lenet_search.recipe.optimizer import COLUMNS, CurvatureRule
from lenet_search.recipe.regularize import DROPOUTS
from lenet_search.structure import Structure

# Images that an evaluation takes at a time. Measured 2026-11 on one core: 128 to 512 differ by less than 5 %. On a GPU
# it is twice a training batch for each of the slots, and takes no more memory: nothing is kept for a way back.
EVALUATION_BATCH = 256
ORDER_SEED = 1998  # shuffles depend only on this and the stack's clock: all slots see the same order
CURVATURE_SEED = 1989  # the same for the images on which curvature is measured
_RESIDENT: WeakKeyDictionary[Split, tuple[Any, Any, tuple[Any, Any] | None]] = WeakKeyDictionary()


@dataclass(frozen=True)
class EpochResult:
    """The result of one epoch of one slot. Losses are plain cross-entropy; accuracies are fractions from 0 to 1."""

    epoch: int  # of this slot, from 1
    train_loss: float  # mean over the epoch's augmented training batches
    train_accuracy: float
    val_loss: float  # after the epoch
    val_accuracy: float
    val_balanced_accuracy: float  # the mean of the classes' accuracies
    learning_rate: float  # of the epoch's last step
    images: int  # number of images trained on in this epoch
    finite: bool  # False if the run has diverged


@dataclass
class _Slot:
    recipe: Recipe
    epoch: int = 0


@dataclass(frozen=True)
class Computed:
    """An epoch that was trained but not accepted yet: the new states of its slots, and the measurements."""

    slots: list[int]
    state: State  # after it
    measured: list[list[float]]  # of each slot, in the order of `EpochResult`: from train_loss to val_balanced_accuracy
    rates: list[float]
    finite: list[bool]
    seconds: float


class Stack:
    """K slots on one device. Slots are independent: a run depends only on its recipe, its seed and the clock.

    What they have learned stays on the device. An epoch is computed on a copy, whose memory the program uses up: so
    the slots can be frozen as they were before an epoch while it is under way. At 64 slots of LeNet-5 a copy is 48 MB.

    Args:
        structure: structure of the slots' recipes
        split: the images
        slots: K
        clock: number of epochs counted as done; it determines shuffles and random draws
        lowering: how convolutions are computed (`LOWERINGS`); by default the best for the device

    Raises:
        DataError: a batch is larger than the training set, or the images are too small for the network.
    """

    def __init__(
        self, structure: Structure, split: Split, slots: int, clock: int = 0, lowering: str | None = None
    ) -> None:
        self.structure = structure
        self.clock = clock
        self._split = split
        height, width, channels = split.x_train.shape[1:]
        self._program = Program(
            structure, (height, width, channels), split.classes, LOWERINGS[lowering or best_lowering()]
        )
        self._steps = len(split.x_train) // structure.batch_size
        if self._steps == 0:
            raise DataError(
                f"train.batch_size is {structure.batch_size}, but {split.name} has only {len(split.x_train)} "
                "training images here: use a smaller batch, or more images (data.limit, data.validation)"
            )
        self._slots: list[_Slot | None] = [None] * slots
        self._images, self._labels, self._validation = _resident(split)
        count = sum(p.size for p in self._program.trainable)
        moving = sum(p.size for p in self._program.moving)
        second = count if structure.second_moment else 0
        third = count if structure.third_moment else 0
        arrays = (np.zeros((slots, size), np.float32) for size in (count, count, second, third, moving))
        self._state = _state(map(backend.kept, arrays))
        self._hyper: dict[str, np.ndarray] = {
            name: np.zeros(slots, np.float32)
            for name in (*AUGMENTATIONS, "label_smoothing", "l1", "l2", *DROPOUTS, "clip_norm")
        }
        self._hyper |= {name: np.zeros((slots, channels), np.float32) for name in ("scale", "offset")}
        self._sizes = Sizes(slots)

    @property
    def free(self) -> int:
        """How many slots are empty."""
        return self._slots.count(None)

    @property
    def active(self) -> tuple[int, ...]:
        """The slots in use."""
        return tuple(i for i, slot in enumerate(self._slots) if slot is not None)

    def epochs(self, slot: int) -> int:
        """How many epochs the run in a slot has done."""
        run = self._slots[slot]
        assert run is not None
        return run.epoch

    def load(self, recipe: Recipe, seed: int) -> int:
        """Start a run of `recipe` in an empty slot, with initial weights from `seed`; returns the slot's number.

        Raises:
            ValueError: the stack's slots share augmented images, and this recipe has another augmentation.
        """
        weights, moving = (
            _pack(which, recipe.model.initializer, seed) for which in (self._program.trainable, self._program.moving)
        )
        initial = recipe.optimizer.branch.initial_accumulator_value
        return self._fill(_Slot(recipe), (weights, 0.0, initial, 0.0, moving))

    def _fill(self, slot: _Slot, rows: Sequence[np.ndarray | float]) -> int:
        """Put a run with what it has learned into an empty slot, or leave the slot empty if that fails."""
        recipe = slot.recipe
        if self.structure.augment not in (None, recipe.augment):
            raise ValueError(f"expected the stack's augmentation, {self.structure.augment}; received {recipe.augment}")
        number = self._slots.index(None)
        self._write([number], rows)
        self._slots[number] = slot
        for name in AUGMENTATIONS:
            self._hyper[name][number] = getattr(recipe.augment, name)
        for name in ("l1", "l2", *DROPOUTS):
            self._hyper[name][number] = getattr(recipe.regularize, name)
        self._hyper["label_smoothing"][number] = recipe.loss.label_smoothing
        self._hyper["clip_norm"][number] = recipe.optimizer.clip_norm
        scale, offset = normalization(recipe.data.normalize, self._split.mean, self._split.std)
        self._hyper["scale"][number], self._hyper["offset"][number] = scale, offset
        return number

    def freeze(self, slot: int) -> SlotState:
        """A copy of a slot's state after its last epoch. The slot keeps running."""
        return SlotState(*(_row(array, slot).copy() for array in _arrays(self._state)))

    def thaw(self, recipe: Recipe, epochs: int, state: SlotState) -> int:
        """Resume a run, frozen after `epochs` epochs, in an empty slot; returns the slot's number.

        Raises:
            ValueError: the state belongs to another network or optimizer.
        """
        frozen = state.weights, state.first, state.second, state.third, state.moving
        expected, received = [array.shape[1] for array in _arrays(self._state)], [len(array) for array in frozen]
        if expected != received:
            raise ValueError(f"frozen run of another structure: expected {expected} numbers; received {received}")
        return self._fill(_Slot(recipe, epochs), frozen)

    def unload(self, *slots: int) -> None:
        """Empty slots and forget their state."""
        for slot in slots:
            self._slots[slot] = None
        self._write(slots, (0.0,) * len(_arrays(self._state)))

    def _write(self, slots: Sequence[int], rows: Sequence[np.ndarray | float | None]) -> None:
        """Set what slots have learned, all the same.

        For each array of the state: a row of numbers, one number for the whole row, or None to leave it as it is.
        """
        self._state = _state(
            array if row is None else _replaced(array, slots, np.full((len(slots), array.shape[1]), row, np.float32))
            for array, row in zip(_arrays(self._state), rows, strict=True)
        )

    def weights(self, slot: int) -> dict[str, np.ndarray]:
        """A slot's parameters by name, in Keras's shapes, including moving statistics."""
        parts = {}
        for packed, which in (
            (self._state.weights, self._program.trainable),
            (self._state.moving, self._program.moving),
        ):
            start, row = 0, _row(packed, slot)
            for parameter in which:
                piece = row[start : start + parameter.size]
                parts[parameter.name] = piece.reshape(parameter.shape).copy()
                start += parameter.size
        return parts

    def epoch(self) -> dict[int, EpochResult]:
        """Train all slots in use for one epoch, then evaluate them; results by slot. Takes seconds."""
        return self.take(self.compute()) if self.active else {}

    def compute(self, tell: Callable[[float], None] = lambda share: None) -> "Computed":
        """Compute the next epoch of all slots in use (at least one), without changing them: `take` does that.

        This takes seconds. Meanwhile, another thread may freeze slots as they were before the epoch. (The curvature
        that `sdlm` divides by is measured before each epoch, so frozen runs need not store it.)

        Args:
            tell: called on a processor with the share of the steps that are trained, after each part but the last
        """
        order = np.random.default_rng([ORDER_SEED, self.clock]).permutation(len(self._split.x_train))
        size = self.structure.batch_size
        return self._compute(order[: self._steps * size].reshape(self._steps, size).astype(np.int32), tell)

    def _run(self, order: np.ndarray) -> dict[int, EpochResult]:
        return self.take(self._compute(order))

    def _compute(self, order: np.ndarray, tell: Callable[[float], None] = lambda share: None) -> "Computed":
        """Compute an epoch on the batches listed in `order` (steps, batch)."""
        active = self.active
        started = perf_counter()
        for slot in active:
            self._measure_curvature(slot)
        chosen = self._chosen(active)
        rows, rates = self._rows(chosen)
        hyper = {name: values[chosen] for name, values in self._hyper.items()}
        state = _state(backend.gather(array, np.array(chosen, np.int32)) for array in _arrays(self._state))
        losses, hits, finite, trained = [], [], None, 0
        count, first = self._program.parts(len(order)), self.clock * self._steps % 2**31
        for some, their in zip(np.array_split(order, count), np.array_split(rows, count), strict=True):
            moment = np.array(first).astype(np.int32)
            state, loss, right, finite = self._program.train(
                state, self._images, self._labels, some, their, hyper, moment
            )
            losses.append(loss)
            hits.append(right)
            first += len(some)
            if (trained := trained + len(some)) < len(order) and not backend.on_gpu():  # which need not wait for us
                np.asarray(finite)  # waits for what was only begun
                tell(trained / len(order))
        validation = self._evaluate(state, hyper)
        means = (sum(np.asarray(part, float) for part in parts) / order.size for parts in (losses, hits))
        measured = np.array([*means, *validation], float).T.tolist()
        state = _state(map(backend.kept, _arrays(state)))
        return Computed(chosen, state, measured, rates, np.asarray(finite).tolist(), perf_counter() - started)

    def _evaluate(self, state: State, hyper: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Loss, accuracy and balanced accuracy of each slot on the validation images; NaN if there are none."""
        if self._validation is None:
            nothing = np.full(len(state.weights), math.nan)
            return nothing, nothing, nothing
        count = np.array(len(self._split.x_val), np.float32)
        loss, right = self._program.evaluate(state, *self._validation, hyper, count)
        of_class = np.bincount(self._split.y_val, minlength=self._split.classes)
        right, there = np.asarray(right, float), of_class > 0
        return np.asarray(loss), right.sum(axis=1) / of_class.sum(), (right[:, there] / of_class[there]).mean(axis=1)

    def take(self, computed: "Computed") -> dict[int, EpochResult]:
        """Accept an epoch from `compute`; returns results by slot."""
        if computed.slots == list(range(len(self._slots))):
            self._state = computed.state
        else:
            self._state = _state(
                _replaced(array, computed.slots, new)
                for array, new in zip(_arrays(self._state), _arrays(computed.state), strict=True)
            )
        self.clock += 1
        self._sizes.note(len(computed.slots), computed.seconds)
        return {
            slot: self._result(slot, measured, rate, finite)
            for slot, measured, rate, finite in zip(
                computed.slots, computed.measured, computed.rates, computed.finite, strict=True
            )
            if self._slots[slot] is not None
        }

    def _result(self, number: int, measured: Sequence[float], rate: float, finite: bool) -> EpochResult:
        slot = self._slots[number]
        assert slot is not None
        slot.epoch += 1
        train_loss, accuracy, val_loss, val_accuracy, balanced = measured
        losses = train_loss if self._validation is None else train_loss + val_loss
        finite = math.isfinite(losses) and finite
        images = self._steps * self.structure.batch_size
        return EpochResult(slot.epoch, train_loss, accuracy, val_loss, val_accuracy, balanced, rate, images, finite)

    def _chosen(self, active: tuple[int, ...]) -> list[int]:
        """The slots to run: those in use, filled up with empty ones."""
        empty = [i for i, slot in enumerate(self._slots) if slot is None]
        return [*active, *empty[: self._sizes.choose(len(active)) - len(active)]]

    def _rows(self, chosen: list[int]) -> tuple[np.ndarray, list[float]]:
        """The optimizers' coefficients (steps, K, columns) for the coming epoch, and its last learning rates."""
        rows = np.zeros((self._steps, len(chosen), len(COLUMNS)), np.float32)
        rows[:, :, COLUMNS.index("eps_in")] = 1.0  # an empty slot computes 0 / 1
        rates = [0.0] * len(chosen)
        for i, number in enumerate(chosen):
            slot = self._slots[number]
            if slot is None:
                continue
            recipe, first = slot.recipe, slot.epoch * self._steps
            factors = recipe.schedule.factors(first, self._steps, self._steps, recipe.train.epochs)
            learning_rates = recipe.optimizer.branch.learning_rate * factors
            step = np.arange(first, first + self._steps, dtype=np.float64)
            rows[:, i] = recipe.optimizer.branch.coefficients(learning_rates, step)
            rates[i] = float(learning_rates[-1])
        return rows, rates

    def _measure_curvature(self, number: int) -> None:
        """Measure the curvature for a slot whose optimizer needs it: the square of its divisor in the next epoch."""
        slot = self._slots[number]
        branch = slot.recipe.optimizer.branch if slot else None
        if slot is None or not isinstance(branch, CurvatureRule):
            return
        count = min(branch.images, len(self._split.x_train))
        chosen = np.random.default_rng([CURVATURE_SEED, self.clock]).permutation(len(self._split.x_train))[:count]
        scale, offset = (self._hyper[name][number] for name in ("scale", "offset"))
        images = self._split.x_train[chosen].astype(np.float32) / 255 * scale + offset
        weights = self.weights(number)
        if branch.exact:
            targets = smoothed(self._split.y_train[chosen], self._split.classes, slot.recipe.loss.label_smoothing)
            found = self._program.exact(weights, images, targets)
        else:
            found = self._program.gauss_newton(weights, images)
        penalty = 2.0 * slot.recipe.regularize.l2
        own = [found[p.name].ravel() + penalty * p.penalized for p in self._program.trainable]
        self._write([number], (None, None, branch.measured(np.concatenate(own)), None, None))


def _arrays(state: State) -> tuple[Any, ...]:
    """All parts of a state, (K, n) each, in the order of `SlotState`."""
    return state.weights, *state.moments, state.moving


def _state(arrays: Iterable[Any]) -> State:
    weights, first, second, third, moving = arrays
    return State(weights, Moments(first, second, third), moving)


def _row(array: Any, slot: int) -> np.ndarray:
    """What an array (K, n) holds for a slot.

    The whole is copied from the device, which JAX does once for all slots, since a slice would be a program of its own,
    and wait for an epoch under way.
    """
    row: np.ndarray = np.asarray(array)[slot]
    return row


def _replaced(array: Any, places: Sequence[int], rows: Any) -> Any:
    """An array (K, n) with other rows at some places."""
    return backend.replaced(array, np.array(places, np.int32), rows) if array.shape[1] else array


def _pack(which: list[Parameter], initializer: str, seed: int) -> np.ndarray:
    """Initial values of all parameters of one slot, in a row; each has a seed of its own."""
    pieces = [np.zeros(0, np.float32)]
    for i, parameter in enumerate(which):
        own = int(np.random.SeedSequence([seed, i]).generate_state(1)[0] >> 1)
        pieces.append(initial_value(parameter, initializer, own).ravel())
    return np.concatenate(pieces)


def _resident(split: Split) -> tuple[Any, Any, tuple[Any, Any] | None]:
    """A split's images and labels on the device, once for all stacks that train on them; those of validation last."""
    if split not in _RESIDENT:
        training = backend.on_device(split.x_train), backend.on_device(split.y_train)
        _RESIDENT[split] = (*training, _batched(split.x_val, split.y_val) if len(split.y_val) else None)
    return _RESIDENT[split]


def _batched(images: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """Images (batches, B, H, W, C) and labels (batches, B), filled up with black images of label -1."""
    size = min(EVALUATION_BATCH, len(images))
    missing = -len(images) % size
    images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
    labels = np.concatenate([labels, np.full(missing, -1, labels.dtype)])
    return (
        backend.on_device(images.reshape(-1, size, *images.shape[1:])),
        backend.on_device(labels.reshape(-1, size)),
    )
