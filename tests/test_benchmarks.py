import dataclasses
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from lenet_search import study
from lenet_search.search.ledger import Ledger
from lenet_search.storage import open_storage

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks_import_one_another(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))  # as a script finds its neighbours


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    built = load("keras_model").optimizer(recipe, 10)
    assert type(built).__name__.lower() == optimizer
    assert float(built.learning_rate) == 0.25


# The ways that throughput.py compares ------------------------------------------------------------------------------


def test_what_to_compare_with_is_picked_by_name_and_this_tool_comes_first():
    ways = load("ways")
    picked, missing = ways.chosen("ordinary_parallel,tuned")
    assert list(picked) == ["lenet_search", "ordinary_parallel", "tuned"]
    assert not missing


def test_a_way_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(ValueError, match=r"no method 'ray': .*ordinary,ordinary_parallel,.*keras_tuner.*ray_tune"):
        load("ways").chosen("ordinary,ray")


def test_a_way_that_is_not_installed_is_named_with_the_install_command_and_all_leaves_it_out(monkeypatch):
    ways = load("ways")
    monkeypatch.setitem(ways.WAYS, "ray_tune", dataclasses.replace(ways.WAYS["ray_tune"], package="no_such_package"))
    with pytest.raises(ValueError, match=r"ray_tune needs the package no_such_package: pip install .*\[benchmarks\]"):
        ways.chosen("ray_tune")
    picked, missing = ways.chosen("all")
    assert missing[-1] == "ray_tune"
    assert "ray_tune" not in picked
    assert "tuned" in picked


def test_all_ways_get_the_same_study_without_pruning(tmp_path):
    ways = load("ways")
    options = Namespace(
        study="cifar", trials=3, epochs=2, limit=50, data=tmp_path, overrides=["train.batch_size=64"], cores=2
    )
    for name, way in ways.WAYS.items():
        for command in way.commands(options, tmp_path):
            words = [b for a, b in itertools.pairwise(command) if a == "--set"]
            precisions = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
            precision = [f"train.precision={value}" for word, value in precisions.items() if name.endswith("_" + word)]
            expected = [
                ways.NO_PRUNING,
                ways.NO_PORTFOLIO,
                "train.batch_size=64",
                "train.epochs=2",
                "data.limit=50",
                *precision,
            ]
            assert words == expected, name
            assert command[command.index("--trials") + 1] == "3"


def test_a_ratio_is_the_median_of_the_turns_own_ratios(monkeypatch):
    throughput = load("throughput")
    seconds = {"lenet_search": [10.0, 20.0, 30.0], "ordinary": [20.0, 80.0, 90.0]}
    turns = {way: iter(of_turns) for way, of_turns in seconds.items()}
    trained = throughput.ways.Trained
    monkeypatch.setattr(throughput.ways, "run", lambda way, *_: trained(next(turns[way]), [2, 2], [0.5, 0.7]))
    options = Namespace(
        study="digits", trials=2, epochs=2, limit=None, data=None, overrides=[], cores=2, repeat=3, ways=seconds
    )
    result = throughput.throughput(options, Console(quiet=True))
    assert result["ratio_to"] == {"ordinary": 3.0}
    assert result["ratio_spread"] == {"ordinary": [2.0, 4.0]}
    assert result["trials_per_hour"] == {"lenet_search": 360.0, "ordinary": 90.0}
    assert result["median_val_accuracy"]["ordinary"] == pytest.approx([0.6] * 3)


def test_ways_whose_trials_differ_in_epochs_are_not_compared():
    options = Namespace(study="digits", epochs=None, limit=None, overrides=["train.epochs={low=1, high=3}"])
    with pytest.raises(SystemExit, match="--epochs"):
        load("throughput").promised(options)


SEARCHED = ["optimizer.kind={choices=['sgd','adam']}", "schedule.kind={choices=['constant','step']}"]


