import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fuzzing import watch
from fuzzing.kinds import KINDS
from fuzzing.watch import watched

from lenet_search.errors import DataError

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


def test_damaged_input_of_every_kind_ends_with_success_or_an_error_of_ours_in_bounded_memory(tmp_path):
    """A small part of `benchmarks/fuzz.py`, whose figures are in docs/reliability.md; of models, there it is in all."""
    command = [sys.executable, str(SCRIPT), "--small", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == KINDS.keys() - {"models"}


def test_a_case_follows_from_its_seed(tmp_path):
    from random import Random

    def content(kind: str, seed: int, folder: str) -> list[bytes]:
        (tmp_path / folder).mkdir()
        KINDS[kind].make(Random(seed), tmp_path / folder)
        return [path.read_bytes() for path in sorted((tmp_path / folder).rglob("*")) if path.is_file()]

    for kind in ("studies", "npz", "seeds"):
        first = content(kind, 1, f"{kind}-1")
        assert first == content(kind, 1, f"{kind}-again")
        assert first != content(kind, 2, f"{kind}-2")


def raising(error: BaseException):
    def read() -> None:
        raise error

    return read


def test_an_error_of_ours_is_no_fault_if_it_names_the_file():
    assert watched(raising(DataError("/x/own.npz: damaged")), 10, ["own.npz"]).refused
    assert not watched(raising(DataError("/x/own.npz: damaged")), 10, ["own.npz"]).fault
    assert "names none of own.npz" in watched(raising(DataError("damaged")), 10, ["own.npz"]).fault


def test_any_other_exception_is_a_fault():
    assert watched(raising(KeyError("x")), 10, []).fault == "KeyError: 'x'"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the highest memory of a process")
def test_memory_that_the_input_does_not_explain_is_a_fault(monkeypatch):
    monkeypatch.setattr(watch, "ALLOWED", 30_000_000)

    def read() -> None:
        np.ones(60_000_000, np.uint8)

    assert "MB of memory for 0.000 MB" in watched(read, 10, []).fault
    assert not watched(read, 20_000_000, []).fault
