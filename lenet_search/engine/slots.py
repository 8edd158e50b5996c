"""The number of slots of a stack: the device's default, or measured once and remembered for the device and network.

Larger stacks train more images per second, up to a point. They also make a study less sequential: more trials are
drawn before the sampler has seen a result. So the smallest size that is about as fast as the fastest is chosen, and the
default leaves a short study three generations.
"""

import datetime
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any

from lenet_search import __version__, machine
from lenet_search.data import Split
from lenet_search.engine import device
from lenet_search.engine.remembered import Entry, Memory
from lenet_search.engine.sizes import possible
from lenet_search.engine.stack import Stack
from lenet_search.networks import network, walk
from lenet_search.recipe import Images, Recipe, Scalar, Value
from lenet_search.space import Range, Space
from lenet_search.structure import Structure, structure_of

GENERATIONS = 3  # that the default leaves a short search: trials side by side learn nothing from each other
GAIN = 1.05  # a larger stack must be this much faster; a smaller gain is noise, and not worth fewer generations
CPU_MOST, GPU_MOST = 16, 256  # slots
CPU_PATIENCE, GPU_PATIENCE = 30.0, 180.0  # seconds after which no further size is tried
# Approximate floating-point operations of a measured piece: a third of a second on one core, seconds on a GPU, where
# copying the state must not count.
CPU_PIECE, GPU_PIECE = 2e10, 2.5e13
ENOUGH, REPEATS, LONG = 0.6, 3, 2.0  # rate: best of `REPEATS` pieces and `ENOUGH` seconds, or of `LONG` seconds
MARGIN = 2.0  # stacks take at most half of the free memory, because other programs need memory, too
KEPT = 4.0  # upper bound of copies of each layer's output: gradients, augmentation, intermediate results

Load = Callable[[Images], Split]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """The approximate cost of one slot: bytes of memory, and floating-point operations per step."""

    memory: float
    operations: float


@dataclass(frozen=True)
class Case:
    """The costliest recipe of a space, which is the one to measure."""

    recipe: Recipe
    structure: Structure
    split: Split
    cost: Cost


@dataclass(frozen=True)
class Size:
    """A stack size, and its origin in words."""

    slots: int
    words: str


def default(runs: int | None) -> Size:
    """The stack size where nobody says: the device's, or less on a GPU that trains fewer than three times as many runs.

    It is one of the sizes that stacks shrink to, so that studies of different length share their programs. On a CPU,
    whose default is small anyway, stacks of fewer slots would be slower.

    Args:
        runs: about how many runs of a search the worker will train; None: this is no search
    """
    slots = device.default_slots()
    if runs is None or not device.is_gpu():
        return Size(slots, "")
    fewer = max(size for size in possible(slots) if size == 1 or GENERATIONS * size <= runs)
    if fewer == slots:
        return Size(slots, f"{_counted(slots)}, the default on a GPU; --slots auto measures")
    why = f"at most a third of this worker's {runs} runs, so that later ones can learn from earlier ones"
    if fewer == 1:
        why = "few runs for this worker, so that later ones can learn from earlier ones"
    return Size(fewer, f"{_counted(fewer)}: {why}; --slots N changes it")


def chosen(space: Space, precision: str, load: Load, sharing: int, memory: Memory, tell: Tell) -> Size:
    """The stack size for trials of `space`: a remembered one, or one that is measured now and remembered.

    Args:
        space: the study's space
        precision: what "auto" means as `train.precision` on this device
        load: loads images
        sharing: number of workers that share the device's memory
        memory: earlier measurements
        tell: called with a line for the user, before a measurement and after each size
    """
    case = costliest(space, precision, load)
    most = largest(device.free_memory(), sharing, case.cost.memory, GPU_MOST if device.is_gpu() else CPU_MOST)
    known = conditions(case)
    entry = _remembered(memory, known, most)
    if entry is None:
        with memory.alone(lambda: tell("waiting for another run, which is measuring stack sizes on this machine")):
            entry = _remembered(memory, known, most)  # the other run may have measured the same
            if entry is None:
                return _measured(case, known, most, memory, tell)
    slots = min(entry.slots, most)
    fewer = f"less memory is free now, so {_counted(slots)} instead of {entry.slots}; " if slots < entry.slots else ""
    return Size(slots, f"{_counted(slots)}: {fewer}measured on {entry.date} ({_rates(entry.rates)}); {_again(memory)}")


