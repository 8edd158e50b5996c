"""What the engine reaches on a GPU, beside its goals: each line as soon as it is measured.

    KERAS_BACKEND=jax python benchmarks/goals.py                     # both lowerings, the goals' four stacks
    python benchmarks/goals.py --lowering rows --json > goals.json   # the table on stderr
    python benchmarks/goals.py --slots 1 2 4 8 16 32 64 128 256 --precision bfloat16
    python benchmarks/goals.py --first                               # again: the first epoch, from the cache
    KERAS_BACKEND=jax python benchmarks/goals.py --profile FOLDER    # the longest kernels of an epoch

One process trains LeNet-5 with recipes drawn from the whole space of the `cifar` study (images of each slot's own,
dropout, penalties, mixed optimizers) on random images, in batches of 128. Rates are medians of whole epochs, evaluation
and the host's work included. The first epoch includes building the stack and compiling; compiling is what it takes
longer than others. Needed are this package, the backend, NumPy, Optuna and Pillow. Goals are for one H100 with JAX.
"""

import argparse
import contextlib
import json
import statistics
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # this checkout's package

from measure import targets  # noqa: E402
from measure.cells import PRECISIONS, STUDY, Cell, images, recipes_of  # noqa: E402

QUICK = ((2, "bfloat16"), (2, "float32"), (1, "bfloat16"))
KERNELS = 12  # that are listed
HEAD = "lowering  slots  precision    images/s        goal      before  first epoch  compiling  evaluation"


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lowering", nargs="+", default=["rows", "tiles"], help="default: rows tiles")
    parser.add_argument("--slots", type=int, nargs="+", metavar="N", help="stacks of these sizes instead")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, help="with --slots (default: bfloat16)")
    parser.add_argument("--epochs", type=int, default=3, help="epochs after the first (default: 3)")
    parser.add_argument("--images", type=int, help="training images (default: 45000)")
    parser.add_argument("--budget", type=float, help="seconds after which no further stack is begun")
    parser.add_argument("--first", action="store_true", help="only the first epoch of the first stack")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="only the kernels of the first stack (JAX)")
    parser.add_argument("--quick", action="store_true", help="few images, small stacks: a check on a processor")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, everything else on stderr")
    options = parser.parse_args(given)
    if min([options.epochs, options.images or 1, *(options.slots or [])]) < 1:
        parser.error("--epochs, --images, --slots: expected at least 1")
    options.images = options.images or (512 if options.quick else 45_000)
    return options


def cells_of(options: argparse.Namespace) -> list[tuple[str, Cell]]:
    """What is measured, in order: the goals' stacks under each lowering; chosen ones under all, as --budget may cut."""
    if options.slots:
        pairs = [(slots, each) for each in options.precision or ["bfloat16"] for slots in options.slots]
    else:
        pairs = list(QUICK if options.quick else targets.RATES)
    some = pairs[:1] if options.first or options.profile else pairs
    ordered = [(lowering, pair) for pair, lowering in product(some, options.lowering)]
    if not options.slots:
        ordered.sort(key=lambda each: options.lowering.index(each[0]))
    return [(lowering, Cell(slots, STUDY, STUDY, each)) for lowering, (slots, each) in ordered]


def stack_of(cell: Cell, lowering: str, count: int) -> Any:
    """A stack of a cell's recipes, on `count` images."""
    from lenet_search.engine import Stack

    recipes, structure = recipes_of(cell)
    stack = Stack(structure, images(count), cell.slots, lowering=lowering)
    for seed, recipe in enumerate(recipes):
        stack.load(recipe, seed)
    return stack


def measured(cell: Cell, lowering: str, options: argparse.Namespace) -> dict[str, Any]:
    """One line of the table."""
    from measure.breakdown import EVALUATION, HOST, TRAINING, Timed

    row: dict[str, Any] = {"lowering": lowering, "slots": cell.slots, "precision": cell.precision}
    recipes_of(cell), images(options.images)  # neither is the engine's time
    started = time.perf_counter()
    stack = stack_of(cell, lowering, options.images)
    stack.epoch()
    row["first_epoch_seconds"] = time.perf_counter() - started
    if options.first:
        return row
    rates, seconds = [], []
    for _ in range(options.epochs):
        started = time.perf_counter()
        trained = sum(result.images for result in stack.epoch().values())
        seconds.append(time.perf_counter() - started)
        rates.append(trained / seconds[-1])
    parts = Timed(stack).epoch()
    return row | {
        "images_per_second": statistics.median(rates), "each": rates, "epoch_seconds": statistics.median(seconds),
        "compile_seconds": max(0.0, row["first_epoch_seconds"] - statistics.median(seconds)),
        "evaluation": parts[EVALUATION] / (parts[TRAINING] + parts[EVALUATION] + parts[HOST]),
    }  # fmt: skip


