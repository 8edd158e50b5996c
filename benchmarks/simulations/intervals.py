"""How often do the 95 % intervals of `lenet_search.look.intervals` contain the truth?"""

import math
from collections.abc import Callable

import numpy as np

from lenet_search.look.intervals import Estimate, mean_of, paired_difference, share_of

Draw = Callable[[np.random.Generator, int], np.ndarray]
ACCURACY, SEEDS = 0.6, 0.007  # of LeNet-5 on CIFAR-10, and its standard deviation between seeds (docs/results.md)
# What one seed gives, with the mean of all. Near 100 % with few images, values are few and skewed.
KINDS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda rng, n: rng.normal(ACCURACY, SEEDS, n), ACCURACY),
    "99 % of 300 images": (lambda rng, n: rng.binomial(300, 0.99, n) / 300, 0.99),
    "99.9 % of 300 images": (lambda rng, n: rng.binomial(300, 0.999, n) / 300, 0.999),
    "1 seed in 10 loses 5 points": (
        lambda rng, n: rng.normal(ACCURACY, SEEDS, n) - 0.05 * (rng.random(n) < 0.1),
        ACCURACY - 0.005,
    ),
}


def table(repetitions: int) -> str:
    """Coverage in percent. Wilson's is exact; the others come from `repetitions` draws."""
    shares = (0.5, 0.9, 0.98, 0.99, 0.999)
    rows = [f"| one model: images | {' | '.join(f'{share:.1%}' for share in shares)} |", "|---" * 6 + "|"]
    for images in (100, 300, 1000, 5000, 10_000):
        found = [wilson_coverage(images, share) for share in shares]
        rows.append(f"| {images:,} | {' | '.join(f'{100 * each:.1f}' for each in found)} |")
    counts = (2, 3, 4, 5, 8, 16)
    head = f"| {' | '.join(f'n = {n}' for n in counts)} |"
    for what, covers in (("mean of n seeds", mean_covers), ("difference of n pairs", difference_covers)):
        rows += ["", f"| {what} {head}", "|---" * 7 + "|"]
        for kind in KINDS:
            rng = np.random.default_rng(0)
            found = [np.mean([covers(kind, n, rng) for _ in range(repetitions)]) for n in counts]
            rows.append(f"| {kind} | {' | '.join(f'{100 * each:.1f}' for each in found)} |")
    return "\n".join(rows)


def wilson_coverage(images: int, share: float) -> float:
    """The probability that Wilson's interval contains the true `share`: the sum over all possible counts."""
    chance = 0.0
    for right in range(images + 1):
        log = math.lgamma(images + 1) - math.lgamma(right + 1) - math.lgamma(images - right + 1)
        log += right * math.log(share) + (images - right) * math.log1p(-share)
        if log > -40.0 and contains(share_of(right / images, images), share):
            chance += math.exp(log)
    return chance


def mean_covers(kind: str, n: int, rng: np.random.Generator) -> bool:
    """Whether the interval of one mean of `n` seeds contains the true one."""
    draw, truth = KINDS[kind]
    return contains(mean_of(list(draw(rng, n)), share=True), truth)


def difference_covers(kind: str, n: int, rng: np.random.Generator) -> bool:
    """Whether the interval of one difference of `n` pairs, half of whose variance they share, contains 0."""
    draw, _ = KINDS[kind]
    shared = rng.normal(0.0, SEEDS, n)
    found = paired_difference(list(draw(rng, n) + shared), list(draw(rng, n) + shared))
    return found.low is not None and found.high is not None and found.low <= 0.0 <= found.high


def contains(found: Estimate, truth: float) -> bool:
    """Whether an interval contains the truth, give or take rounding."""
    return found.low is not None and found.high is not None and found.low - 1e-12 <= truth <= found.high + 1e-12
