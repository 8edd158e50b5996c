"""`benchmarks/accelerator.sh` with an interpreter that only notes what it is asked for."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "accelerator.sh"


@pytest.fixture
def ran(tmp_path: Path) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """The steps of a run in which PyTorch fails, each by its script and first options; and the run."""
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "$KERAS_BACKEND $@" >> {tmp_path}/asked.txt\n'
        'case "$*" in *with_torch*) exit 3 ;; -) cat > /dev/null ;; esac\n'
    )
    python.chmod(0o755)
    environment = os.environ | {"PYTHON": str(python), "KERAS_BACKEND": "jax"}
    command = ["bash", str(SCRIPT), str(tmp_path / "results")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    asked = (tmp_path / "asked.txt").read_text().splitlines()
    steps = [line.removeprefix("jax ").split() for line in asked if line.startswith(("jax benchmarks/", "jax -m "))]
    return [" ".join([Path(first).name, *more]) for first, *more in steps], done


def test_what_has_a_goal_is_measured_first_then_parity(ran):
    starts = [
        "goals.py --json --lowering rows",
        "timeline.py --trials 100 --epochs 30",
        "with_keras_fit.py --goals",
        "with_torch.py --goals",
        "timeline.py --trials 100 --epochs 30",
        "goals.py --json --lowering rows --first",
        "goals.py --json --lowering tiles",
        "-m pytest -q",
        "goals.py --json --slots 64",
        "goals.py --json --profile",
        "engine.py --json",
    ]
    steps, _ = ran
    assert len(steps) == len(starts)
    for step, start in zip(steps, starts, strict=True):
        assert step.startswith(start)


def test_a_step_that_fails_stops_no_other_and_is_named_at_the_end(ran, tmp_path):
    _, done = ran
    assert done.returncode == 1
    assert "-- torch: failed (3)" in done.stdout
    assert done.stdout.splitlines()[-1] == "Failed: torch"
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert {f"{name}.txt" for name in ("rows", "study", "keras_fit", "torch", "tiles", "parity", "table")} <= written


def test_the_script_explains_itself_and_knows_its_options():
    told = subprocess.run(["bash", SCRIPT, "--help"], capture_output=True, text=True, check=True).stdout
    assert told.startswith("The engine on an accelerator")
    assert "set -euo" not in told
    wrong = subprocess.run(["bash", SCRIPT, "--fast"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "--quick" in wrong.stderr
