"""The cost of structural choices: complete studies of the shipped space, with and without such choices.

A program is compiled for one batch size, activation and pooling, so trials that differ in them cannot share a stack:
workers keep several stacks, some of them half empty, and compile more. `lenet-search run` runs both studies, with
random search and no pruning, so they differ in nothing else. The rate is that of the whole run, including start-up and
compiling; longer studies are therefore fairer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from measure import cells, shown

ROOT = Path(__file__).resolve().parents[2]
EVERY_TIME = ['study.sampler={ kind = "RandomSampler", seed = 1 }', 'study.pruner={ kind = "NopPruner" }']


def structures(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Trial-images per second of each study, medians over repeats in which they take turns."""
    epochs, count = options.epochs or 4, options.images or (2304 if options.quick else 45_000)
    wanted = ["fixed", *(options.choices or (["all"] if options.quick else list(cells.STRUCTURES)[1:]))]
    each: dict[str, list[float]] = {name: [] for name in wanted}
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or write_images(Path(folder), count)
        for turn in range(options.repeat):
            for name in wanted:
                fixed = [f"train.epochs={epochs}", f"data.validation={count // 9}", f"data.limit={count + count // 9}"]
                storage = Path(folder) / f"{name}-{turn}.journal"
                with out.status(f"turn {turn + 1} of {options.repeat}: {options.trials} trials, {name}"):
                    summary = run([*EVERY_TIME, *fixed, *cells.STRUCTURES[name]], data, storage, options)
                each[name].append(summary["images_per_second"])
                out.print(f"turn {turn + 1}: {name}, {summary['images_per_second']:,.0f} trial-images/s", style="dim")
    result = {
        "benchmark": "structures", "trials": options.trials, "epochs": epochs, "images": count, "each": each,
        "images_per_second": {name: statistics.median(rates) for name, rates in each.items()},
    }  # fmt: skip
    out.print(shown.structures_table(result))
    return result


def run(overrides: list[str], data: Path, storage: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The summary of one `lenet-search run`.

    Raises:
        SystemExit: it fails; the message contains its output.
    """
    command = [sys.executable, "-m", "lenet_search", "run", "--study", cells.STUDY, "--no-confirm"]
    command += ["--trials", str(options.trials)]
    command += ["--data", str(data), "--storage", str(storage), "--json"]
    command += ["--workers", str(options.workers)] if options.workers else []
    command += ["--slots", str(options.sizes[0])] if options.sizes else []
    command += [part for text in overrides for part in ("--set", text)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\nended with exit code {done.returncode}:\n{done.stderr[-3000:]}")
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def write_images(folder: Path, count: int) -> Path:
    """A data folder with random images as `cifar10.npz`."""
    split = cells.images(count)
    np.savez(
        folder / "cifar10.npz",
        x_train=np.concatenate([split.x_train, split.x_val]), y_train=np.concatenate([split.y_train, split.y_val]),
        x_test=split.x_val[:100], y_test=split.y_val[:100],
    )  # fmt: skip
    return folder
