import importlib
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_search_that_is_preempted_at_random_moments_loses_and_doubles_nothing(tmp_path, monkeypatch):
    """`benchmarks/preempt.py` does this twenty times; docs/reliability.md has what came of it."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("signals and processes of Linux")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    preempt = importlib.import_module("preempt")
    found = preempt.preempt(tmp_path, "study.journal", times=3, seed=4, trials=2, epochs=60)
    assert found.problems == []
    assert sum(found.stopped.values()) == 4
    assert found.delivered - found.again == 2 * 60
    sys.modules.pop("preempt")