def line(row: dict[str, Any], largest: float, *, judged: bool) -> str:
    """A row as text.

    Args:
        row: from `measured`
        largest: the highest rate of the lowering in bfloat16
        judged: whether the device is one that the goals are for
    """
    start = f"{row['lowering']:<9} {row['slots']:>5}  {row['precision']:<9}"
    if "failed" in row:
        return f"{start}  failed: {row['failed']}"
    if "images_per_second" not in row:
        return f"{start}  first epoch {row['first_epoch_seconds']:.1f} s"
    key = row["slots"], row["precision"]
    goal, before = targets.RATES.get(key, (0.0, None))
    if key in targets.OF_LARGEST:
        goal = targets.OF_LARGEST[key] * largest
    rates = (f"{rate:,.0f}" if rate else "-" for rate in (row["images_per_second"], goal, before))
    text = start + "".join(f"{rate:>12}" for rate in rates)
    text += f"{row['first_epoch_seconds']:>12.1f} s{row['compile_seconds']:>8.1f} s{row['evaluation']:>11.1%}"
    return text + (f"  {targets.verdict(row['images_per_second'], goal)}" if goal and judged else "")


def profile(cell: Cell, lowering: str, options: argparse.Namespace, out: Any) -> dict[str, Any]:
    """The kernels of an epoch, printed and as a row."""
    from measure.kernels import profiled

    stack = stack_of(cell, lowering, options.images)
    for _ in range(2):
        stack.epoch()
    started = time.perf_counter()
    stack.epoch()
    seconds = time.perf_counter() - started
    found = profiled(stack.epoch, options.profile / lowering)
    steps, whole = options.images // 128, sum(kernel.seconds for kernel in found)
    launches = sum(kernel.runs for kernel in found)
    print(
        f"{lowering}, {cell.slots} slots, {cell.precision}: an epoch takes {seconds:.3f} s; "
        f"under the profiler, kernels take {whole:.3f} s, {launches / steps:.1f} a step",
        file=out,
    )
    for kernel in found[:KERNELS]:
        shares = f"{kernel.seconds / whole:6.1%} {kernel.runs / steps:7.2f} a step"
        print(f"{1e3 * kernel.seconds:10.2f} ms {shares}  {kernel.name}", file=out)
    out.flush()
    return {
        "lowering": lowering, "slots": cell.slots, "precision": cell.precision, "epoch_seconds": seconds,
        "kernel_seconds": whole, "steps": steps, "kernels": [kernel._asdict() for kernel in found],
    }  # fmt: skip


def main() -> None:
    """Measure and print, line by line."""
    options = arguments()
    began = time.monotonic()
    from lenet_search.starting import start_backend

    start_backend()
    from keras import backend, ops

    from lenet_search.engine import device
    from lenet_search.engine.lowerings import LOWERINGS
    from lenet_search.machine import usable_cores

    out = sys.stderr if options.json else sys.stdout
    if unknown := set(options.lowering) - set(LOWERINGS):
        raise SystemExit(f"--lowering: expected {', '.join(LOWERINGS)}; received {', '.join(sorted(unknown))}")
    if options.profile and backend.backend() != "jax":
        raise SystemExit("--profile reads JAX's traces: set KERAS_BACKEND=jax")
    device.configure(usable_cores())  # as one worker of a study has
    ops.convert_to_numpy(ops.ones((1,)) + 1.0)  # the device itself is up before anything is timed
    result: dict[str, Any] = {
        "benchmark": "goals", "device": device.describe(), "versions": device.versions(),
        "images": options.images, "default_slots": device.default_slots(), "cells": [],
    }  # fmt: skip
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    print(f"{device.describe()}, {versions}; {options.images:,} images, ready after", end=" ", file=out)
    print(f"{time.monotonic() - began:.1f} s", file=out, flush=True)
    if not (options.first or options.profile):
        print(HEAD, file=out)
    failed = False
    largest: dict[str, float] = {}
    try:
        for lowering, cell in cells_of(options):
            if options.budget and time.monotonic() - began > options.budget:
                print("(no time for more)", file=out)
                break
            if options.profile:
                result["cells"].append(profile(cell, lowering, options, out))
                continue
            try:
                row = measured(cell, lowering, options)
            except Exception as error:  # too little memory, say; the next stack may be smaller
                failed = True
                first = (str(error).splitlines() or [""])[0]
                row = {"lowering": lowering, "slots": cell.slots, "precision": cell.precision}
                row["failed"] = f"{type(error).__name__}: {first}"
            result["cells"].append(row)
            if cell.precision == "bfloat16" and "images_per_second" in row:
                largest[lowering] = max(largest.get(lowering, 0.0), row["images_per_second"])
            print(line(row, largest.get(lowering, 0.0), judged=device.is_gpu()), file=out, flush=True)
        if not options.profile:
            goals = f"a first epoch under {targets.FIRST_EPOCH:.0f} s, under {targets.FROM_CACHE:.0f} s from the cache"
            print(f"Goals on an H100, also: {goals}; evaluation under {targets.EVALUATION:.0%}.", file=out)
        if options.json and not (options.first or options.profile):  # timed on a CPU, so not before the table
            result["auto"] = {"mixed_bfloat16": "bfloat16"}.get(device.best_precision(), "float32")
    finally:
        if options.json:
            with contextlib.suppress(BrokenPipeError):
                print(json.dumps(result))
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
