import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from calls import ROOT, call, write_study


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `run --json` has searched two trials; its answer lies in answer.json."""
    folder = tmp_path_factory.mktemp("searched")
    write_study(folder / "mine.toml")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lenet_search", "run", "--study", "mine.toml", "--set", "data.limit=400"]
    done = subprocess.run(
        [*command, "--set", "data.validation=0.2", "--workers", "1", "--slots", "2", "--name", "quick", "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "answer.json").write_text(done.stdout)
    (folder / "said.txt").write_text(done.stderr)
    return folder


@pytest.mark.slow
def test_run_measures_the_stack_size_once_for_all_its_workers_and_remembers_it(tmp_path):
    write_study(Path("mine.toml"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "lenet_search", "run", "--study", "mine.toml", "--set", "data.limit=400"]
    command += ["--set", "model.network=mlp", "--workers", "2", "--slots", "auto"]

    def said(trials: int) -> str:
        done = subprocess.run(
            [*command, "--trials", str(trials)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = said(2)
    (measured,) = json.loads((tmp_path / "cache/lenet-search/slots.json").read_text())["measured"]
    assert measured["conditions"]["model"]["network"] == "mlp"
    assert first.count("measuring stack sizes for mlp on 32x32x1 images in batches of 40") == 1
    assert f"Workers   2 x {measured['slots']} slots" in first
    again = said(4)
    assert "measuring" not in again
    assert f"measured on {measured['date']}" in again
    assert f"x {measured['slots']} slots" in again


def test_run_answers_with_one_json_object_and_says_what_to_do_next_on_stderr(searched):
    answer = json.loads((searched / "answer.json").read_text())
    assert answer["study"] == "quick"
    assert answer["storage"] == "lenet-search.journal"
    assert answer["trials"] == {"total": 2, "complete": 2, "pruned": 0, "failed": 0, "interrupted": 0}
    assert set(answer["best"]["params"]) == {"optimizer.adam.learning_rate", "augment.shift"}
    said = (searched / "said.txt").read_text()
    assert "lenet-search best --study quick --export" in said
    assert "optuna-dashboard lenet-search.journal" in said


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's predict with NumPy 2
def test_the_winner_is_exported_trained_again_and_evaluated(searched, tmp_path):
    shutil.copytree(searched, tmp_path, dirs_exist_ok=True)
    best = call("best", "--export", "--json")
    assert best.exit_code == 0, best.stderr
    exported = json.loads(best.stdout)["exported"]
    assert "exports/quick/model.keras" in exported

    trained = call("train", "exports/quick/recipe.toml", "--seeds", "3", "--workers", "1", "--json")
    assert trained.exit_code == 0, trained.stderr
    answer = json.loads(trained.stdout)
    assert answer["metrics"]["val_accuracy"]["n"] == 3
    assert "trained/quick/model.keras" in answer["files"]

    for model in ("exports/quick/model.keras", "trained/quick/model.keras"):
        measured = json.loads(call("evaluate", model, "--json").stdout)
        assert measured["n"] == 360
        assert measured["low"] < measured["accuracy"] < measured["high"]
        assert sum(map(sum, measured["confusion"])) == 360
        assert (measured["trained_on"], measured["measured_on"], measured["same_images"]) == ("digits", "digits", True)
        assert sum(each["images"] for each in measured["classes"]) == 360
        recalls = [each["recall"] for each in measured["classes"]]
        assert measured["balanced_accuracy"]["mean"] == pytest.approx(sum(recalls) / len(recalls))


def test_a_recipe_with_something_open_cannot_be_trained_and_says_what_is():
    failed = call("train", write_study(Path("mine.toml")))
    assert failed.exit_code == 2
    assert "optimizer.adam.learning_rate" in failed.stderr
    assert "augment.shift" in failed.stderr
    assert not Path("trained").exists()


def test_train_leaves_no_folder_when_its_images_cannot_be_had():
    Path("mine.toml").write_text("[data]\nname = 'nowhere'\n")
    assert call("train", "mine.toml").exit_code == 2
    assert not Path("trained").exists()


def test_train_finds_out_before_training_that_its_folder_cannot_be_made():
    recipe = Path("recipe.toml")
    recipe.write_text('[data]\nname = "digits"\n')
    Path("taken").write_text("")
    failed = call("train", recipe, "--out", "taken")
    assert failed.exit_code == 2
    assert "taken" in failed.stderr


def test_train_changes_what_set_names_and_says_so(tiny_npz):
    write_study(Path("one.toml"), str(tiny_npz))
    changes = ["--set", "optimizer.adam.learning_rate=1e-3", "--set", "augment.shift=1"]
    done = call("train", "one.toml", *changes, "--json")
    assert done.exit_code == 0, done.stderr
    values = json.loads(done.stdout)["values"]
    assert (values["optimizer.adam.learning_rate"], values["augment.shift"]) == (1e-3, 1)
    assert "augment.shift=1" in Path("trained/one/recipe.toml").read_text()


def test_train_answers_a_wrong_override_as_run_does():
    refused = call("train", "lenet-basic", "--set", "augment.flip=2")
    assert refused.exit_code == 2
    assert "augment.flip" in refused.stderr
    assert not Path("trained").exists()
