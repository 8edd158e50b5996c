"""How many of a stack's slots run: those in use, or more where a program for just those would have to be compiled."""

from collections import defaultdict

COMPILING_SECONDS = 4.0  # what another size costs, until the stack has seen it


class Sizes:
    """The sizes that a stack is compiled for, what they take, and so which comes next.

    Nobody knows how long so many slots will be in use. So a smaller size is compiled as soon as running a larger one
    instead has wasted as much as compiling costs: never more than twice what foresight would have needed. A larger one
    has to be compiled at once, and is at least twice the largest so far, since stacks that grow go on growing.

    Args:
        slots: of the stack
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._first: dict[int, float] = {}  # seconds of each size's first epoch, compiling included
        self._seconds = 0.0  # of one slot, in the last epoch whose program was there already
        self._compiling = COMPILING_SECONDS
        self._wasted: defaultdict[int, float] = defaultdict(float)  # seconds that a size would have saved

    def choose(self, active: int) -> int:
        """How many slots to run for an epoch in which `active` are in use, at least one."""
        best = min(size for size in possible(self._slots) if size >= active)
        larger = [size for size in self._first if size > best]
        if best in self._first or not self._first:
            return best
        if not larger:
            return max(best, min(self._slots, 2 * max(self._first)))
        waste = self._seconds * (min(larger) - best)
        if self._wasted[best] + waste >= self._compiling:
            return best
        self._wasted[best] += waste
        return min(larger)

    def note(self, size: int, seconds: float) -> None:
        """An epoch of `size` slots took so long, compiling included where it was the first."""
        if size not in self._first:
            self._first[size] = seconds
            return
        self._seconds = seconds / size
        self._compiling = max(0.0, self._first[size] - seconds)


def possible(slots: int) -> list[int]:
    """Sizes that a stack of so many slots may run: 1, 2, 3, 4, 6, 8, 12, 16, ... and all of them."""
    powers = [2**power for power in range(slots.bit_length())]
    return sorted({size for power in powers for size in (power, 3 * power // 2) if size <= slots} | {slots})
