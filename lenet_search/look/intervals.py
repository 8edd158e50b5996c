"""95 % confidence intervals, so that every figure comes with its uncertainty."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


@dataclass(frozen=True)
class Estimate:
    """A share, or another figure such as a loss, with its 95 % interval from `low` to `high`.

    `value` is None where nothing was measured; `low` and `high` are both None where there is no interval. `n` counts
    what `value` is the mean of; `over` names what the interval is taken over, "seeds" or "images".
    """

    value: float | None
    n: int
    low: float | None
    high: float | None
    over: str
    share: bool = True

    def __str__(self) -> str:
        """'98.91 % (98.85 to 98.97)' for a share, '0.2794 (0.2601 to 0.2988)' for a loss, '-' without a value."""
        bounds = self.bounds()
        return self.figure() + (f" ({bounds})" if bounds else "")

    def figure(self) -> str:
        """The value alone: '98.91 %', '0.2794' or '-'."""
        return "-" if self.value is None else self._digits(self.value) + (" %" if self.share else "")

    def bounds(self) -> str:
        """The interval alone, without a unit: '98.85 to 98.97'; empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        return f"{self._digits(self.low)} to {self._digits(self.high)}"

    def _digits(self, value: float) -> str:
        return f"{100 * value:.2f}" if self.share else f"{value:.4f}"

    def named(self, name: str) -> dict[str, Any]:
        """`name` (the value), `low`, `high` and `n`, for JSON that holds more than this figure."""
        return {name: self.value, "low": self.low, "high": self.high, "n": self.n}

    def to_json(self) -> dict[str, Any]:
        """`n`, `mean`, `low`, `high` and `over`."""
        return {"n": self.n} | self.named("mean") | {"over": self.over}


def is_share(metric: str) -> bool:
    """Whether a metric is a share, shown in percent: every accuracy is, a loss is not."""
    return metric.endswith("accuracy")


def grain_of(metric: str, images: int) -> float:
    """The step of a metric on so many images: an accuracy is a multiple of one image, others have no step (0)."""
    return 1.0 / images if metric in ("val_accuracy", "test_accuracy") and images else 0.0


def figure(value: float, metric: str) -> str:
    """A single value of a metric for people: '98.91 %' or '0.2794'."""
    return mean_of([value], share=is_share(metric)).figure()


def share_of(accuracy: float, images: int) -> Estimate:
    """An accuracy measured on `images` images.

    The interval is Wilson's (1927); unlike accuracy ± 2 standard errors, it stays within 0 and 1 and is valid near both
    ends.

    Raises:
        ValueError: `accuracy` is not between 0 and 1, or `images` is below 1.
    """
    if images < 1 or not 0.0 <= accuracy <= 1.0:
        raise ValueError(
            f"expected an accuracy from 0 to 1 and at least one image; received {accuracy!r}, n = {images!r}"
        )
    shrink = 1.0 + Z * Z / images
    center = (accuracy + Z * Z / (2 * images)) / shrink
    half = Z * math.sqrt(accuracy * (1.0 - accuracy) / images + Z * Z / (4.0 * images * images)) / shrink
    return Estimate(accuracy, images, max(0.0, center - half), min(1.0, center + half), "images")


def mean_of(values: Sequence[float], *, share: bool, grain: float = 0.0) -> Estimate:
    """The mean of one value per seed, with Student's interval; fewer than two values do not determine the spread.

    Bounds are clipped to what is possible: at least 0 for every metric, and at most 1 for a `share`. Values that are
    multiples of `grain` can agree by chance: their standard deviation is that of rounding, grain / sqrt(12), at least.
    """
    if len(values) < 2:
        return Estimate(values[0] if values else None, len(values), None, None, "seeds", share)
    mean, low, high = _student(values, least=grain / math.sqrt(12))
    return Estimate(mean, len(values), max(0.0, low), min(1.0 if share else math.inf, high), "seeds", share)


