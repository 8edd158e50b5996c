"""Curves of several seeds in a figure: their mean by epoch, a band for its 95 % interval, and each seed faintly.

Runs that diverged are left out of the mean, as they are in the tables.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from lenet_search.look.intervals import Estimate, mean_of
from lenet_search.look.theme import METRICS, Shown, faded, log_ticks, name_text, tick_text
from lenet_search.run import Run


@dataclass(frozen=True)
class Quantity:
    """What a curve shows: how, and its values in a run, one after each epoch."""

    shown: Shown
    values: Callable[[Run], list[float]]


def measured(metric: str) -> Quantity:
    """What the runs recorded under this name."""
    return Quantity(METRICS[metric], lambda run: run.curve[metric])


ERROR = Quantity(
    Shown("validation error", 100.0, "%", 2), lambda run: [1.0 - accuracy for accuracy in run.curve["val_accuracy"]]
)
TRAINING_ERROR = Quantity(
    Shown("training error", 100.0, "%", 2), lambda run: [1.0 - accuracy for accuracy in run.curve["train_accuracy"]]
)


def mean_by_epoch(runs: Iterable[Run], quantity: Quantity) -> list[Estimate]:
    """The mean over the runs that did not diverge, with Student's interval, after each epoch; `n` counts the runs."""
    curves = [quantity.values(run) for run in runs if not run.diverged]
    return [
        mean_of([curve[epoch] for curve in curves if len(curve) > epoch], share=quantity.shown.unit == "%")
        for epoch in range(max(map(len, curves), default=0))
    ]


def add_curves(
    figure: go.Figure,
    runs: Sequence[Run],
    quantity: Quantity,
    name: str,
    color: str,
    *,
    seeds: bool = True,
    legend: bool = True,
    dash: str = "solid",
    lowest: float = -math.inf,
    about: str = "",
    **where: int,
) -> None:
    """Draw the mean with its band and, with `seeds`, each seed; of one seed alone, just its line.

    Args:
        figure: where to draw
        runs: of one recipe, those that diverged included: they are dotted
        quantity: what to draw
        name: name in the legend
        color: a color of the palette
        seeds: whether to draw single seeds
        legend: whether the curve has a line in the legend
        dash: the style of the mean
        lowest: values are drawn no lower, for logarithmic axes
        about: lines that appear on hovering, as plotly reads them
        where: row and col of the panel
    """
    shown, means, group = quantity.shown, mean_by_epoch(runs, quantity), name_text(name)

    def heights(values: Iterable[float]) -> list[float]:
        return [max(lowest, value * shown.factor) for value in values]

    common: dict[str, Any] = {"legendgroup": group, **where}
    for run in runs if seeds and len(runs) > 1 else ():
        values = quantity.values(run)
        figure.add_scatter(
            x=list(range(1, len(values) + 1)), y=heights(values), mode="lines" if len(values) > 1 else "markers",
            line={"color": color, "width": 1, "dash": "dot" if run.diverged else "solid"}, opacity=0.4,
            showlegend=False, hovertemplate=f"seed {run.seed}{', diverged' if run.diverged else ''}, epoch %{{x}}: "
            f"{shown.label} %{{y:.{shown.digits}f}} {shown.unit}<extra></extra>",
            **common,
        )  # fmt: skip
    band = [each for each in means if each.low is not None and each.high is not None]
    epochs = list(range(1, len(band) + 1))
    if len(band) > 1:
        upper = heights(each.high or 0.0 for each in band)
        figure.add_scatter(
            x=[*epochs, *epochs[::-1]], y=[*upper, *heights(each.low or 0.0 for each in band)[::-1]], fill="toself",
            fillcolor=faded(color, 0.16), line={"width": 0}, mode="lines", showlegend=False, hoverinfo="skip", **common,
        )  # fmt: skip
    middle = heights(each.value or 0.0 for each in means)
    bars = None
    if len(means) == 1 and band:  # a band of one epoch has no width
        bars = {
            "type": "data", "symmetric": False, "array": [heights([band[0].high or 0.0])[0] - middle[0]],
            "arrayminus": [middle[0] - heights([band[0].low or 0.0])[0]], "thickness": 2, "width": 5,
        }  # fmt: skip
    figure.add_scatter(
        x=list(range(1, len(means) + 1)),
        y=middle,
        error_y=bars,
        customdata=[
            f"mean {shown.interval(each)}, n = {each.n} seeds" if each.n > 1 else shown.interval(each) for each in means
        ],
        mode="lines" if len(means) > 1 else "markers",
        line={"color": color, "width": 2.5, "dash": dash},
        marker={"color": color, "size": 9},
        name=group,
        showlegend=legend,
        hovertemplate=f"{group}, epoch %{{x}}: {shown.label} %{{customdata}}{about}<extra></extra>",
        **common,
    )


def focus(runs: Sequence[Run], *quantities: Quantity, lowest: float | None = None) -> list[float] | None:
    """A range for the y axis if a band would flatten the curves: it shows one span of the seeds on either side.

    The interval of two seeds is often ten times as wide as they are apart. With `lowest`, a positive value, the axis is
    logarithmic: values count as no lower, and the range is that of their logarithms.
    """
    values, bounds = [], []
    for quantity in quantities:
        scale = quantity.shown.factor
        values += [scale * value for run in runs for value in quantity.values(run) if math.isfinite(value)]
        means = mean_by_epoch(runs, quantity)
        bounds += [scale * bound for each in means for bound in (each.low, each.high) if bound is not None]
    if not values or not bounds:
        return None
    ends = [min(values), max(values), min(bounds), max(bounds)]
    if lowest is not None:
        ends = [math.log10(max(lowest, end)) for end in ends]
    low, high, below, above = ends
    span = high - low
    if below >= low - span and above <= high + span:
        return None
    return [max(below, low - span), min(above, high + span)]


def log_axis(figure: go.Figure, values: Iterable[float], title: str, **where: int) -> None:
    """A logarithmic y axis around `values`, which are positive, with ticks that read as plain numbers."""
    found = list(values)
    if not found:
        return
    low, high = min(found), max(found)
    ticks = log_ticks(low, high)
    if len(ticks) < 3:  # a short curve may fall between two of the usual ticks
        digits = 2 if high > 1.2 * low else 3
        ticks = sorted({float(f"{low * (high / low) ** (step / 4):.{digits}g}") for step in range(5)})
    figure.update_yaxes(
        type="log", title_text=title, tickvals=ticks, ticktext=[tick_text(tick) for tick in ticks], **where
    )
