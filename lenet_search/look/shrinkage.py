"""What the best of many noisy values is worth: empirical Bayes."""

from collections.abc import Sequence

import numpy as np

POINTS = 100  # support points on a line through the range, and as many at quantiles
MOST = 1000  # values that the prior is fitted to
STEPS = 100  # of expectation maximization; more change the estimate by less than a tenth of the noise


def shrunk(values: Sequence[float], noise: Sequence[float]) -> list[float]:
    """The expected true value behind each measured one, if each measurement has the variance in `noise`.

    The largest of N noisy values is biased upwards. How far depends on how the true values are spread, which the
    measured ones show: the prior is the distribution that makes them most likely (Kiefer & Wolfowitz 1956, fitted by
    expectation maximization as in Jiang & Zhang 2009), and each value becomes its posterior mean. With a normal prior
    this would be m + t² / (t² + s²) (y - m), for t² the variance of the true values and s² the noise (Efron & Morris
    1973). But searches are not normal: most trials are good, some are bad, a few fail. Their variance is that of the
    bad ones, and the best would not be shrunk at all (docs/statistics.md).

    Args:
        values: what was measured, one or more finite numbers
        noise: variance of each measurement, 0 or more

    Returns:
        The shrunk values, in the given order.
    """
    measured, variance = np.asarray(values, dtype=float), np.asarray(noise, dtype=float)
    low, high = float(measured.min()), float(measured.max())
    if variance.min() <= 0.0 or low == high:
        return [float(value) for value in measured]
    support = np.union1d(np.linspace(low, high, POINTS), np.quantile(measured, np.linspace(0.0, 1.0, POINTS)))
    fitted = np.argsort(measured)[np.linspace(0, len(measured) - 1, min(MOST, len(measured))).astype(int)]
    weights = np.full(len(support), 1.0 / len(support))
    likelihood = _likelihood(measured[fitted], support, variance[fitted])
    for _ in range(STEPS):
        weights = _posterior(likelihood, weights).mean(axis=0)
    means = _posterior(_likelihood(measured, support, variance), weights) @ support
    return [float(mean) for mean in means]


def _likelihood(values: np.ndarray, support: np.ndarray, noise: np.ndarray) -> np.ndarray:
    density: np.ndarray = np.exp(-((values[:, None] - support) ** 2) / (2.0 * noise[:, None]))
    return density


def _posterior(likelihood: np.ndarray, weights: np.ndarray) -> np.ndarray:
    weighted = likelihood * weights
    posterior: np.ndarray = weighted / weighted.sum(axis=1, keepdims=True)
    return posterior