def mean_of_shares(shares: Sequence[Estimate]) -> Estimate:
    """The mean of shares that were measured on different images, such as the recalls of classes.

    The interval combines those of the shares (Zou & Donner 2008, MOVER): Wilson's are wider towards the middle, which a
    symmetric interval would miss.

    Raises:
        ValueError: there are no shares, or one has no interval.
    """
    if not shares:
        raise ValueError("expected at least one share; received none")
    mean, below, above = 0.0, 0.0, 0.0
    for each in shares:
        if each.value is None or each.low is None or each.high is None:
            raise ValueError(f"expected shares with intervals; received {each!r}")
        mean += each.value / len(shares)
        below += (each.value - each.low) ** 2
        above += (each.high - each.value) ** 2
    low, high = mean - math.sqrt(below) / len(shares), mean + math.sqrt(above) / len(shares)
    return Estimate(mean, sum(each.n for each in shares), max(0.0, low), min(1.0, high), "images")


@dataclass(frozen=True)
class Difference:
    """Mean of `n` paired differences of shares with its 95 % interval, None where there is none, and p-value."""

    n: int
    mean: float
    low: float | None
    high: float | None
    p: float

    def to_json(self) -> dict[str, Any]:
        """`n`, `mean` (None without pairs), `low` and `high`, as fractions."""
        return {"n": self.n, "mean": self.mean if self.n else None, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        """In percentage points: '+0.52 (+0.10 to +0.94)'."""
        bounds = "" if self.low is None or self.high is None else f" ({100 * self.low:+.2f} to {100 * self.high:+.2f})"
        return f"{100 * self.mean:+.2f}{bounds}"


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    inside: float = 0.95,
    *,
    grain: float = 0.0,
    share: bool = False,
) -> Difference:
    """`second` minus `first` by Student's paired t-test. A single pair has no interval and p = 1.

    The interval has probability `inside`; that of a difference of shares lies between -1 and 1. Values that are
    multiples of `grain` can agree by chance, so that their spread looks like none: the standard deviation is then that
    of rounding two values, grain / sqrt(6), at least.

    Raises:
        ValueError: there are no pairs, or the lengths differ.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    n = len(differences)
    if n == 0:
        raise ValueError("expected at least one pair of values; received none")
    if n == 1:
        return Difference(1, differences[0], None, None, 1.0)
    mean, low, high = _student(differences, inside, grain / math.sqrt(6))
    error = (high - mean) / t_quantile(n - 1, inside)
    if share:
        low, high = max(-1.0, low), min(1.0, high)
    if error == 0.0:
        return Difference(n, mean, low, high, 0.0 if mean else 1.0)
    return Difference(n, mean, low, high, max(0.0, 1.0 - _inside(abs(mean) / error, n - 1)))


def paired_by_seed(
    first: Mapping[int, float],
    second: Mapping[int, float],
    *,
    maximize: bool = True,
    inside: float = 0.95,
    grain: float = 0.0,
    share: bool = False,
) -> Difference | None:
    """`second` minus `first` on the seeds that both have, better being more; None if they share none.

    The other arguments are those of `paired_difference`.
    """
    sign = 1.0 if maximize else -1.0
    seeds = [seed for seed in first if seed in second]
    if not seeds:
        return None
    before, after = ([sign * each[seed] for seed in seeds] for each in (first, second))
    return paired_difference(before, after, inside, grain=grain, share=share)


def _student(values: Sequence[float], inside: float = 0.95, least: float = 0.0) -> tuple[float, float, float]:
    """Mean of two values or more, and its interval by Student's t, as (mean, low, high)."""
    n = len(values)
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = t_quantile(n - 1, inside) * max(spread, least) / math.sqrt(n)
    return mean, mean - half, mean + half


def holm(probabilities: Sequence[float]) -> list[float]:
    """p-values adjusted for multiple comparisons (Holm 1979), in the given order."""
    raised, highest = [0.0] * len(probabilities), 0.0
    for rank, place in enumerate(sorted(range(len(probabilities)), key=probabilities.__getitem__)):
        highest = max(highest, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        raised[place] = highest
    return raised


@cache
def t_quantile(freedom: int, inside: float = 0.95) -> float:
    """The t below which, and above -t, Student's t with `freedom` (1 or more) degrees lies with probability `inside`.

    Raises:
        ValueError: `inside` is not between 0 and 0.999999.
    """
    if not 0.0 < inside <= 0.999999:
        raise ValueError(f"expected a probability from 0 to 0.999999; received {inside!r}")
    low, high = 0.0, 1e6  # one degree has the widest: 6.4e5
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < inside else (low, middle)
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
