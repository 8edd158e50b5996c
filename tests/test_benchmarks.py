import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_quarters_leave_out_the_seconds_in_which_a_worker_starts():
    assert load("throughput").quarters([50, 60, *[100] * 4, *[102] * 4]) == [100, 100, 102, 102]


def test_nested_calls_are_timed_once():
    clock = load("throughput").Stopwatch()
    inner = clock.timing(lambda: time.sleep(0.02), "inner")
    outer = clock.timing(inner, "outer")
    outer()
    assert set(clock.by_name) == {"outer"}
    assert 0.02 <= clock.total < 0.2


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw", "nadam", "adagrad", "lion"])
def test_the_ordinary_way_builds_keras_s_own_optimizer_with_the_recipe_s_arguments(optimizer):
    from lenet_search.recipe import Recipe

    recipe = Recipe.from_values({"optimizer.kind": optimizer, f"optimizer.{optimizer}.learning_rate": 0.25})
    built = load("plain").optimizer(recipe, 10)
    assert type(built).__name__.lower() == optimizer
    assert float(built.learning_rate) == 0.25