def _remembered(memory: Memory, known: Mapping[str, Any], most: int) -> Entry | None:
    """An earlier measurement, unless memory limited it and more memory is free now."""
    entry = memory.find(known)
    return None if entry is not None and entry.slots == entry.most < most else entry


def _measured(case: Case, known: Mapping[str, Any], most: int, memory: Memory, tell: Tell) -> Size:
    model, shape = case.structure.model, "x".join(map(str, case.split.x_train.shape[1:]))
    tell(
        f"measuring stack sizes for {model.network} on {shape} images in batches of {case.structure.batch_size}, "
        "once for this device and network"
    )
    patience = GPU_PATIENCE if device.is_gpu() else CPU_PATIENCE
    rates, ended = climb(most, lambda size: piece(case, size), patience, tell)
    slots = smallest(rates)
    entry = Entry(known, slots, rates, most, ended, datetime.date.today().isoformat())
    try:
        memory.keep(entry)
    except OSError as error:
        where = f"not remembered, because {memory.path} cannot be written: {error.strerror or error}"
    else:
        where = _again(memory)
    return Size(slots, f"{_counted(slots)}: {_rates(rates)}, {ended}; {where}")


def climb(
    most: int,
    build: Callable[[int], Callable[[], int]],
    patience: float,
    tell: Tell,
    clock: Callable[[], float] = perf_counter,
) -> tuple[dict[int, float], str]:
    """Measure 1, 2, 4, 8, ... slots, until more slots are no faster.

    Args:
        most: the largest size
        build: makes a stack of a size, and returns a function that runs a piece and returns its number of trial-images
        patience: seconds after which no further size is tried
        tell: called with each size and its rate, in words
        clock: returns seconds

    Returns:
        Trial-images per second by size, and why the measurement ended.
    """
    rates: dict[int, float] = {}
    before: Callable[[], int] | None = None
    began, size = clock(), 1
    while size <= most:
        if clock() - began > patience:
            return rates, f"stopped after {clock() - began:.0f} s"
        try:
            run = build(size)
            run()  # compiles
            rate = _rate(run, clock)
            if before is not None and rate < GAIN * rates[size // 2]:
                # Other programs may have been busy: measure both again, in turn.
                rates[size // 2] = max(rates[size // 2], _rate(before, clock))
                rate = max(rate, _rate(run, clock))
        except Exception as error:
            if not rates or not machine.memory_was_short(error):
                raise
            return rates, f"{size} do not fit in memory"
        rates[size] = rate
        tell(f"{_counted(size)}: {rate:,.0f} images/s")
        if before is not None and rate < GAIN * rates[size // 2]:
            return rates, "more are no faster"
        before, size = run, 2 * size
    return rates, "larger sizes not tried"


def smallest(rates: Mapping[int, float]) -> int:
    """The smallest size that is at most 5 % slower than the fastest."""
    return min(size for size, rate in rates.items() if GAIN * rate >= max(rates.values()))


def largest(free: int | None, sharing: int, slot: float, cap: int) -> int:
    """The largest power of two up to `cap` that fits `sharing` times into `free` bytes, with slots of `slot` bytes."""
    fitting = cap if free is None else free / MARGIN / sharing / slot
    return int(2 ** math.floor(math.log2(max(1.0, min(cap, fitting)))))


def costliest(space: Space, precision: str, load: Load) -> Case:
    """The recipe of a space whose slots take the most memory: the largest numbers, and the most demanding network.

    If it fits, all trials fit. Its other hyperparameters have default values: everything that a trial can switch on is
    part of the program anyway. Of several data sets, the first is used.
    """
    values: dict[str, Value] = {
        path: _most(space, path)
        for path in ("data.name", "data.validation", "data.limit", "data.size", "train.batch_size", "train.precision",
                     "model.width", "model.activation", "model.pooling", "model.batch_norm", "loss.kind")
    }  # fmt: skip
    cases = []
    for name in _values(space, "model.network"):
        recipe = Recipe.from_values(values | {"model.network": name, "train.epochs": 1000}).settled(precision)
        structure = structure_of(recipe, space)
        split = load(structure.images)
        cases.append(Case(recipe, structure, split, cost(structure, split)))
    return max(cases, key=lambda case: case.cost.memory)


def cost(structure: Structure, split: Split) -> Cost:
    """The cost of a slot, by layer: 4 bytes per number, two operations per product, forward and twice backward."""
    shape = split.x_train.shape[1:]
    outputs = math.prod(shape) if structure.own_images else 0
    weights = products = 0
    for layer, seen in walk(network(structure.model, shape, split.classes), shape):
        produced = layer.output(seen)
        size = sum(p.size for p in layer.parameters(seen))
        outputs += math.prod(produced)
        weights += size
        products += size * math.prod(produced[:-1])
    copies = 2 * (3 + structure.second_moment + structure.third_moment)  # weights, gradients, moments; old and new
    return Cost(4.0 * (KEPT * structure.batch_size * outputs + copies * weights), 6.0 * structure.batch_size * products)


def piece(case: Case, size: int) -> Callable[[], int]:
    """A stack of `size` slots, with enough images for a measured piece and their share of the validation images."""
    operations = GPU_PIECE if device.is_gpu() else CPU_PIECE
    batch, everything = case.structure.batch_size, len(case.split.y_train)
    steps = max(2, math.ceil(operations / (size * case.cost.operations)))
    train = min(everything, steps * batch)
    held = max(1, len(case.split.y_val) * train // everything)
    part = replace(
        case.split,
        x_train=case.split.x_train[:train],
        y_train=case.split.y_train[:train],
        x_val=case.split.x_val[:held],
        y_val=case.split.y_val[:held],
    )
    stack = Stack(case.structure, part, size)
    for seed in range(size):
        stack.load(case.recipe, seed)
    return lambda: sum(result.images for result in stack.epoch().values())


def conditions(case: Case) -> dict[str, Any]:
    """The conditions of a measurement, as JSON: the device, the software, and the work of a slot."""
    versions = {"lenet-search": __version__, **device.versions()}
    structure = case.structure
    model = {name: value for name, value in asdict(structure.model).items() if name != "initializer"}
    return {
        "device": device.describe() if device.is_gpu() else f"{machine.processor()}, {device.describe()}",
        "software": ", ".join(f"{name} {version}" for name, version in versions.items() if name != "numpy"),
        "model": model,
        "image": list(case.split.x_train.shape[1:]),
        "batch_size": structure.batch_size,
        "precision": structure.precision,
        "augmentations": list(structure.augmentations),
        "own_images": structure.own_images,
    }


def _values(space: Space, path: str) -> tuple[Scalar, ...]:
    possible = space.possible(path)
    return (possible.high,) if isinstance(possible, Range) else possible


def _most(space: Space, path: str) -> Scalar:
    """The largest number or flag, or the first string."""
    values = _values(space, path)
    return values[0] if isinstance(values[0], str) else max(values)


def _rate(run: Callable[[], int], clock: Callable[[], float]) -> float:
    """Images per second of a piece, the best of several: other programs can only make it slower."""
    best, began = 0.0, clock()
    for repeat in range(1, 1000):
        started = clock()
        best = max(best, run() / (clock() - started))
        passed = clock() - began
        if passed > LONG or (repeat >= REPEATS and passed > ENOUGH):
            break
    return best


def _counted(slots: int) -> str:
    return "1 slot" if slots == 1 else f"{slots} slots"


def _rates(rates: Mapping[int, float]) -> str:
    """'1 slot 5,300, 2 slots 9,100, 4 slots 12,900 images/s'."""
    return ", ".join(f"{_counted(size)} {rate:,.0f}" for size, rate in sorted(rates.items())) + " images/s"


def _again(memory: Memory) -> str:
    return f"remembered in {memory.path} (delete it to measure again)"
