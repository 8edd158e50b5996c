"""How optimistic is the value of the best trial: raw, shrunk, and confirmed on fresh seeds?"""

import math
from collections.abc import Callable

import numpy as np

from lenet_search.look.shrinkage import shrunk

TRIALS, IMAGES = 100, 5000
SEEDS = 0.007  # standard deviation between seeds, of LeNet-5 on CIFAR-10 (docs/results.md)
FINALISTS, FRESH = 8, 16  # as `confirm` has them

Truth = Callable[[np.random.Generator], np.ndarray]
TRUTHS: dict[str, Truth] = {  # the true accuracies of a search's trials
    "all equal: 60 %": lambda rng: np.full(TRIALS, 0.6),
    "normal, standard deviation 0.5 points": lambda rng: rng.normal(0.6, 0.005, TRIALS),
    "normal, 2 points": lambda rng: rng.normal(0.6, 0.02, TRIALS),
    "62 % minus an exponential of mean 2 points": lambda rng: 0.62 - rng.exponential(0.02, TRIALS),
    "the same, and 1 in 10 fails at 10 %": lambda rng: np.where(
        rng.random(TRIALS) < 0.1, 0.1, 0.62 - rng.exponential(0.02, TRIALS)
    ),
}
WAYS = ("raw", "normal prior, images' noise", "shrunk, images' noise", "shrunk, images' and seeds' noise", "confirmed")


def table(searches: int) -> str:
    """Mean of the estimate minus the truth, in points, over `searches` searches."""
    rows = [f"| true accuracies of the trials | {' | '.join(WAYS)} |", "|---" * (1 + len(WAYS)) + "|"]
    for name, truth in TRUTHS.items():
        found = errors(truth, searches)
        cells = [f"{100 * each.mean():+.2f} ± {196 * each.std() / searches**0.5:.2f}" for each in found.T]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def errors(truth: Truth, searches: int, seed: int = 0) -> np.ndarray:
    """Estimate minus truth of the winner, in each search and each of `WAYS`."""
    rng = np.random.default_rng(seed)
    return np.array([_errors(truth(rng), rng) for _ in range(searches)])


def _errors(true: np.ndarray, rng: np.random.Generator) -> list[float]:
    measured = _measure(true, rng)
    best = int(np.argmax(measured))
    images = float(measured[best] * (1 - measured[best]) / IMAGES)
    found = [measured[best], normal_prior(measured, images)[best]]
    found += [shrunk(measured, [noise] * len(measured))[best] for noise in (images, images + SEEDS**2)]
    finalists = np.argsort(measured)[-FINALISTS:]
    means = np.array([_measure(np.full(FRESH, true[each]), rng).mean() for each in finalists])
    return [*(each - true[best] for each in found), means.max() - true[finalists[np.argmax(means)]]]


SEEDED = {  # `study.seeds`, as first, more and best
    "1": (1, 0, 0.0),
    "3": (3, 0, 0.0),
    "{ first = 1, more = 4, best = 0.25 }": (1, 4, 0.25),
}


def seeds_table(searches: int) -> str:
    """For each way to spend seeds: runs per search, the best value minus its truth, and what a better choice had."""
    rows = [
        "| true accuracies of the trials | `study.seeds` | runs | best value, too high by | chosen below the best by |"
    ]
    rows.append("|---" * 5 + "|")
    for name in list(TRUTHS)[2:]:
        for seeds, plan in SEEDED.items():
            found = seeded(TRUTHS[name], plan, searches)
            bias, loss = (f"{100 * each.mean():.2f} ± {196 * each.std() / searches**0.5:.2f}" for each in found.T[1:])
            rows.append(f"| {name} | `{seeds}` | {found[:, 0].mean():.0f} | {bias} | {loss} |")
    return "\n".join(rows)


def seeded(truth: Truth, plan: tuple[int, int, float], searches: int, seed: int = 0) -> np.ndarray:
    """Runs, the best value minus its truth, and the best truth minus that of the chosen trial, in each search."""
    rng = np.random.default_rng(seed)
    return np.array([_seeded(truth(rng), *plan, rng) for _ in range(searches)])


def _seeded(
    true: np.ndarray, first: int, more: int, best: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """A search that tells its trials one after the other, as `Ledger.grow` does."""
    told: list[float] = []
    runs = 0
    for accuracy in true:
        values = list(_measure(np.full(first, accuracy), rng))
        as_good = sum(other >= np.mean(values) for other in told)
        if more and as_good < math.ceil(best * (len(told) + 1)):
            values += list(_measure(np.full(more, accuracy), rng))
        told.append(float(np.mean(values)))
        runs += len(values)
    chosen = int(np.argmax(told))
    return runs, told[chosen] - true[chosen], true.max() - true[chosen]


def normal_prior(values: np.ndarray, noise: float) -> np.ndarray:
    """Shrunk as if true values were normal: m + t² / (t² + s²) (y - m)."""
    mean, spread = values.mean(), values.var(ddof=1)
    shrunk_values: np.ndarray = mean + max(0.0, spread - noise) / spread * (values - mean)
    return shrunk_values


def _measure(true: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Accuracies on the validation images, each of a model of its own."""
    accuracy = np.clip(true + SEEDS * rng.standard_normal(len(true)), 0.0, 1.0)
    return rng.binomial(IMAGES, accuracy) / IMAGES
