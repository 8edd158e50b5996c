"""What is measured on a GPU, tried in small on a processor."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import goals
import pytest
from measure import targets
from measure.kernels import Kernel, kernels

FOLDER = Path(__file__).parents[2] / "benchmarks"
ROW = {
    "lowering": "rows", "slots": 16, "precision": "bfloat16", "images_per_second": 6e6, "epoch_seconds": 0.12,
    "first_epoch_seconds": 6.2, "compile_seconds": 6.08, "evaluation": 0.031,
}  # fmt: skip


def test_the_goals_stacks_come_first_under_rows_then_under_tiles():
    cells = goals.cells_of(goals.arguments([]))
    assert [(lowering, cell.slots, cell.precision) for lowering, cell in cells] == [
        (lowering, slots, precision)
        for lowering in ("rows", "tiles")
        for slots, precision in ((64, "bfloat16"), (64, "float32"), (16, "bfloat16"), (1, "bfloat16"))
    ]


def test_a_budget_leaves_out_the_last_sizes_under_both_lowerings():
    cells = goals.cells_of(goals.arguments(["--slots", "64", "2"]))
    assert [(lowering, cell.slots) for lowering, cell in cells] == [
        ("rows", 64), ("tiles", 64), ("rows", 2), ("tiles", 2),
    ]  # fmt: skip


def test_only_the_first_stack_is_started_from_the_cache():
    (one,) = goals.cells_of(goals.arguments(["--first", "--lowering", "tiles"]))
    assert (one[0], one[1].slots, one[1].precision) == ("tiles", 64, "bfloat16")


def test_sixteen_slots_are_to_reach_four_fifths_of_the_largest_stack():
    text = goals.line(ROW, 7.5e6, judged=True)
    assert text.split()[:6] == ["rows", "16", "bfloat16", "6,000,000", "6,000,000", "-"]
    assert text.endswith("3.1%  met")
    assert goals.line(ROW, 8e6, judged=True).endswith("missed, 94% of it")
    assert goals.line(ROW, 8e6, judged=False).endswith("3.1%")


def test_a_stack_that_fails_is_named_with_its_reason():
    row = {"lowering": "tiles", "slots": 64, "precision": "float32", "failed": "no memory"}
    assert goals.line(row, 0.0, judged=True) == "tiles        64  float32    failed: no memory"


def test_a_lowering_is_measured_on_whole_epochs_with_its_evaluation():
    command = [sys.executable, str(FOLDER / "goals.py"), "--json", "--images", "256", "--epochs", "1", "--slots", "1"]
    done = subprocess.run([*command, "--lowering", "rows"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    (cell,) = result["cells"]
    assert cell["images_per_second"] == pytest.approx(256 / cell["epoch_seconds"])
    assert cell["first_epoch_seconds"] > cell["compile_seconds"] > 0
    assert 0 < cell["evaluation"] < 1
    assert "rows          1  bfloat16" in done.stderr


def test_a_lowering_that_does_not_exist_is_answered_with_those_that_do():
    command = [sys.executable, str(FOLDER / "goals.py"), "--lowering", "columns"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "expected rows, tiles" in done.stderr
    assert "received columns" in done.stderr


def trace(path: Path, process: str, thread: str) -> Path:
    """A trace of a loop (100 us) around a product that runs twice (30 and 20 us), beside a host's call."""
    named = [
        {"ph": "M", "pid": 1, "name": "process_name", "args": {"name": process}},
        {"ph": "M", "pid": 1, "tid": 7, "name": "thread_name", "args": {"name": thread}},
        {"ph": "M", "pid": 2, "name": "process_name", "args": {"name": "/host:CPU"}},
    ]
    ran = [
        {"ph": "X", "pid": 1, "tid": 7, "ts": ts, "dur": dur, "name": name, "args": {"hlo_op": name}}
        for ts, dur, name in ((0.0, 100.0, "while"), (10.0, 30.0, "dot"), (50.5, 20.0, "dot"))
    ]
    host = {"ph": "X", "pid": 2, "tid": 7, "ts": 0.0, "dur": 500.0, "name": "call"}
    with gzip.open(path, "wt") as file:
        json.dump({"traceEvents": [*named, *ran, host]}, file)
    return path


@pytest.mark.parametrize(("process", "thread"), [("/device:GPU:0", "Stream #20(Compute)"), ("/host:CPU", "XLA")])
def test_kernels_are_summed_by_name_without_what_runs_inside_them(process, thread, tmp_path):
    found = kernels(trace(tmp_path / "a.trace.json.gz", process, thread))
    assert found == [Kernel("while", pytest.approx(50e-6), 1), Kernel("dot", pytest.approx(50e-6), 2)]


def test_the_engine_s_own_rate_is_that_of_the_study_s_slots_and_precision(tmp_path):
    file = tmp_path / "goals.json"
    file.write_text(json.dumps({"default_slots": 16, "auto": "bfloat16", "cells": [ROW | {"slots": 64}, ROW]}))
    assert targets.engine_rate(file) == ("rows, 16 slots, bfloat16", 6e6)
    assert targets.engine_rate(file, 4) is None
    assert targets.engine_rate(tmp_path / "missing.json") is None


def test_a_machine_without_pytorch_or_its_gpu_is_told_in_one_line():
    command = [sys.executable, str(FOLDER / "with_torch.py"), "--images", "128"]
    environment = {"CUDA_VISIBLE_DEVICES": "", "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    (line,) = done.stdout.splitlines()
    assert line.startswith("PyTorch")
    assert line.endswith("nothing to compare with")
