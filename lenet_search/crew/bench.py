"""A worker's stacks, one per structure, with the runs in their slots and the runs waiting for a slot."""

import gc
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lenet_search.crew.messages import EpochDone, Halved, Load, Refused, RunEpoch
from lenet_search.crew.testing import model_file
from lenet_search.data import Split
from lenet_search.frozen import SlotState
from lenet_search.machine import memory_was_short
from lenet_search.recipe import Images, Recipe
from lenet_search.run import Curve
from lenet_search.space import Space
from lenet_search.structure import Structure, structure_of

if TYPE_CHECKING:
    from lenet_search.engine import EpochResult, Stack
    from lenet_search.engine.stack import Computed

MOST_STACKS = 16  # limits memory in a space with many shapes: a stack takes about 30 MB per size that it ran in
# Largest number of runs of a cohort side by side. They begin together, so a larger stack costs no generations.
LARGEST_COHORT = 16
TOO_LARGE = "it does not fit in memory"


@dataclass(frozen=True)
class Assigned:
    """A run of this worker, in a slot or waiting for one."""

    load: Load
    recipe: Recipe
    structure: Structure


@dataclass
class Bench:
    """A stack and the run in each of its slots, of which at most `most` are used."""

    stack: "Stack"
    images: dict[str, Any]
    most: int
    runs: dict[int, Assigned] = field(default_factory=dict)
    sizes: set[int] = field(default_factory=set)  # numbers of slots for which a program was compiled


