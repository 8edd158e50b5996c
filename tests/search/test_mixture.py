"""The density of a Parzen estimator, against Optuna's, to the bit."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

from lenet_search.search.mixture import Estimator

DISTRIBUTIONS: dict[str, BaseDistribution] = {
    "linear": FloatDistribution(-1.0, 3.0),
    "log": FloatDistribution(1e-5, 1.0, log=True),
    "steps": FloatDistribution(0.0, 0.5, step=0.1),
    "whole": IntDistribution(0, 8),
    "whole, log": IntDistribution(1, 64, log=True),
    "three": CategoricalDistribution(["sgd", "adam", "lion"]),
    "two": CategoricalDistribution([False, True]),
    "one": CategoricalDistribution(["adam"]),
}


def drawn(distribution: BaseDistribution, luck: np.random.Generator, count: int) -> np.ndarray:
    """Values in Optuna's internal representation, the ends of the range among them."""
    if isinstance(distribution, CategoricalDistribution):
        return luck.integers(0, len(distribution.choices), count).astype(float)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high, step = distribution.low, distribution.high, distribution.step
    if step is None or distribution.log:
        values = (
            np.exp(luck.uniform(np.log(low), np.log(high), count))
            if distribution.log
            else luck.uniform(low, high, count)
        )
        values = np.round(values) if isinstance(distribution, IntDistribution) else values
    else:
        values = low + step * luck.integers(0, round((high - low) / step) + 1, count)
    return np.clip(np.where(luck.random(count) < 0.1, luck.choice([low, high], count), values), low, high)


@given(
    names=st.lists(st.sampled_from(list(DISTRIBUTIONS)), min_size=1, unique=True),
    trials=st.integers(0, 60),
    seed=st.integers(0, 2**32 - 1),
)
@settings(deadline=None)
def test_it_is_what_optunas_estimator_says(names: list[str], trials: int, seed: int) -> None:
    luck = np.random.default_rng(seed)
    space = {name: DISTRIBUTIONS[name] for name in names}
    observed = {name: drawn(each, luck, trials) for name, each in space.items()}
    parameters = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
    theirs = _ParzenEstimator(observed, space, parameters)
    ours = Estimator(observed, space, parameters)
    candidates = theirs.sample(np.random.RandomState(seed), 24)
    for each in (candidates, {name: drawn(of, luck, 24) for name, of in space.items()}):
        assert np.array_equal(ours.log_pdf(each), theirs.log_pdf(each), equal_nan=True)
