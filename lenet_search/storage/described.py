"""A trial's runs as its user attributes: what a person looks for in the tables of a dashboard."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

from lenet_search.look.intervals import grain_of, is_share, mean_of, share_of
from lenet_search.run import Run

BESIDE = ("val_accuracy", "val_loss", "train_accuracy", "train_loss")  # measured after the last epoch


def described(runs: Sequence[Run], metric: str) -> dict[str, Any]:
    """Numbers, by which a table can be sorted, and the interval in words; accuracies as shares, means over the seeds.

    The metric itself is the trial's value. What is not finite is left out: JSON has no word for it.
    """
    if not all(len(run.curve) for run in runs):
        return {}
    last = [run.curve.last() for run in runs]
    told: dict[str, Any] = {}
    if bounds := _bounds([each[metric] for each in last], metric, int(runs[0].images.get("validation", 0))):
        told["95 % interval"] = bounds
    means = {name: fmean(each[name] for each in last) for name in BESIDE if name != metric}
    told |= {name: round(value, 6) for name, value in means.items() if math.isfinite(value)}
    if len(runs) > 1:
        values = [each[metric] for each in last]
        told |= {"seeds": len(runs)}
        told |= {"standard deviation": round(stdev(values), 6)} if all(map(math.isfinite, values)) else {}
    seconds = math.fsum(run.seconds for run in runs)
    return told | {"epochs": runs[0].epochs, "seconds": round(seconds, 1), "device": runs[0].device}


def _bounds(values: Sequence[float], metric: str, images: int) -> str:
    if not all(map(math.isfinite, values)):
        return ""
    grain = grain_of(metric, images)
    if len(values) > 1:
        found = mean_of(values, share=is_share(metric), grain=grain)
    elif grain:
        found = share_of(values[0], images)
    else:
        return ""
    return f"{found.bounds()}{' %' if is_share(metric) else ''}"
