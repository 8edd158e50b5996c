"""PED-ANOVA over many weightings of the same trials at once.

Hyperparameter importance for reaching the best tenth of the trials (Watanabe et al. 2023, arXiv:2304.10255; its
extension to conditional hyperparameters, arXiv:2601.20800), as Optuna's `PedAnovaImportanceEvaluator` computes it: the
Pearson divergence between two Parzen estimates on a grid, that of the best trials and that of all. Optuna takes 10 ms
per call, so 200 bootstrap draws would take seconds. Here a draw is a row of weights, and a trial that was drawn twice
has the weight 2; all draws share their arithmetic.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial

BEST = 0.1  # share of the trials that count as the best
STEPS = 50  # cells of the grid at most
PRIOR = 1.0  # weight of the uniform prior, in trials
NARROWEST = 0.5 / 1.64  # bandwidth in cells: 90 % of a kernel lies in its cell
FEWEST = 2  # trials that have a hyperparameter, below which it is left out

Array = np.ndarray


@dataclass(frozen=True)
class Column:
    """One hyperparameter: the cell of each trial's value, -1 where the trial lacks it."""

    path: str
    cells: Array
    size: int
    categorical: bool


def columns_of(trials: Sequence[FrozenTrial]) -> list[Column]:
    """All hyperparameters with more than one possible value. One whose range changed has a column for each range."""
    spreads = {(path, spread) for trial in trials for path, spread in trial.distributions.items()}
    return [_column(path, spread, trials) for path, spread in sorted(spreads, key=str) if not spread.single()]


def divergences(columns: Sequence[Column], losses: Array, weights: Array) -> Array:
    """The importance of each column under each weighting, not normalized, as (columns, draws).

    Args:
        columns: the hyperparameters, of n trials
        losses: (n,) or (draws, n), smaller is better
        weights: (draws, n), how often each trial counts
    """
    losses = np.broadcast_to(losses, weights.shape)
    best = weights * (losses <= _cutoff(losses, weights)[:, None])
    return np.array([_divergence(column, best, weights) for column in columns]).reshape(len(columns), len(weights))


def _cutoff(losses: Array, weights: Array) -> Array:
    """The loss of the last of the best tenth."""
    order = np.argsort(losses, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(weights, order, 1), axis=1)
    wanted = np.ceil(BEST * reached[:, -1:])
    last = np.argmax(reached >= wanted, axis=1)
    rows = np.arange(len(losses))
    cutoff: Array = losses[rows, order[rows, last]]
    return cutoff


def _divergence(column: Column, best: Array, every: Array) -> Array:
    """Pearson divergence of the best from all among the trials that have this hyperparameter, times a²/b.

    a and b are the shares of the best and of all trials that have it (theorem 4.2 of arXiv:2601.20800).
    """
    top, whole = _counts(column, best), _counts(column, every)
    a = top.sum(1) / best.sum(1)
    b = whole.sum(1) / every.sum(1)
    density = _categorical if column.categorical else _numerical
    near, far = density(top) + 1e-12, density(whole) + 1e-12
    pearson = (far * (near / far - 1.0) ** 2).sum(1)
    there = (top.sum(1) > 0) & (whole.sum(1) >= FEWEST)
    return np.where(there, a * a / np.where(b > 0, b, 1.0) * pearson, 0.0)


def _counts(column: Column, weights: Array) -> Array:
    """The weight in each cell, as (draws, cells)."""
    has = column.cells >= 0
    counts: Array = weights[:, has] @ np.eye(column.size)[column.cells[has]]
    return counts


def _categorical(counts: Array) -> Array:
    """Aitchison-Aitken kernels with one smoothing for all choices, and the prior."""
    size, total = counts.shape[1], counts.sum(1, keepdims=True)
    smooth = PRIOR / ((counts > 0).sum(1, keepdims=True) + 1.0)  # share that a kernel gives to each choice
    mixed = (counts + smooth * total) / (1.0 + smooth * size) + PRIOR / size
    density: Array = mixed / (total + PRIOR)
    return density


