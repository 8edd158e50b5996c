import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lenet_search.model.connected import connected


def flooded(mask):
    """The parts of a mask, by flooding each from its first pixel."""
    left, parts = set(zip(*np.nonzero(mask), strict=True)), []
    while left:
        waiting, part = [left.pop()], set()
        while waiting:
            row, column = waiting.pop()
            part.add((row, column))
            near = {(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)} & left
            left -= near
            waiting += near
        parts.append(part)
    return parts


@given(arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_parts_are_those_that_flooding_finds(mask):
    labels, count = connected(mask)
    found = [set(zip(*np.nonzero(labels == number), strict=True)) for number in range(1, count + 1)]
    assert sorted(map(sorted, found)) == sorted(map(sorted, flooded(mask)))
    assert not labels[~mask].any()
