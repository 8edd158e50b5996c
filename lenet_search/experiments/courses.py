"""Plots of how training went: one recipe's accuracy, loss and error by epoch, and the errors of several recipes."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lenet_search.experiments.result import Result
from lenet_search.look.by_epoch import (
    ERROR,
    TRAINING_ERROR,
    Quantity,
    add_curves,
    focus,
    log_axis,
    mean_by_epoch,
    measured,
)
from lenet_search.look.theme import PALETTE, name_text, note, titled, whole_axis
from lenet_search.look.words import counted
from lenet_search.run import Run

ABOVE = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"}  # where a legend stands


def course_figure(result: Result, title: str = "") -> go.Figure:
    """One recipe: accuracy, loss and error by epoch; a thin line per seed, a thick one for the mean."""
    runs, title = [run for run in result.runs if run.epochs], title or result.name
    if not runs:
        return note(name_text(title, 60), "No run is complete yet.")
    figure = make_subplots(1, 3, horizontal_spacing=0.08)
    validated = bool(result.images["validation"])
    parts = [("val", "validation", PALETTE[0])] * validated + [("train", "training", PALETTE[1])]
    for column, panel in ((1, "accuracy"), (2, "loss")):
        for part, name, color in parts:
            add_curves(figure, runs, measured(f"{part}_{panel}"), name, color, legend=column == 1, row=1, col=column)
        figure.update_yaxes(range=focus(runs, *(measured(f"{part}_{panel}") for part, *_ in parts)), row=1, col=column)
    figure.update_yaxes(title_text="accuracy (%)", row=1, col=1)
    figure.update_yaxes(title_text="cross-entropy (nats)", row=1, col=2)
    lowest = _half_an_image(result)
    _, name, color = parts[0]
    error = ERROR if validated else TRAINING_ERROR
    add_curves(figure, runs, error, name, color, legend=False, lowest=lowest, row=1, col=3)
    log_axis(figure, _errors(runs, error, lowest), f"{name} error (%)", row=1, col=3)
    figure.update_yaxes(range=focus(runs, error, lowest=lowest), row=1, col=3)
    figure.update_xaxes(title_text="epoch", **whole_axis(1, max(run.epochs for run in runs), most=6))
    titled(figure, name_text(title, 60), _reading(result))
    return figure.update_layout(legend=ABOVE, meta={"min_width": 860})


def errors_figure(data: str, results: Sequence[Result]) -> go.Figure:
    """Validation error by epoch of all recipes on one data set that have validation images, on a logarithmic scale."""
    figure, values, longest = go.Figure(), [], 1
    title = f"Error by epoch on {name_text(data, 60)}"
    results = [result for result in results if result.images["validation"]]
    if not results:
        return note(title, "These recipes train on all images: there are none for validation.")
    for place, result in enumerate(results):
        lowest, color = _half_an_image(result), PALETTE[place % len(PALETTE)]
        add_curves(figure, result.runs, ERROR, result.name, color, seeds=False, dash=_dash(place), lowest=lowest)
        means = mean_by_epoch(result.runs, ERROR)
        values += [max(lowest, 100.0 * (each.value or 0.0)) for each in means]
        longest = max(longest, len(means))
    if not values:
        return note(title, "No run is complete yet.")
    log_axis(figure, values, "validation error (%)")
    low, high = (math.log10(limit(values)) for limit in (min, max))
    margin = 0.25 * (high - low) or 0.1  # not the whole of a band: that of two seeds would flatten all curves
    figure.update_yaxes(range=[low - margin, high + margin])
    figure.update_xaxes(title_text="epoch", **whole_axis(1, longest))
    subtitle = (
        "means over seeds with 95 % intervals as bands, on validation images: the test set is not read during training"
    )
    titled(figure, title, subtitle, height=560)
    return figure.update_layout(meta={"min_width": 760})


def _reading(result: Result) -> str:
    seeds, diverged = len(result.runs), result.diverged
    parts = [counted(seeds, "seed")]
    if seeds - diverged > 1:
        parts.append("thick lines are means, bands their 95 % intervals over the seeds")
    if diverged:
        parts.append(f"{diverged} diverged: dotted, and not in the means")
    about = name_text(result.task.title.rstrip("."), 200)
    return "; ".join([*([about] if about and not result.quick else []), *parts])


def _half_an_image(result: Result) -> float:
    """Where to draw an error of zero, which a logarithmic axis does not have, in percent."""
    return 50.0 / int(result.images["validation"] or result.images["train"])


def _errors(runs: Sequence[Run], quantity: Quantity, lowest: float) -> list[float]:
    values = [100.0 * error for run in runs for error in quantity.values(run) if math.isfinite(error)]
    return [max(lowest, value) for value in values]


def _dash(place: int) -> str:
    """The line style, which changes each time the palette is used up."""
    return ("solid", "dash", "dot")[place // len(PALETTE) % 3]