def _numerical(counts: Array) -> Array:
    """Normal kernels cut off at the ends of the grid, with Scott's bandwidth, and a wide one as the prior."""
    size, total = counts.shape[1], counts.sum(1, keepdims=True)
    width = _bandwidth(counts)
    offsets = np.arange(-size, size + 1) + 0.5  # edges of cells, from a kernel's cell
    below = _normal(offsets / width[:, None])  # (draws, 2 size + 1)
    places = np.arange(size)
    edge = places[None, :] - places[:, None] + size - 1  # lower edge of cell `column` for a kernel in cell `row`
    inside = below[:, size - 1 - places + size] - below[:, size - 1 - places]  # the part of a kernel on the grid
    mass = np.diff(below, axis=1)[:, edge]  # (draws, kernel, cell)
    mixed = np.einsum("dk,dkc->dc", counts / np.where(inside > 0, inside, 1.0), mass)
    prior = np.diff(_normal((np.arange(size + 1) - 0.5 - (size - 1) / 2) / size))
    density: Array = (mixed + PRIOR * prior / prior.sum()) / (total + PRIOR)
    return density


def _bandwidth(counts: Array) -> Array:
    """Scott's rule (1992), with the smaller of standard deviation and normalized interquartile range."""
    places, total = np.arange(counts.shape[1]), np.maximum(counts.sum(1), 1.0)
    mean = counts @ places / total
    spread = np.sqrt((counts * (places - mean[:, None]) ** 2).sum(1) / np.maximum(1.0, total - 1.0))
    reached = np.cumsum(counts, axis=1)
    first = np.argmax(reached >= np.maximum(total // 4, 1.0)[:, None], axis=1)
    third = np.argmax(reached > (total * 3 // 4)[:, None], axis=1)
    width: Array = np.maximum(1.059 * np.minimum((third - first) / 1.34, spread) * total**-0.2, NARROWEST)
    return width


def _normal(z: Array) -> Array:
    """The normal distribution function."""
    return 0.5 * (1.0 + np.array([math.erf(x) for x in (z / math.sqrt(2.0)).ravel()]).reshape(z.shape))


def _value(trial: FrozenTrial, path: str, spread: BaseDistribution) -> Any:
    """The trial's value if it was drawn from `spread`, else None, as where a damaged storage has a value of another."""
    if trial.distributions.get(path) != spread:
        return None
    value = trial.params[path]
    if isinstance(spread, CategoricalDistribution):
        return value if value in spread.choices else None
    return value if isinstance(value, int | float) else None


def _column(path: str, spread: BaseDistribution, trials: Sequence[FrozenTrial]) -> Column:
    values = [_value(trial, path, spread) for trial in trials]
    if isinstance(spread, CategoricalDistribution):
        cells = [-1 if value is None else int(spread.to_internal_repr(value)) for value in values]
        return Column(path, np.array(cells), len(spread.choices), True)
    low, high, log = float(spread.low), float(spread.high), bool(spread.log)  # type: ignore[attr-defined]
    size = STEPS
    if isinstance(spread, IntDistribution) and log:
        size = min(math.ceil(math.log2(high - low + 1)) + 1, STEPS)
    elif spread.step is not None:  # type: ignore[attr-defined]
        size = min(round((high - low) / spread.step) + 1, STEPS)  # type: ignore[attr-defined]
    low, high = (math.log(low), math.log(high)) if log else (low, high)
    step = (high - low) / (size - 1)
    cells = []
    for value in values:
        place = 0.0 if value is None else ((math.log(value) if log else float(value)) - low) / step
        cells.append(-1 if value is None else min(size - 1, max(0, math.ceil(place - 0.5))))  # ties go down
    return Column(path, np.array(cells), size, False)
