"""95 % confidence intervals, so that every figure comes with its uncertainty."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def wilson(accuracy: float, n: int) -> tuple[float, float]:
    """95 % interval (low, high) of an accuracy measured on `n` images.

    Wilson 1927; unlike accuracy ± 2 standard errors, it stays within 0 and 1 and is valid near both ends.

    Raises:
        ValueError: `accuracy` is not between 0 and 1, or `n` is below 1.
    """
    if n < 1 or not 0.0 <= accuracy <= 1.0:
        raise ValueError(f"expected an accuracy from 0 to 1 and at least one image; received {accuracy!r}, n = {n!r}")
    shrink = 1.0 + Z * Z / n
    center = (accuracy + Z * Z / (2 * n)) / shrink
    half = Z * math.sqrt(accuracy * (1.0 - accuracy) / n + Z * Z / (4.0 * n * n)) / shrink
    return max(0.0, center - half), min(1.0, center + half)


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and its 95 % interval by Student's t, as (mean, low, high). A single value has the interval ±infinity.

    Raises:
        ValueError: `values` is empty.
    """
    if not values:
        raise ValueError("expected at least one value; received none")
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return mean, -math.inf, math.inf
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = t_quantile(n - 1) * spread / math.sqrt(n)
    return mean, mean - half, mean + half


def mean_summary(values: Sequence[float], *, share: bool) -> dict[str, float | int | None]:
    """`n`, `mean`, `low` and `high` of `mean_interval` for JSON, None where undefined.

    Bounds are clipped to what is possible: at least 0 for every metric, and at most 1 for a `share`.
    """
    if not values:
        return {"n": 0, "mean": None, "low": None, "high": None}
    mean, low, high = mean_interval(values)
    if not math.isfinite(low):  # one run does not determine the spread
        return {"n": len(values), "mean": mean, "low": None, "high": None}
    return {"n": len(values), "mean": mean, "low": max(0.0, low), "high": min(1.0 if share else math.inf, high)}


@dataclass(frozen=True)
class Difference:
    """Mean of `n` paired differences with its 95 % interval and p-value."""

    n: int
    mean: float
    low: float
    high: float
    p: float


def paired_difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """`second` minus `first` by Student's paired t-test. A single pair has the interval ±infinity and p = 1.

    Raises:
        ValueError: there are no pairs, or the lengths differ.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    mean, low, high = mean_interval(differences)
    n = len(differences)
    if n == 1:
        return Difference(n, mean, low, high, 1.0)
    error = (high - mean) / t_quantile(n - 1)
    if error == 0.0:
        return Difference(n, mean, low, high, 0.0 if mean else 1.0)
    return Difference(n, mean, low, high, max(0.0, 1.0 - _inside(abs(mean) / error, n - 1)))


def holm(probabilities: Sequence[float]) -> list[float]:
    """p-values adjusted for multiple comparisons (Holm 1979), in the given order."""
    raised, highest = [0.0] * len(probabilities), 0.0
    for rank, place in enumerate(sorted(range(len(probabilities)), key=probabilities.__getitem__)):
        highest = max(highest, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        raised[place] = highest
    return raised


def t_quantile(freedom: int) -> float:
    """97.5 % quantile of Student's t with `freedom` (1 or more) degrees of freedom."""
    low, high = 1.9, 13.0  # brackets the quantiles of infinitely many degrees and of one
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < 0.95 else (low, middle)
    return (low + high) / 2


def _inside(t: float, freedom: int) -> float:
    """Probability of -t to t: Abramowitz & Stegun 1964, 26.7.3 (odd) and 26.7.4 (even)."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    term = math.cos(angle) if freedom % 2 else 1.0
    total = 0.0 if freedom == 1 else term
    for k in range(3 if freedom % 2 else 2, freedom, 2):
        term *= (k - 1) / k * square
        total += term
    return 2.0 / math.pi * (angle + sine * total) if freedom % 2 else sine * total
