"""What the engine is to reach on one H100, and what was measured there before: LeNet-5, `cifar`'s space, batch 128."""

import json
from pathlib import Path
from typing import Any

# (slots, precision): trial-images per second to reach, and those of the engine at commit 5bcef08 (November 2026, JAX
# 0.11, one H100). float32 multiplies in TF32 there.
RATES: dict[tuple[int, str], tuple[float, float | None]] = {
    (64, "bfloat16"): (8.0e6, 1.517e6),
    (64, "float32"): (4.5e6, 0.721e6),
    (16, "bfloat16"): (0.0, None),  # a share of the largest, below
    (1, "bfloat16"): (1.0e6, 0.167e6),  # measured before in float32
}
OF_LARGEST = {(16, "bfloat16"): 0.8}
FIRST_EPOCH, FROM_CACHE = 8.0, 3.0  # seconds; 8 to 23 before
EVALUATION = 0.05  # of an epoch
KERAS, TORCH = 60.0, 15.0  # times the images per second of one model in `fit`, and in a CUDA graph
STUDY = 40.0  # seconds for 100 trials of 30 epochs, from the command to its last line; 64 trials took 160 before
STUDY_SHARE = 0.8  # of the engine's own rate while a study trains


def verdict(reached: float, goal: float) -> str:
    """How a figure that should be high compares with its goal."""
    return "met" if reached >= goal else f"missed, {reached / goal:.0%} of it"


def engine_rate(file: Path | None, slots: int | None = None, precision: str | None = None) -> tuple[str, float] | None:
    """A cell of `goals.py --json`: what it is, and its trial-images per second; None if it was not measured.

    Args:
        file: what `goals.py` printed
        slots: those of the cell; by default the device's default
        precision: that of the cell; by default what "auto" means on the device
    """
    try:
        measured: dict[str, Any] = json.loads(file.read_text()) if file else {}
    except (OSError, ValueError):
        return None
    slots, precision = slots or measured.get("default_slots"), precision or measured.get("auto")
    for cell in measured.get("cells", []):
        if (cell["slots"], cell["precision"]) == (slots, precision) and "images_per_second" in cell:
            return f"{cell['lowering']}, {slots} slots, {precision}", cell["images_per_second"]
    return None


def say_ratio(name: str, best: float, goal: float, file: Path | None) -> None:
    """Print how many times as fast as another tool the largest stack is, if `goals.py` has measured one."""
    try:
        cells = json.loads(file.read_text())["cells"] if file else []
    except (OSError, ValueError, KeyError):
        cells = []
    measured = [cell for cell in cells if "images_per_second" in cell]
    if not measured:
        print(f"{name}: nothing to compare with, --goals names no measurement", flush=True)
        return
    cell = max(measured, key=lambda cell: cell["images_per_second"])
    ratio = cell["images_per_second"] / best
    print(
        f"{name}: {cell['slots']} slots in {cell['precision']} ({cell['lowering']}) are {ratio:.1f} times as fast; "
        f"goal {goal:.0f} on an H100",
        flush=True,
    )
