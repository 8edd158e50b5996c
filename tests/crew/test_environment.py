"""What another project, or a user's own files, can do to a worker: nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lenet_search.crew.process import START, _environment
from lenet_search.experiments.train import train
from lenet_search.look.progress import Silent
from tests.experiments.made import task

LEFT_BEHIND = {
    "KERAS_HOME": "other", "KERAS_MAX_STEPS_PER_EPOCH": "1", "KERAS_MAX_EPOCHS": "x", "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2", "JAX_ENABLE_X64": "1",
}  # fmt: skip
SHADOWS = ("random", "types", "queue", "numpy", "keras", "optuna", "typing", "signal")


def test_a_worker_trains_whatever_another_project_has_left_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in SHADOWS:
        Path(f"{name}.py").write_text("raise RuntimeError('the file of the user')\n")
    Path("other").mkdir()
    Path("other/keras.json").write_text(
        json.dumps({"backend": "tensorflow", "floatx": "float16", "epsilon": 1, "image_data_format": "channels_first"})
    )
    Path("packages").mkdir()
    Path("packages/sklearn.py").write_text("raise RuntimeError('slow to load, and not needed')\n")
    folders = ["", ".", str(tmp_path / "packages"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, value in LEFT_BEHIND.items():
        monkeypatch.setenv(name, value)
    trained = train(task(seeds=(7,)), Path("out"), view=Silent(), workers=1)
    assert trained.model_seed == 7
    assert Path("out/model.keras").is_file()


def test_a_worker_finds_the_standard_library_first_and_the_working_folder_never(tmp_path, monkeypatch):
    package = tmp_path / "site" / "lenet_search"
    (package / "crew").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "crew" / "__init__.py").touch()
    (package / "crew" / "worker.py").write_text(
        "def main(descriptor):\n    import json, sys, random\n    print(json.dumps([descriptor, sys.path]))\n"
    )
    (tmp_path / "site" / "random.py").write_text("raise RuntimeError('a package of that name')\n")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "random.py").write_text("raise RuntimeError('the file of the user')\n")
    monkeypatch.chdir(tmp_path / "here")
    own = tmp_path / "own"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", ".", str(own)]))
    command = [sys.executable, "-c", START, str(package), "7"]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True)
    descriptor, path = json.loads(done.stdout)
    assert descriptor == 7
    assert path[0] == str(own)  # an absolute folder of PYTHONPATH is the user's wish
    assert path[-1] == str(tmp_path / "site")
    assert not {"", ".", str(tmp_path / "here")} & set(path)


@pytest.mark.parametrize("name", ["PYTHONWARNINGS", "PYTHONINSPECT"])
def test_what_would_change_how_python_runs_a_worker_is_dropped(monkeypatch, name):
    monkeypatch.setenv(name, "error")
    assert name not in _environment()


def test_settings_that_others_need_reach_a_worker(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    assert _environment()["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=false"
