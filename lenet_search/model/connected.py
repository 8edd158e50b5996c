"""Connected parts of a mask."""

import numpy as np


def connected(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """A number from 1 for each connected part of a mask (H, W), 0 elsewhere; and the number of parts.

    Pixels are connected over sides and corners. Each row's runs are united with those that they touch in the row above
    (union-find).
    """
    parents = [0]
    labels = np.zeros(mask.shape, np.int64)
    above: list[tuple[int, int, int]] = []  # start, end and label of each run
    for number, row in enumerate(mask):
        edges = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0)).tolist()
        runs, first = [], 0
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            while first < len(above) and above[first][1] < start:
                first += 1
            touching, place = [], first
            while place < len(above) and above[place][0] <= end:
                touching.append(_root(parents, above[place][2]))
                place += 1
            label = min(touching, default=len(parents))
            if not touching:
                parents.append(label)
            for other in touching:
                parents[other] = label
            labels[number, start:end] = label
            runs.append((start, end, label))
        above = runs
    roots, numbers = np.unique([_root(parents, label) for label in range(len(parents))], return_inverse=True)
    return numbers[labels], len(roots) - 1


def _root(parents: list[int], label: int) -> int:
    while parents[label] != label:
        parents[label] = parents[parents[label]]
        label = parents[label]
    return label
