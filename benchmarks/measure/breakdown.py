"""Where an epoch's time goes.

Three measurements, independent of the backend:

- training, evaluation and the host's work between them: the stack's two programs, timed within whole epochs;
- lookup and augmentation: the step from the images of a batch to those that the slots see, compiled alone, times the
  number of training steps;
- convolutions, pooling with bias and activation, dense layers, update: each step of the network, compiled alone,
  forward and backward, for all slots, times the number of steps. The overhead of computing a gradient is measured with
  a step that does nothing, and subtracted.

On a CPU these are seconds of processor time, which other programs disturb less; on a GPU, of wall-clock time.

A piece alone can be slower than in the program, where it may be fused with its neighbors. "Everything else" (the loss,
dropout, the loop) is the remainder, and can be negative if a compiler fuses a lot: then read the pieces as upper
bounds.
"""

import glob
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from lenet_search.data import Split
from lenet_search.engine import Stack, backend, update
from lenet_search.engine.augmentation import repeated
from lenet_search.engine.forward import Elementwise, PooledConv, forward, plan
from lenet_search.engine.lowerings import LOWERINGS, best_lowering
from lenet_search.engine.precision import multiplying_dtype
from lenet_search.networks import network, parameters
from lenet_search.networks.layers import Activation, Conv, Dense, Flatten
from lenet_search.recipe import Recipe
from lenet_search.recipe.optimizer import COLUMNS
from lenet_search.structure import Structure
from measure import limits

AUGMENTATION, CONVOLUTIONS, POOLING, DENSE, UPDATE, REST, TRAINING, EVALUATION, HOST = (
    "lookup and augmentation", "convolutions", "pooling, bias, activation", "dense layers", "update",
    "everything else in training", "training", "evaluation", "host, between epochs",
)  # fmt: skip
OPERATIONS = 25  # number of operations listed
CALLS = 20  # consecutive calls of a piece
clock = time.perf_counter if backend.on_gpu() else time.process_time


def parts(recipes: Sequence[Recipe], structure: Structure, split: Split, repeat: int) -> dict[str, float]:
    """Seconds of an epoch by part, medians over `repeat` rounds in which all measurements take turns."""
    stack = Stack(structure, split, len(recipes))
    for seed, recipe in enumerate(recipes):
        stack.load(recipe, seed)
    whole = Timed(stack)
    for _ in range(2):
        whole.epoch()
    steps = len(split.x_train) // structure.batch_size
    alone = pieces(structure, split, len(recipes))
    rounds: list[dict[str, float]] = []
    for _ in range(repeat):
        epoch = whole.epoch()
        found = {AUGMENTATION: steps * seconds(whole.images)}
        for name in (CONVOLUTIONS, POOLING, DENSE, UPDATE):
            found[name] = sum(steps * seconds(run) for run in alone[name])
            found[name] -= sum(steps * seconds(run) for run in alone[f"control of {name}"])
        found[REST] = epoch[TRAINING] - sum(found.values())
        rounds.append(found | {name: epoch[name] for name in (EVALUATION, HOST)})
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