@pytest.mark.parametrize(
    ("script", "package"), [("plain", "optuna"), ("with_keras_tuner", "keras_tuner"), ("with_ray_tune", "tensorboardX")]
)
def test_every_way_trains_as_many_trials_and_epochs_as_it_was_told(script, package, tmp_path):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: {load('command_line').INSTALL}")
    command = [sys.executable, str(FOLDER / f"{script}.py"), "--study", "digits", "--storage", str(tmp_path / "trials")]
    command += ["--trials", "2", "--epochs", "2", "--limit", "600"]
    command += [part for text in ("study.pruner={kind='NopPruner'}", *SEARCHED) for part in ("--set", text)]
    done = subprocess.run(command, capture_output=True, text=True, env=load("ways").environment(), cwd=tmp_path)
    assert not done.returncode, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["epochs"] == [2, 2]
    assert len(said["values"]) == 2
    assert all(0 <= value <= 1 for value in said["values"])


def test_keras_tuner_searches_the_study_s_own_space(tmp_path):
    if importlib.util.find_spec("keras_tuner") is None:
        pytest.skip(f"keras_tuner is not installed: {load('command_line').INSTALL}")
    script = """
import keras_tuner, with_keras_tuner
from lenet_search import study
from lenet_search.recipe import Recipe
space = study.read("cifar").space
hp = keras_tuner.HyperParameters()
first = with_keras_tuner.draw(space, hp)  # the first call registers everything
assert {one.name for one in hp.space} == set(space.searched())
hp.values["optimizer.kind"] = "adamw"
hp.ensure_active_values()
for one in hp.space:
    if hp.is_active(one):
        hp.values[one.name] = one.prob_to_value(0.999)
values = with_keras_tuner.draw(space, hp)
kinds = {path.split(".")[1] for path in values if path.startswith("optimizer.") and path.count(".") == 2}
assert kinds == {hp.get("optimizer.kind")}, values
for path, entry in space.searched().items():
    if path in values:
        legal = values[path] in entry.choices if hasattr(entry, "choices") else entry.contains(values[path])
        assert legal, (path, values[path])
Recipe.from_values(values)
"""
    environment = load("ways").environment()
    environment["PYTHONPATH"] = f"{FOLDER}{os.pathsep}{environment['PYTHONPATH']}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert not done.returncode, done.stderr


def test_a_result_is_recorded_in_a_recipe_s_header_once_and_nothing_else_changes():
    record = load("record_results")
    accuracy = {"mean": 0.9892, "low": 0.988, "high": 0.99, "n": 5, "over": "seeds"}
    recipe = {"metrics": {"test_accuracy": accuracy}, "images": {"name": "cifar10"}, "device": "CPU", "diverged": 1}
    sentence = record.sentence(recipe, "1 May 2026", {"cifar10": "a JPEG copy"})
    assert sentence == (
        "Result (1 May 2026, cifar10 as a JPEG copy, CPU): 98.92 % test accuracy (95 % interval 98.80 to 99.00, "
        "n = 5 seeds); 1 more diverged."
    )
    text = "# A title.\n#\n# Source: somebody.\n#\n#     lenet-search train x\n\n[data]\nname = 'x'\n\n[train]\n"
    once = record.with_result(text, sentence)
    assert once.replace("\n# ", " ").index("Result") < once.replace("\n# ", " ").index("    lenet-search train x")
    assert record.with_result(once, sentence) == once
    paragraph = "\n".join(line for line in once.splitlines() if line not in text.splitlines())
    assert " ".join(paragraph.replace("# ", "").split()) == sentence


def test_the_latency_of_a_database_is_measured_on_trials_that_run_to_their_end(tmp_path):
    definition = study.read("cifar", overrides=["train.epochs=2", "study.portfolio=0"], name="latency")
    storage = open_storage(f"sqlite:///{tmp_path}/study.db", create=True, batched=True)
    ledger = Ledger(definition, storage, tmp_path, 2)
    measured = load("latency").measure(ledger, 2, 2, lambda: 0)
    assert all(measured[f"{call}_seconds"] > 0 for call in ("epoch", "ask", "tell"))
    assert ledger.counts().complete == 2
    assert all(len(trial.intermediate_values) == 2 for trial in ledger.study.trials)
