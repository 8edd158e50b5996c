"""The density that Optuna's TPE compares candidates by, for thousands of trials: the same numbers, to the bit, sooner.

With 10,000 trials this is most of an `ask`. Optuna takes the logarithm of a weight for each candidate and kernel, and
makes a dozen arrays of that size; here it is taken once for each kernel and choice, and arrays are used again.
"""

from typing import Any

import numpy as np
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe import probability_distributions as optunas
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator


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
            logs += np.log(kernels.weights).T[values.astype(np.int64)]
        elif kernels.step:
            _add_discrete(logs, values, kernels)
        else:
            continuous.append((np.log(values) if kernels.is_log else values, kernels))
    if continuous:
        logs += _continuous(*zip(*continuous, strict=True))
    logs += np.log(mixture.weights)
    highest = logs.max(axis=1)
    highest[np.isneginf(highest)] = 0
    logs -= highest[:, None]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(logs, out=logs).sum(axis=1)) + highest)


def _add_discrete(logs: np.ndarray, values: np.ndarray, kernels: Any) -> None:
    """Add the mass of each kernel within half a step of each value, as a share of its mass within the range."""
    different, which = np.unique(values, return_inverse=True)
    mu, sigma, of = optunas._unique_inverse_2d(kernels.mu, kernels.sigma)
    edges = (different - kernels.step / 2, different + kernels.step / 2)
    left, right = (np.log(edge) if kernels.is_log else edge for edge in edges)
    around = optunas._log_gauss_mass_unique((left[:, None] - mu) / sigma, (right[:, None] - mu) / sigma)
    logs += around[np.ix_(which, of)]
    logs -= _truncnorm._log_gauss_mass((kernels.adapted_low - mu) / sigma, (kernels.adapted_high - mu) / sigma)[of]


def _continuous(values: tuple[np.ndarray, ...], kernels: tuple[Any, ...]) -> np.ndarray:
    """The logarithms of truncated normal densities, summed over parameters: (candidates, kernels)."""
    mu, sigma = (np.array([getattr(each, name) for each in kernels]).T for name in ("mu", "sigma"))
    low, high = (np.array([getattr(each, name) for each in kernels]) for name in ("adapted_low", "adapted_high"))
    at = np.array(values).T
    a, b = (low - mu) / sigma, (high - mu) / sigma
    if (at < low).any() or (at > high).any() or (a == b).any():
        return np.asarray(_truncnorm.logpdf(at[:, None], a=a, b=b, loc=mu, scale=sigma).sum(axis=-1))
    logs = at[:, None] - mu
    logs /= sigma
    np.square(logs, out=logs)
    np.negative(logs, out=logs)
    logs /= 2.0
    logs -= _truncnorm._norm_pdf_logC
    logs -= _truncnorm._log_gauss_mass(a, b)
    logs -= np.log(sigma)
    return np.asarray(logs.sum(axis=-1))
