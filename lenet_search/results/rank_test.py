"""Which hyperparameters matter: a test on the ranks of all finished trials.

PED-ANOVA looks at the best tenth: ten of 100 trials, which look alike in something by chance alone. So the verdict
comes from a regression of the ranks of all trials, complete and pruned, on one hyperparameter at a time
(docs/statistics.md shows how often either is right):

- A sampler such as TPE narrows down over time. Late trials are then better than early ones, and alike in everything,
  also in what does not matter. A cubic in a trial's place in the search takes that out.
- A hyperparameter of a branch is compared among the trials of this branch.
- With many hyperparameters, one of them always fits a little. What counts is the largest of all fits, compared with
  the largest of all under chance.
- After one is found, its effect is taken out, and the others are tested again (forward selection). What merely moved
  along with it is no longer found.
"""

from collections.abc import Sequence

import numpy as np
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lenet_search.results.ped_anova import Column

LEVEL = 0.01  # probability of naming one where none matters
DRAWS = 20_000  # of the largest fit under chance: a level of 1 % then has a standard error of 0.07 %
DEGREE = 3  # of the polynomial in time
FEWEST = 8  # trials that have a hyperparameter, below which it is not tested
MOST = 5  # hyperparameters named

Array = np.ndarray


def scores(trials: Sequence[FrozenTrial], direction: StudyDirection) -> Array:
    """The rank of each complete or pruned trial, from 0 for the worst to 1; equal trials share their mean rank.

    Pruned trials come after all complete ones, ordered by their last epoch and its value, as Optuna's TPE orders them.
    """
    sign = 1.0 if direction == StudyDirection.MAXIMIZE else -1.0
    return shared_ranks(np.array([_key(trial, sign) for trial in trials])) / len(trials)


def shared_ranks(keys: Array) -> Array:
    """Ranks of n rows or numbers from 0.5 for the smallest to n - 0.5; equal ones share their mean rank."""
    _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(count) - count / 2)[group.ravel()]
    return ranks


def _key(trial: FrozenTrial, sign: float) -> tuple[float, float, float]:
    """Larger is better, from the left."""
    step = trial.last_step
    complete = trial.state == TrialState.COMPLETE
    value = trial.value if complete else None if step is None else trial.intermediate_values[step]
    known = sign * value if value is not None and np.isfinite(value) else -np.inf
    return float(complete), 0.0 if complete else float(step or 0), known


def standing_out(ranks: Array, columns: Sequence[Column], level: float = LEVEL) -> list[str]:
    """The hyperparameters that explain the ranks better than chance, in the order in which they are found.

    Args:
        ranks: (n,), in the order of the search
        columns: the hyperparameters of these trials
        level: probability of naming one where none matters

    Returns:
        Their paths; empty if there are too few trials to say.
    """
    n, rng = len(ranks), np.random.default_rng(0)
    known = np.linalg.qr(np.vander(np.linspace(-1.0, 1.0, n), DEGREE + 1))[0] if n > DEGREE + 1 else np.eye(n)
    shapes = {column.path: shape for column in columns if (shape := _shape(column)) is not None}
    named: list[str] = []
    while shapes and len(named) < MOST:
        freedom = n - known.shape[1]
        rest = ranks - known @ (known.T @ ranks)
        variance = float(rest @ rest) / max(1, freedom)
        parts = {path: part for path, shape in shapes.items() if (part := _beyond(shape, known)).shape[1]}
        if freedom < 2 or variance < 1e-12 or not parts:
            break
        fits = {path: _unusual(((part.T @ rest) ** 2).sum() / variance, part) for path, part in parts.items()}
        best = max(fits, key=fits.__getitem__)
        if np.mean(_largest_by_chance(list(parts.values()), rng) >= fits[best]) > level:
            break
        named.append(best)
        known = np.hstack([known, parts[best]])
        del shapes[best]
    return named


def _shape(column: Column) -> Array | None:
    """What a fit can be made of, centered among the trials that have it: each choice, or a parabola in the rank."""
    has = column.cells >= 0
    cells = column.cells[has]
    if len(cells) < FEWEST:
        return None
    if column.categorical:
        parts = np.eye(column.size)[cells]
    else:
        place = shared_ranks(cells) / len(cells) - 0.5
        parts = np.stack([place, place**2], axis=1)
    shape = np.zeros((len(has), parts.shape[1]))
    shape[has] = parts - parts.mean(axis=0)
    return shape


def _beyond(shape: Array, known: Array) -> Array:
    """An orthonormal basis of what `shape` adds to the orthonormal `known`."""
    left, sizes, _ = np.linalg.svd(shape - known @ (known.T @ shape), full_matrices=False)
    basis: Array = left[:, sizes > 1e-6 * max(1.0, float(np.abs(shape).max()))]
    return basis


def _unusual(squares: Array, part: Array) -> Array:
    """A chi-squared as a standard normal (Wilson & Hilferty 1931), so that fits of different freedom compare."""
    small = 2.0 / (9.0 * part.shape[1])
    normal: Array = (np.cbrt(squares / part.shape[1]) - (1.0 - small)) / np.sqrt(small)
    return normal


def _largest_by_chance(parts: Sequence[Array], rng: np.random.Generator) -> Array:
    """`DRAWS` draws of the largest fit if ranks are pure chance: what they project to is normal by the CLT."""
    every = np.hstack(parts)
    values, vectors = np.linalg.eigh(every.T @ every)
    drawn = rng.standard_normal((DRAWS, len(values))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    ends = np.cumsum([part.shape[1] for part in parts])
    squares = [(each**2).sum(axis=1) for each in np.split(drawn, ends[:-1], axis=1)]
    largest: Array = np.max([_unusual(each, part) for each, part in zip(squares, parts, strict=True)], axis=0)
    return largest
