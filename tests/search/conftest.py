"""A small study on tiny images, the storages that it can live in, and trials in a storage without any training."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import optuna
import pytest

import lenet_search
from lenet_search.run import Curve
from lenet_search.search.ledger import Ledger
from lenet_search.search.replicates import TrialJob
from lenet_search.storage import artifact_folder, open_storage
from lenet_search.study import Definition, read

STUDY = """
[study]
trials = 6
sampler = { kind = "RandomSampler" }

[data]
name = "tiny"

[train]
epochs = 2
batch_size = 32

[regularize]
dropout = { low = 0.0, high = 0.5 }

[optimizer]
kind = { choices = ["sgd", "adam"] }
sgd.learning_rate = { low = 1e-3, high = 0.1, log = true }
adam.learning_rate = { low = 1e-4, high = 1e-2, log = true }
"""
IMAGES = {
    "name": "tiny", "digest": "0" * 16, "image_shape": [32, 32, 1], "classes": 3, "train": 216, "validation": 24,
}  # fmt: skip


@pytest.fixture
def definition(tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> Definition:
    """The small study; the working folder is the one with its images, and LENET_SEARCH_DATA names it."""
    monkeypatch.chdir(tiny_npz.parent)
    monkeypatch.setenv("LENET_SEARCH_DATA", str(tiny_npz.parent))
    Path("small.toml").write_text(STUDY)
    return read("small.toml")


@pytest.fixture(params=["study.journal", "sqlite:///study.db"], ids=["journal", "sqlite"])
def url(request: pytest.FixtureRequest) -> str:
    """A journal, then an SQLite database, in the working folder."""
    return str(request.param)


@pytest.fixture
def opened(definition: Definition, url: str) -> Callable[..., Ledger]:
    """Opens a ledger on the storage, as another run each time."""

    def ledger(changed: Definition = definition, total: int = 6) -> Ledger:
        return Ledger(changed, open_storage(url, create=True, batched=True), artifact_folder(url), total)

    return ledger


@pytest.fixture
def search_in_another_process(
    definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts `search.run` on the small study, with keyword arguments in Python's words, in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", str(Path(lenet_search.__file__).parents[1]))
    started = []

    def start(arguments: str, overrides: Sequence[str] = ()) -> "subprocess.Popen[str]":
        code = (
            "import sys\n"
            "from rich.console import Console\n"
            "from lenet_search.search import Interrupted, run\n"
            "from lenet_search.look.lines import Plain\n"
            "from lenet_search.study import read\n"
            "try:\n"
            f"    run(read('small.toml', overrides={list(overrides)}), view=Plain(Console()), {arguments})\n"
            "except Interrupted as error:\n"
            "    print(error, flush=True)\n"
            "    sys.exit(error.exit_code)\n"
        )
        started.append(
            subprocess.Popen(
                [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def train(job: TrialJob, value: float, *, finite: bool = True) -> None:
    """Note an epoch in which everything measured is `value`, as if a worker had trained it."""
    run = job.run
    run.images, run.device, run.versions = IMAGES, "CPU (1 thread)", {"keras": "3"}
    run.add(run.epochs, dict.fromkeys(Curve.NAMES, value), finite=finite, seconds=1.0)


def finish(ledger: Ledger, job: TrialJob, value: float) -> bool:
    """Tell a trial complete with `value`, as if a worker had trained it; its weights are its number."""
    for _ in range(2):
        train(job, value)
        ledger.report(job, value)
    return ledger.complete(job, value, {"kernel": np.full(3, job.number, np.float32)})


def ask(ledger: Ledger) -> TrialJob:
    """A trial, where there is certainly one."""
    job = ledger.ask()
    assert job is not None
    return job


def states(study: optuna.Study) -> dict[str, int]:
    """How many trials are in which state."""
    names = [trial.state.name for trial in study.get_trials(deepcopy=False)]
    return {name: names.count(name) for name in sorted(set(names))}