class Benches:
    """All stacks of a worker.

    Args:
        space: space of the recipes; None: each recipe is a space of its own
        slots: number of slots of a stack
        split: loads the images of a recipe
    """

    def __init__(self, space: Space | None, slots: int, split: Callable[[Images], Split]) -> None:
        self.slots = slots
        self.programs = 0  # compiled since the worker started
        self._space = space
        self._split = split
        self._waiting: deque[Assigned] = deque()
        self._benches: OrderedDict[Structure, Bench] = OrderedDict()  # most recently used last
        self._most: dict[Structure, int] = {}  # largest number of slots, where memory was short

    def busy(self) -> list[Bench]:
        """The stacks that hold runs."""
        return [bench for bench in self._benches.values() if bench.runs]

    def add(self, load: Load) -> None:
        """Take a run; `fill` gives it a slot."""
        recipe = Recipe.from_values(load.values)
        self._waiting.append(Assigned(load, recipe, structure_of(recipe, self._space or Space.from_recipe(recipe))))

    def drop(self, numbers: set[int]) -> None:
        """Give runs up."""
        self._waiting = deque(each for each in self._waiting if each.load.number not in numbers)
        for bench in self.busy():
            self._empty(bench, *(slot for slot, each in bench.runs.items() if each.load.number in numbers))

    def fill(self) -> list[Refused]:
        """Load waiting runs, in order, into free slots; the others keep waiting.

        Returns:
            The runs that do not fit in memory even alone.
        """
        still: deque[Assigned] = deque()
        refused = []
        for each in self._waiting:
            try:
                loaded = self._load(each)
            except Exception as error:
                if not memory_was_short(error):
                    raise
                refused.append(Refused(each.load.number, TOO_LARGE))
                continue
            if not loaded:
                still.append(each)
        self._waiting = still
        return refused

    def _load(self, each: Assigned) -> bool:
        """Give a run a slot; whether there is one."""
        bench = self._bench(each)
        if bench is None:
            return False
        load, stack = each.load, bench.stack
        if load.state is None:
            slot = stack.load(each.recipe, load.seed)
        else:
            slot = stack.thaw(each.recipe, load.epochs, load.state)
        bench.runs[slot] = each
        return True

    def freeze(self) -> dict[int, tuple[int, SlotState]]:
        """Copies of the states of all runs after their first epoch: (epochs done, state) by number."""
        return {
            each.load.number: (epochs, bench.stack.freeze(slot))
            for bench in self.busy()
            for slot, each in bench.runs.items()
            if (epochs := bench.stack.epochs(slot))
        }

    def take(self, bench: Bench, computed: "Computed") -> EpochDone:
        """Accept an epoch of a stack. Runs that ended leave their slots."""
        clock = bench.stack.clock
        results = bench.stack.take(computed)
        self.programs += len(computed.slots) not in bench.sizes
        bench.sizes.add(len(computed.slots))
        # Weights first: an emptied slot is a new state, and each state that is read is copied from the device.
        epochs = tuple(self._account(bench, slot, clock, result) for slot, result in results.items())
        self._empty(bench, *(slot for slot, result in results.items() if _is_over(bench.runs[slot], result)))
        return EpochDone(epochs, bench.images, self.room(), computed.seconds, self.programs)

    def halve(self, bench: Bench) -> Halved | Refused:
        """Halve a stack that ran out of memory: half of its runs wait until the others are done."""
        slots = list(bench.runs)
        if len(slots) == 1:
            refused = Refused(bench.runs[slots[0]].load.number, TOO_LARGE)
            self._empty(bench, slots[0])
            return refused
        kept = len(slots) // 2
        for slot in slots[kept:]:
            each, stack = bench.runs[slot], bench.stack
            clock = None if each.load.clock is None else stack.clock
            epochs = stack.epochs(slot)
            frozen = replace(each.load, clock=clock, epochs=epochs, state=stack.freeze(slot) if epochs else None)
            self._waiting.append(replace(each, load=frozen))
        self._empty(bench, *slots[kept:])
        bench.most = self._most[bench.stack.structure] = kept
        return Halved(kept)

    def room(self) -> int:
        """How many more runs the worker could take now.

        This is the number of free slots in running stacks. Runs of several structures share a worker, so it holds up
        to twice the slots of a stack; more would be drawn long before they could be trained.
        """
        busy = self.busy()
        free = sum(bench.most - len(bench.runs) for bench in busy) if busy else self.slots
        held = sum(len(bench.runs) for bench in busy) + len(self._waiting)
        return max(0, min(free, self.slots - len(self._waiting), 2 * self.slots - held))

    def _account(self, bench: Bench, slot: int, clock: int, result: "EpochResult") -> RunEpoch:
        """The epoch of a slot, as reported to the parent."""
        each = bench.runs[slot]
        ended = result.finite and _is_over(each, result)
        weights = bench.stack.weights(slot) if ended else None
        model = None
        if weights is not None and each.load.model:
            model = model_file(each.recipe, bench.images, weights)
            weights = None
        measured = {name: float(getattr(result, name)) for name in Curve.NAMES}
        return RunEpoch(each.load.number, clock, result.epoch, measured, result.images, result.finite, weights, model)

    def _bench(self, each: Assigned) -> Bench | None:
        """The stack for a run, created if necessary; None if the run has to wait."""
        clock, size = each.load.clock, self._size(each)
        bench = self._benches.get(each.structure)
        if bench is None or (clock is not None and not bench.runs and bench.most < size):
            bench = self._new(each.structure, size)
        self._benches.move_to_end(each.structure)
        if clock is not None and not bench.runs:
            bench.stack.clock = clock
        fits = len(bench.runs) < bench.most and clock in (None, bench.stack.clock)
        return bench if fits else None

    def _size(self, each: Assigned) -> int:
        """The number of slots of its stack. A cohort begins together: every waiting run of it gets a slot."""
        size, clock = self.slots, each.load.clock
        if clock is not None:
            beside = [other for other in self._waiting if other.structure == each.structure]
            size = min(LARGEST_COHORT, sum(other.load.clock == clock for other in beside))
        return min(size, self._most.get(each.structure, size))

    def _new(self, structure: Structure, slots: int) -> Bench:
        from lenet_search.engine import Stack

        idle = [known for known, bench in self._benches.items() if not bench.runs and known != structure]
        if len(self._benches) >= MOST_STACKS and idle:
            del self._benches[idle[0]]
            gc.collect()  # a stack and its programs refer to each other (50 structures: 1,970 MiB instead of 2,210)
        split = self._split(structure.images)
        bench = self._benches[structure] = Bench(Stack(structure, split, slots), split.describe(), slots)
        return bench

    def _empty(self, bench: Bench, *slots: int) -> None:
        if slots:
            bench.stack.unload(*slots)
        for slot in slots:
            del bench.runs[slot]


def _is_over(each: Assigned, result: "EpochResult") -> bool:
    return not result.finite or result.epoch == each.recipe.train.epochs
