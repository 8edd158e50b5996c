"""A run as a trial's user attributes: what a person looks for in the tables of a dashboard."""

import math
from typing import Any

from lenet_search.look.intervals import share_of
from lenet_search.run import Run

BESIDE = ("val_accuracy", "val_loss", "train_accuracy", "train_loss")  # measured after the last epoch


def described(run: Run, metric: str) -> dict[str, Any]:
    """Numbers, by which a table can be sorted, and the interval of an accuracy in words; accuracies as shares.

    The metric itself is the trial's value. What is not finite is left out: JSON has no word for it.
    """
    told: dict[str, Any] = {}
    if not len(run.curve):
        return told
    last = run.curve.last()
    images = int(run.images.get("validation", 0))
    if metric == "val_accuracy" and images and math.isfinite(last[metric]):
        told["95 % interval"] = f"{share_of(last[metric], images).bounds()} %"
    told |= {name: round(last[name], 6) for name in BESIDE if name != metric and math.isfinite(last[name])}
    return told | {"epochs": run.epochs, "seconds": round(run.seconds, 1), "device": run.device}