class Timed:
    """A stack whose slots are in use, with its programs timed from now on."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._spent: dict[str, float] = {}
        program, structure, slots = stack._program, stack.structure, len(stack.active)
        for name, part in (("train", TRAINING), ("evaluate", EVALUATION)):
            setattr(program, name, self._timing(getattr(program, name), part))
        chosen = ops.arange(structure.batch_size, dtype="int32")

        def see(images: Any, hyper: dict[str, Any], moments: Any) -> Any:
            drawn = {stream: backend.uniform(shape, stream, moments)[0] for stream, shape in program._draws.items()}
            return program._training_images(backend.gather(images, chosen), hyper, slots, drawn)

        self._see = backend.compiled(see)

    def images(self) -> Any:
        """One batch as the slots see it during training."""
        return self._see(self._stack._images, self._stack._hyper, np.zeros(1, np.int32))

    def _timing(self, program: Callable[..., Any], name: str) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            started = clock()
            result = program(*given, **named)
            limits.finish(result[-1])
            self._spent[name] = self._spent.get(name, 0.0) + clock() - started
            return result

        return timed

    def epoch(self) -> dict[str, float]:
        """Seconds of one epoch: `TRAINING`, `EVALUATION` and `HOST`."""
        self._spent.clear()
        started = clock()
        self._stack.epoch()
        whole = clock() - started
        return self._spent | {HOST: whole - sum(self._spent.values())}


def pieces(structure: Structure, split: Split, slots: int) -> dict[str, list[Callable[[], Any]]]:
    """By part: each step of the network alone, forward and backward on one batch, ready to be called.

    "control of" a part contains the same calls with a step that does nothing.
    """
    rng = np.random.default_rng(0)
    shape = split.x_train.shape[1:]
    layers = network(structure.model, shape, split.classes)
    weights = {
        p.name: ops.convert_to_tensor((0.05 * rng.normal(size=(slots, *p.shape))).astype(np.float32))
        for p in parameters(layers, shape)
    }
    found: dict[str, list[Callable[[], Any]]] = {CONVOLUTIONS: [], POOLING: [], DENSE: [], UPDATE: []}
    found |= {f"control of {name}": [] for name in list(found)}
    maps = LOWERINGS[best_lowering()]
    x = ops.convert_to_tensor(rng.normal(size=(structure.batch_size, *shape)).astype(np.float32))
    x = maps.of_each(repeated(x, slots, maps.ORDER)) if structure.own_images else maps.of_all(x)
    first = True
    dtype = multiplying_dtype(structure.precision)
    for step in plan(layers, shape):
        match step.layer:
            case Conv() | PooledConv():
                name = CONVOLUTIONS
            case Elementwise():
                name = POOLING
            case Dense() | Flatten() | Activation():
                name = DENSE
            case _:
                continue
        parts = step.layer.parts if isinstance(step.layer, Elementwise) else (step.layer,)
        names = {part.name for part in parts}
        keys = [key for key in weights if key.rpartition(".")[0] in names]
        own = [weights[key] for key in keys]

        def through(x: Any, own: Sequence[Any], step: Any = step, keys: Sequence[str] = tuple(keys)) -> Any:
            return forward([step], dict(zip(keys, own, strict=True)), x, slots, maps, dtype=dtype)[0]

        y = through(x, own)
        found[name].append(_piece(through, x, own, y, wanted=not first))
        found[f"control of {name}"].append(_piece(lambda x, own: x, y, [], y, wanted=True))
        x, first = y, False
    count = sum(p.size for p in parameters(layers, shape) if p.trainable)
    found[UPDATE].append(_update(structure, slots, count))
    return found


def _piece(through: Callable[..., Any], x: Any, own: Sequence[Any], y: Any, wanted: bool) -> Callable[[], Any]:
    """Forward and backward through one step; `wanted`: whether the input's gradient is also needed."""
    pulled = ops.convert_to_tensor(np.random.default_rng(1).normal(size=y.shape).astype(np.float32))

    def differentiate(x: Any, own: Sequence[Any], pulled: Any) -> Any:
        inputs = [x, *own] if wanted else [*own]

        def target(given: Sequence[Any]) -> tuple[Any, Any]:
            came, parameters = (given[0], given[1:]) if wanted else (x, given)
            total = ops.sum(ops.cast(through(came, parameters), "float32") * pulled)
            return total, total

        return backend.value_and_gradients(target, inputs)

    program = backend.compiled(differentiate)
    return lambda: program(x, own, pulled)


def _update(structure: Structure, slots: int, count: int) -> Callable[[], Any]:
    rng = np.random.default_rng(2)

    def numbers(*shape: int) -> Any:
        return ops.convert_to_tensor(np.abs(rng.normal(size=shape)).astype(np.float32))

    second = count if structure.second_moment else 0
    third = count if structure.third_moment else 0
    moments = update.Moments(numbers(slots, count), numbers(slots, second), numbers(slots, third))
    weights, gradients, row = numbers(slots, count), numbers(slots, count), numbers(slots, len(COLUMNS))
    program = backend.fused(update.step)
    return lambda: program(weights, gradients, moments, row)


def seconds(run: Callable[[], Any]) -> float:
    """Seconds per call of a compiled piece, warmed up; synchronizes with the device after several calls."""
    _first(run())
    started = clock()
    for _ in range(CALLS):
        result = run()
    _first(result)
    return (clock() - started) / CALLS


def _first(result: Any) -> None:
    """Wait for a result of any form."""
    while isinstance(result, tuple | list):
        result = result[0]
    limits.finish(result)


def operations(epoch: Callable[[], Any]) -> list[tuple[str, float]]:
    """TensorFlow's operations in one epoch, as profiled, by self time in seconds, longest first.

    Empty for other backends, and if this TensorFlow cannot read profiles.
    """
    from keras.backend import backend as chosen

    if chosen() != "tensorflow":
        return []
    import tensorflow as tf

    try:
        from tensorflow.tsl.profiler.protobuf import xplane_pb2
    except ImportError:
        return []
    epoch()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            epoch()
        space = xplane_pb2.XSpace()
        for path in glob.glob(f"{folder}/plugins/profile/*/*.xplane.pb"):
            with open(path, "rb") as file:
                space.ParseFromString(file.read())
    spent: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            events = sorted(
                (e.offset_ps, -e.duration_ps, plane.event_metadata[e.metadata_id].name) for e in line.events
            )
            spent.update(own_times(events))
    shortened: Counter[str] = Counter()
    for name, picoseconds in spent.items():
        if (named := short(name)) is not None:
            shortened[named] += picoseconds
    return [(name, 1e-12 * picoseconds) for name, picoseconds in shortened.most_common(OPERATIONS)]


def short(name: str) -> str | None:
    """An operation's name without its loop; None for TensorFlow's internal operations."""
    return None if "::" in name else re.sub(r"^(while/body/_\d+/(while/)?)", "", name)


def own_times(events: Sequence[tuple[int, int, str]]) -> Counter[str]:
    """The self time of each name; events are (start, minus duration, name), sorted."""
    spent: Counter[str] = Counter()
    around: list[tuple[int, str]] = []  # ends and names of what is open
    for start, minus, name in events:
        while around and around[-1][0] <= start:
            around.pop()
        if around:
            spent[around[-1][1]] += minus
        spent[name] -= minus
        around.append((start - minus, name))
    return spent
