"""Two GPUs, simulated: a worker takes one of JAX's virtual processors for the GPU that it was given."""

import sys
from collections import Counter
from pathlib import Path

import optuna
import pytest

from lenet_search import search
from lenet_search.look.progress import Silent
from lenet_search.storage import open_storage
from lenet_search.storage.trials import run_of
from lenet_search.study import read

GPUS = ["GPU-8932f937-d72c-4106-c12f-20bd9faed9f6", "MIG-11c29e81-e611-50b5-b5ef-609c0a0fe58b"]
ON_A_GPU = """
import time
import jax
from lenet_search.engine import backend
own = jax.devices()[{gpus}.index(os.environ["CUDA_VISIBLE_DEVICES"])]
jax.config.update("jax_default_device", own)
backend.on_gpu = lambda: True
backend.device_name = lambda: str(own)
backend.compute_capability = lambda: 9.0

def on_its_own(self, *given):
    Path("started-" + str(own.id)).touch()
    until = time.monotonic() + 30
    while len(list(Path().glob("started-*"))) < 2 and time.monotonic() < until:  # neither trains before both can
        time.sleep(0.05)
    computed = compute(self, *given)
    time.sleep(0.1)
    for place in {{place for array in jax.live_arrays() for place in array.devices()}}:
        with open("used-" + str(place.id), "a") as file:
            print(os.getpid(), file=file)
    return computed
stack.Stack.compute = on_its_own
"""


class Openings(Silent):
    def __init__(self) -> None:
        self.openings: dict[str, str] = {}

    def opening(self, title: str, text: str) -> None:
        self.openings[title] = text


@pytest.fixture
def two_gpus(tmp_path: Path, workers_with, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver's tool that knows two GPUs, of which the user chose both by their names."""
    pytest.importorskip("jax")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(GPUS))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    if "keras" in sys.modules:  # another test's choice, which workers would follow
        monkeypatch.setattr(sys.modules["keras"].config, "backend", lambda: "jax")
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=2")
    workers_with(ON_A_GPU.format(gpus=GPUS))


def test_each_gpu_has_a_worker_of_its_own_and_half_of_the_trials(study, two_gpus):
    view = Openings()
    overrides = [
        "study.sampler={ kind = 'RandomSampler' }",
        "study.pruner={ kind = 'NopPruner' }",
        "train.precision=auto",
        "model.network=mlp",
    ]
    summary = search.run(read(study, overrides=overrides), trials=12, view=view)
    assert summary.trials["complete"] == 12
    stored = optuna.load_study(study_name="small", storage=open_storage("lenet-search.journal", create=False)).trials
    trained = Counter(run_of(trial).device for trial in stored)
    assert sum(trained.values()) == 12 and len(trained) == 2
    assert min(trained.values()) >= 4  # six each, but one may have been a round ahead at the end
    used = [set(Path(f"used-{gpu}").read_text().split()) for gpu in (0, 1)]
    assert [len(workers) for workers in used] == [1, 1]
    assert not used[0] & used[1]
    # Twelve trials on two GPUs are six each: two slots leave them three generations.
    assert view.openings["Slots"].startswith("2 slots: at most a third of this worker's 6 runs")
    assert view.openings["Workers"].startswith("2 x 2 slots, each on ")
    assert view.openings["Precision"].startswith("mixed_bfloat16")
