"""Optuna's contract for samplers, held by the one that remembers."""

from collections.abc import Callable

import pytest
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase, RelativeSamplerTestCase

from lenet_search.search.tpe import RememberingTPESampler


class TestRememberingTPESampler(BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase):
    """Optuna's own tests, with draws that learn from the first trial on."""

    @pytest.fixture
    def sampler(self) -> Callable[[], RememberingTPESampler]:
        return lambda: RememberingTPESampler(n_startup_trials=1)
