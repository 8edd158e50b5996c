"""`benchmarks/precision.sh` compares recipes that differ in nothing but their precision."""

import os
import subprocess
from pathlib import Path

import pytest

from lenet_search.study import read_recipe

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "precision.sh"
NAMES = ["lenet5-cifar", "lenet5-cifar-adam", "lenet5-cifar-tuned"]


@pytest.fixture
def compared(tmp_path: Path) -> list[str]:
    """What the script asks `lenet-search` for."""
    command = tmp_path / "lenet-search"
    command.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked.txt\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    arguments = [str(tmp_path / "out"), "7", "16", *NAMES, "--", "--data", "images", "--test"]
    subprocess.run(["bash", str(SCRIPT), *arguments], env=environment, check=True)
    return (tmp_path / "asked.txt").read_text().splitlines()


def test_each_recipe_is_compared_with_itself_in_the_other_precision(compared, tmp_path):
    out = tmp_path / "out"
    for name, asked in zip(NAMES, compared, strict=True):
        files = [out / f"{name}-{precision}.toml" for precision in ("float32", "mixed_bfloat16")]
        assert asked == f"compare {files[0]} {files[1]} --seeds 16 --out {out} --data images --test"
        one, other, original = (dict(read_recipe(source)[1].values()) for source in (*map(str, files), name))
        assert (one.pop("train.precision"), other.pop("train.precision")) == ("float32", "mixed_bfloat16")
        assert one == other
        assert one == {key: value for key, value in original.items() if key != "train.precision"} | {"train.epochs": 7}
