"""Whole searches: real workers in real processes, on tiny images."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
from processes import children_of
from rich.console import Console

import lenet_search
from lenet_search import search
from lenet_search.errors import DataError, RunError
from lenet_search.frozen import read_frozen
from lenet_search.look.lines import Plain
from lenet_search.search import Progress, Silent
from lenet_search.search.frozen_trials import FROZEN
from lenet_search.search.parents import RUN
from lenet_search.storage import DATA_FOLDERS, artifact_folder, open_storage
from lenet_search.storage.facts import fact
from lenet_search.storage.trials import REASON, carries_run, load_weights, noted, run_of
from lenet_search.study import read
from search.conftest import states

JOURNAL = "lenet-search.journal"
LONG = ("train.epochs=60",)  # about two seconds a trial


def stored(url: str = JOURNAL, name: str = "small") -> optuna.Study:
    return optuna.load_study(study_name=name, storage=open_storage(url, create=False))


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def epochs_are_reported(running: int = 1, url: str = JOURNAL) -> bool:
    """Whether trials run, and have got somewhere."""
    if not Path(url.removeprefix("sqlite:///")).exists():
        return False
    try:
        trials = stored(url).get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
    except (KeyError, RunError):  # RunError: it is being made
        return False
    return sum(bool(trial.intermediate_values) for trial in trials) >= running


class Acting(Silent):
    """A view that does something once, as soon as all running trials have done more than so many epochs."""

    def __init__(self, act: Callable[[], None], epochs: int = 0) -> None:
        self.act: Callable[[], None] | None = act
        self.epochs = epochs
        self.notes: list[str] = []

    def update(self, progress: Progress) -> None:
        running = progress.running
        if self.act is not None and running and all(len(run.values) > self.epochs for run in running):
            act, self.act = self.act, None
            act()

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_run_that_asks_for_fewer_trials_than_are_done_never_shows_more_done_than_there_are(definition, capsys):
    search.run(definition, trials=3, workers=1, slots=2, view=Plain(Console(file=sys.stdout, width=200)))
    assert "3 of 3 trials done" in capsys.readouterr().out

    search.run(definition, trials=1, workers=1, slots=2, view=Plain(Console(file=sys.stdout, width=200)))
    shown = capsys.readouterr().out
    assert "1 trial, 3 already done" in shown
    assert "3 of 3 trials done" in shown
    assert states(stored()) == {"COMPLETE": 3}


def test_a_search_runs_exactly_its_trials_and_a_second_run_finishes_what_is_missing(definition, capfd):
    first = search.run(definition, trials=3, workers=1, slots=2)
    assert first.trials == {"total": 3, "complete": 3, "pruned": 0, "failed": 0, "interrupted": 0}
    assert first.trials_per_hour > 0
    assert first.images_per_second > 0

    second = search.run(definition, trials=5, workers=1, slots=2)
    assert second.trials == {"total": 5, "complete": 5, "pruned": 0, "failed": 0, "interrupted": 0}
    study = stored()
    assert states(study) == {"COMPLETE": 5}
    assert second.best is not None
    assert second.best["value"] == study.best_value
    for trial in study.trials:
        run = run_of(trial)
        assert run.curve["val_accuracy"][-1] == trial.value == trial.intermediate_values[2]
        assert len(run.curve["train_loss"]) == run.recipe.train.epochs == 2
        assert run.device.startswith("CPU")
        assert {"tensorflow", "keras", "numpy", "optuna", "lenet-search"} <= set(run.versions)
    assert len({run_of(trial).seed for trial in study.trials}) == 5
    assert fact(study, DATA_FOLDERS) == {"tiny": str(Path.cwd())}
    weights = load_weights(Path("lenet-search-artifacts"), study.best_trial)
    assert weights is not None
    assert all(np.isfinite(array).all() for array in weights.values())

    started = time.perf_counter()
    third = search.run(definition, trials=5)
    assert third.trials == second.trials
    assert time.perf_counter() - started < 3  # no worker is started for nothing
    assert capfd.readouterr() == ("", "")  # nothing but the view says anything

    for summary in (first, second, third):  # what --json prints
        assert set(summary.to_json()) == {
            "study", "storage", "metric", "total", "finished", "trials", "best", "ended", "seconds", "trials_per_hour",
            "images_per_second", "epochs_in_vain",
        }  # fmt: skip
        assert set(summary.to_json()["best"]) == {"number", "value", "params"}


def test_trials_of_several_structures_share_a_worker(definition):
    start = "start=[{ model.batch_norm = true }, { model.batch_norm = false }]"
    mixed = read("small.toml", overrides=["model.batch_norm={ choices = [true, false] }", start])
    summary = search.run(mixed, trials=6, workers=1, slots=2)
    assert summary.trials["complete"] == 6
    assert {trial.params["model.batch_norm"] for trial in stored().trials} == {True, False}


def test_a_trial_that_diverges_is_pruned_with_its_reason_and_is_not_the_best(definition):
    wild = read(
        "small.toml",
        overrides=[
            "model.activation=relu",
            "optimizer.sgd.learning_rate=10",
            "optimizer.kind={ choices = ['sgd', 'adam'] }",
            "start=[{ optimizer.kind = 'sgd' }, { optimizer.kind = 'adam' }]",
        ],
    )
    summary = search.run(wild, trials=2, workers=1)
    diverged, good = stored().trials
    assert diverged.state == optuna.trial.TrialState.PRUNED
    assert "diverged in epoch" in diverged.user_attrs[REASON]
    assert run_of(diverged).recipe.optimizer.kind == "sgd"
    assert summary.best is not None
    assert summary.best["number"] == good.number


def test_a_killed_worker_costs_no_trial(definition):
    long = read("small.toml", overrides=LONG)
    killed = []

    def kill() -> None:
        killed.extend(children_of(os.getpid()))
        os.kill(killed[0], signal.SIGKILL)

    view = Acting(kill)
    summary = search.run(long, trials=2, workers=1, slots=2, view=view)
    assert len(killed) == 1
    assert summary.trials == {"total": 2, "complete": 2, "pruned": 0, "failed": 0, "interrupted": 0}
    assert {trial.state.name for trial in stored().trials} == {"COMPLETE"}
    assert any("killed by SIGKILL" in note and "another worker takes its place" in note for note in view.notes)


def test_the_end_of_the_time_is_a_normal_end_that_leaves_nothing_running(definition):
    endless = read("small.toml", overrides=["train.epochs=100000"])
    started = time.monotonic()
    view = Acting(lambda: None)
    summary = search.run(endless, trials=3, workers=1, slots=2, timeout=8, view=view)
    assert 8 <= time.monotonic() - started < 12
    assert summary.trials["complete"] == 0
    assert summary.best is None
    begun = sum(bool(trial.intermediate_values) for trial in stored().trials)  # 2, unless the machine is busy
    assert (summary.ended, summary.trials["interrupted"]) == ("timeout", begun)
    assert states(stored()) == {"WAITING": 2}
    assert children_of(os.getpid()) == []


STOPS = [
    (signal.SIGINT, 130, JOURNAL),
    (signal.SIGTERM, 143, "sqlite:///study.db"),
    (signal.SIGUSR1, 138, JOURNAL),
]


@pytest.mark.parametrize(("number", "code", "url"), STOPS, ids=["SIGINT", "SIGTERM-sqlite", "SIGUSR1"])
def test_a_signal_freezes_what_runs_within_seconds_and_the_next_run_resumes_it(
    search_in_another_process, definition, url, number, code
):
    overrides = ["train.epochs=400"]
    process = search_in_another_process(f"storage={url!r}, trials=2, workers=1, slots=2", overrides)
    wait_for(lambda: epochs_are_reported(running=2, url=url))
    started = time.monotonic()
    process.send_signal(number)
    process.send_signal(number)  # impatience does no harm
    output, _ = process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert process.returncode == code
    assert "0 of 2 trials done. 2 trials were interrupted. To resume" in output
    before = stored(url).trials
    assert {trial.state.name for trial in before} == {"WAITING"}
    epochs = [max(trial.intermediate_values) for trial in before]

    shown = Acting(lambda: os.kill(os.getpid(), signal.SIGTERM), max(epochs))
    with pytest.raises(search.Interrupted) as caught:
        search.run(read("small.toml", overrides=overrides), storage=url, trials=2, workers=1, slots=2, view=shown)
    assert caught.value.summary.trials["interrupted"] == 2
    after = stored(url).trials
    assert [trial.number for trial in after] == [0, 1]
    for trial, done in zip(after, epochs, strict=True):
        run, _ = read_frozen(Path(artifact_folder(url)) / FROZEN / noted(trial, FROZEN))
        assert run.epochs == max(trial.intermediate_values) > done
        assert sum(length for _, length in run.clocks) == run.epochs
        assert run.clocks[0] == (0, done)


@pytest.mark.parametrize("url", [JOURNAL, "sqlite:///study.db"], ids=["journal", "sqlite"])
def test_a_killed_process_loses_what_was_trained_since_it_was_last_frozen_and_no_more(
    search_in_another_process, definition, url
):
    overrides = ["train.epochs=2000"]
    process = search_in_another_process(f"storage={url!r}, trials=2, workers=1, slots=2, freeze_every=0.5", overrides)
    wait_for(lambda: epochs_are_reported(running=2, url=url))
    folder = artifact_folder(url) / FROZEN
    wait_for(lambda: len(list(folder.glob("[!.]*"))) == 2)
    (worker,) = children_of(process.pid)
    process.kill()
    process.communicate()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), seconds=5)
    assert states(stored(url)) == {"RUNNING": 2}
    frozen = [read_frozen(folder / noted(trial, FROZEN))[0].epochs for trial in stored(url).trials]
    assert min(frozen) > 0

    view = Acting(lambda: os.kill(os.getpid(), signal.SIGTERM), max(frozen))
    with pytest.raises(search.Interrupted):
        search.run(read("small.toml", overrides=overrides), storage=url, trials=2, workers=1, slots=2, view=view)
    assert any("resuming trial 0, left behind" in note for note in view.notes)
    assert len(stored(url).trials) == 2
    for trial, done in zip(stored(url).trials, frozen, strict=True):
        run, _ = read_frozen(folder / noted(trial, FROZEN))
        assert run.epochs > done
        assert run.clocks[0] == (0, done)


def test_the_course_of_a_run_that_was_frozen_can_be_reproduced_from_its_clocks(search_in_another_process, definition):
    overrides = ["train.epochs=40"]
    process = search_in_another_process("trials=1, workers=1, slots=1", overrides)
    wait_for(epochs_are_reported)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    # Beside another, so that it is thawed into a stack whose clock stands elsewhere.
    summary = search.run(read("small.toml", overrides=overrides), trials=2, workers=1, slots=2)
    assert summary.trials["complete"] == 2
    run = run_of(stored().trials[0])
    assert len(run.clocks) == 2

    from lenet_search import data
    from lenet_search.engine import Stack
    from lenet_search.structure import structure_of

    split = data.load(run.recipe.images)
    structure = structure_of(run.recipe, read("small.toml", overrides=overrides).space)
    state, losses = None, []
    for clock, epochs in run.clocks:
        stack = Stack(structure, split, 1, clock)
        slot = stack.load(run.recipe, run.seed) if state is None else stack.thaw(run.recipe, len(losses), state)
        losses += [stack.epoch()[slot].val_loss for _ in range(epochs)]
        state = stack.freeze(slot)
    np.testing.assert_allclose(losses, run.curve["val_loss"], atol=1e-4)


@pytest.mark.parametrize("url", [JOURNAL, "sqlite:///study.db"], ids=["journal", "sqlite"])
def test_two_runs_on_one_storage_share_its_total(search_in_another_process, definition, url):
    processes = [search_in_another_process(f"storage={url!r}, trials=11, workers=1, slots=2") for _ in range(2)]
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
    study = stored(url)
    assert states(study)["COMPLETE"] == 11
    assert set(states(study)) <= {"COMPLETE", "FAIL"}
    runs = {noted(trial, RUN) for trial in study.trials}
    assert len(runs) == 2
    assert len({run_of(trial).seed for trial in study.trials if carries_run(trial)}) == 11


def test_what_no_worker_can_do_reaches_the_user_as_the_error_that_it_is(definition, monkeypatch):
    monkeypatch.setattr("lenet_search.search.search._check_fit", lambda *_: None)  # it would notice before any worker
    greedy = read("small.toml", overrides=["train.batch_size=100000"])
    with pytest.raises(DataError, match="batch_size"):
        search.run(greedy, workers=1)
    assert "RUNNING" not in states(stored())


def test_missing_images_are_noticed_before_anything_is_created(definition):
    lost = read("small.toml", overrides=["data.name=nowhere"])
    with pytest.raises(DataError, match="nowhere"):
        search.run(lost)
    assert not Path(JOURNAL).exists()


def test_workers_that_keep_dying_end_the_search_with_their_last_words_and_the_log(definition, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tensorflow.py").write_text("raise ImportError('libcudnn is missing')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    with pytest.raises(RunError, match="libcudnn is missing") as caught:
        search.run(definition, workers=1)
    logs = re.search(r"logs are in (\S+)", str(caught.value))
    assert logs is not None
    assert "Traceback" in next(Path(logs[1]).iterdir()).read_text()
    assert set(states(stored())) <= {"WAITING"}


def test_a_gpu_that_tensorflow_cannot_use_is_said_and_the_cpu_taken(definition, tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 7\n")  # a GPU number that no machine here has
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    view = Acting(lambda: None)
    summary = search.run(definition, trials=2, workers=1, slots=2, view=view)
    assert summary.trials["complete"] == 2
    assert any("lenet-search[gpu]" in note for note in view.notes)


def test_the_parent_needs_no_tensorflow_and_a_script_no_main_guard(definition, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(lenet_search.__file__).parents[1]))
    code = (
        "import sys\n"
        "from lenet_search import search\n"
        "from lenet_search.study import read\n"
        "search.run(read('small.toml'), trials=1, workers=1)\n"
        "print('tensorflow' in sys.modules)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stdout == "False\n", answer.stderr


def test_keras_backend_jax_searches_without_tensorflow(definition, tmp_path, monkeypatch):
    pytest.importorskip("jax")
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "tensorflow.py").write_text("raise ModuleNotFoundError(\"No module named 'tensorflow'\")")
    monkeypatch.setenv("PYTHONPATH", str(absent))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delitem(sys.modules, "keras", raising=False)  # workers follow the one that another test has loaded
    summary = search.run(definition, trials=2, workers=1, slots=2)
    assert summary.trials["complete"] == 2
    run = run_of(stored().best_trial)
    assert {"jax", "jaxlib", "keras", "numpy"} <= set(run.versions)
    assert "tensorflow" not in run.versions
    assert run.device.startswith("CPU (")


def test_a_backend_that_the_engine_does_not_know_ends_the_search_with_what_to_do(definition, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "nonsense")
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    with pytest.raises(RunError, match="KERAS_BACKEND to tensorflow, or to jax"):
        search.run(definition, workers=1)
