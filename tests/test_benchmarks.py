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


def test_what_came_out_is_written_into_a_recipe_s_header_once_and_nothing_else_changes():
    came_out = load("came_out")
    found = {"mean": 0.9892, "low": 0.988, "high": 0.99, "n": 5, "over": "seeds"}
    recipe = {"metrics": {"test_accuracy": found}, "images": {"name": "cifar10"}, "device": "CPU", "diverged": 1}
    said = came_out.sentence(recipe, "1 May 2026", {"cifar10": "a JPEG copy"})
    assert said == (
        "Came out (1 May 2026, cifar10 as a JPEG copy, CPU): 98.92 % of the test images (95 % interval 98.80 to 99.00, "
        "n = 5 seeds); 1 more diverged."
    )
    text = "# A title.\n#\n# Source: somebody.\n#\n#     lenet-search train x\n\n[data]\nname = 'x'\n\n[train]\n"
    once = came_out.written(text, said)
    assert once.replace("\n# ", " ").index("Came out") < once.replace("\n# ", " ").index("    lenet-search train x")
    assert came_out.written(once, said) == once
    paragraph = "\n".join(line for line in once.splitlines() if line not in text.splitlines())
    assert " ".join(paragraph.replace("# ", "").split()) == said
