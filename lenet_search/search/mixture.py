"""The density that Optuna's TPE compares candidates by, for thousands of trials: the same numbers, to the bit, sooner.

With 10,000 trials this is most of an `ask`. Optuna takes the logarithm of a weight for each candidate and kernel, and
makes a dozen arrays of that size; here it is taken once for each kernel and choice, and arrays are used again.
"""

from typing import Any

import numpy as np
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe import probability_distributions as optunas
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator

# A sum that contains 1 does not notice numbers below e^-700; exponentials that underflow take up to 80 times as long.
SMALL = -700.0
PAIRWISE = 8  # NumPy adds fewer numbers than this one after the other


class Estimator(_ParzenEstimator):
    """Optuna's Parzen estimator."""

    def log_pdf(self, samples_dict: dict[str, np.ndarray]) -> np.ndarray:
        """The logarithm of the density at each of n candidates, an array of n."""
        return log_density(self._mixture_distribution, self._transform(samples_dict))


def log_density(mixture: optunas._MixtureOfProductDistribution, candidates: np.ndarray) -> np.ndarray:
    """The logarithm of a mixture's density at `candidates`, an array (n, parameters).

    Additions are those of Optuna's `log_pdf`, in its order, since their rounding depends on it.
    """
    logs = np.zeros((len(candidates), len(mixture.weights)))
    continuous = []
    for values, kernels in zip(candidates.T, mixture.distributions, strict=True):
        if isinstance(kernels, optunas._BatchedCategoricalDistributions):
            logs += np.ascontiguousarray(np.log(kernels.weights).T)[values.astype(np.int64)]
        elif kernels.step:
            _add_discrete(logs, values, kernels)
        else:
            continuous.append((np.log(values) if kernels.is_log else values, kernels))
    if continuous:
        logs += _continuous(*zip(*continuous, strict=True))
    logs += np.log(mixture.weights)
    highest = logs.max(axis=1)
    nowhere = np.isneginf(highest)
    highest[nowhere] = 0
    logs -= highest[:, None]
    np.maximum(logs, SMALL, out=logs)
    density = np.log(np.exp(logs, out=logs).sum(axis=1)) + highest
    density[nowhere] = -np.inf
    return np.asarray(density)


def _add_discrete(logs: np.ndarray, values: np.ndarray, kernels: Any) -> None:
    """Add the mass of each kernel within half a step of each value, as a share of its mass within the range."""
    different, which = np.unique(values, return_inverse=True)
    mu, sigma, of = optunas._unique_inverse_2d(kernels.mu, kernels.sigma)
    edges = (different - kernels.step / 2, different + kernels.step / 2)
    left, right = (np.log(edge) if kernels.is_log else edge for edge in edges)
    around = optunas._log_gauss_mass_unique((left[:, None] - mu) / sigma, (right[:, None] - mu) / sigma)
    logs += np.take(around, of, axis=1)[which]
    logs -= _truncnorm._log_gauss_mass((kernels.adapted_low - mu) / sigma, (kernels.adapted_high - mu) / sigma)[of]


def _continuous(values: tuple[np.ndarray, ...], kernels: tuple[Any, ...]) -> np.ndarray:
    """The logarithms of truncated normal densities, summed over parameters: (candidates, kernels)."""
    columns = [_Normal(at, each) for at, each in zip(values, kernels, strict=True)]
    if len(columns) < PAIRWISE and all(column.is_plain for column in columns):
        logs = columns[0].log_densities()
        for column in columns[1:]:
            logs += column.log_densities()
        return logs
    at, mu, sigma, a, b = (
        np.array([getattr(column, name) for column in columns]).T for name in ("at", "mu", "sigma", "a", "b")
    )
    return np.asarray(_truncnorm.logpdf(at[:, None], a=a, b=b, loc=mu, scale=sigma).sum(axis=-1))


class _Normal:
    """A continuous parameter at n candidates: a truncated normal distribution for each kernel."""

    def __init__(self, at: np.ndarray, kernels: Any) -> None:
        self.at, self.mu, self.sigma = at, kernels.mu, kernels.sigma
        low, high = kernels.adapted_low, kernels.adapted_high
        self.a, self.b = (low - self.mu) / self.sigma, (high - self.mu) / self.sigma
        self.is_plain = not ((at < low).any() or (at > high).any() or (self.a == self.b).any())

    def log_densities(self) -> np.ndarray:
        """The logarithms of the densities, where candidates are within the range: (candidates, kernels)."""
        logs = self.at[:, None] - self.mu
        logs /= self.sigma
        np.square(logs, out=logs)
        np.negative(logs, out=logs)
        logs /= 2.0
        logs -= _truncnorm._norm_pdf_logC
        logs -= _truncnorm._log_gauss_mass(self.a, self.b)
        logs -= np.log(self.sigma)
        return np.asarray(logs)
