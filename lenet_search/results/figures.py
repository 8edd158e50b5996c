"""Plots of a search: history and slices, as interactive plotly figures."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import plotly.graph_objects as go
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from plotly.subplots import make_subplots

from lenet_search.look.intervals import Estimate
from lenet_search.look.stacked import stacked
from lenet_search.look.theme import (
    GRAY,
    GRID,
    METRICS,
    PALETTE,
    SOFT,
    Shown,
    axis_label,
    faded,
    log_ticks,
    name_text,
    note,
    tick_text,
    titled,
    value_text,
    whole_axis,
)
from lenet_search.look.words import counted
from lenet_search.results.best import (
    NOTHING_SEARCHED,
    NOTHING_YET,
    complete_trials,
    estimate_at,
    metric_of,
    searched,
    validation_images,
    what_intervals_cover,
)

MOST_BARS = 100  # trials; bars of more run into each other


def history_figure(study: optuna.Study) -> go.Figure:
    """Scatter plot of every trial's value in order, pruned ones at their last epoch, with the best value so far.

    Accuracies have their 95 % intervals: as bars for up to `MOST_BARS` trials; with more, bars would hide the points,
    and a band shows the interval of the best value so far.
    """
    name, title = metric_of(study), "Optimization history"
    metric = METRICS[name]
    every = study.get_trials(deepcopy=False)
    complete = sorted(complete_trials(study), key=lambda trial: trial.number)
    reports = [(trial, *_last_report(trial)) for trial in every if trial.state == TrialState.PRUNED]
    pruned = [(trial, epoch, value) for trial, epoch, value in reports if math.isfinite(value)]
    if not complete and not pruned:
        return note(title, NOTHING_YET)
    images = validation_images(study)
    bars = len(complete) + len(pruned) <= MOST_BARS
    figure = go.Figure()
    early = [estimate_at(trial, value, name, images) for trial, _, value in pruned]
    figure.add_scatter(
        x=[trial.number for trial, _, _ in pruned],
        **_heights(early, metric, GRAY, bars=bars),
        text=[f"pruned after epoch {epoch}" for _, epoch, _ in pruned],
        mode="markers",
        name="pruned, at its last epoch",
        showlegend=bool(pruned),
        marker={"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": GRAY}},
        hovertemplate="trial %{x}: %{customdata}, %{text}<extra></extra>",
    )
    found = [estimate_at(trial, float(trial.value or 0.0), name, images) for trial in complete]
    figure.add_scatter(
        x=[trial.number for trial in complete],
        **_heights(found, metric, PALETTE[0], bars=bars),
        mode="markers",
        name="complete",
        marker={"size": 8, "color": PALETTE[0], "opacity": 0.75},
        hovertemplate="trial %{x}: %{customdata}<extra></extra>",
    )
    sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
    _add_best_so_far(figure, complete, found, metric, sign, band=not bars)
    states = Counter(trial.state for trial in every)
    counts = f"{len(complete)} complete and {states[TrialState.PRUNED]} pruned trials, in the order they started"
    if without := states[TrialState.FAIL] + len(reports) - len(pruned):
        counts += f"; {without} failed or were pruned without a value, and are not shown"
    if found and found[0].bounds():
        counts += f"; {'bars' if bars else 'band'}: 95 % intervals, {what_intervals_cover(found)}"
    titled(figure, title, counts, height=500)
    figure.update_layout(legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"})
    numbers = [trial.number for trial in (*complete, *(trial for trial, _, _ in pruned))]
    figure.update_xaxes(title_text="trial", **whole_axis(min(numbers), max(numbers)))
    return figure.update_yaxes(title_text=metric.title)


def _add_best_so_far(
    figure: go.Figure,
    complete: Sequence[FrozenTrial],
    found: Sequence[Estimate],
    metric: Shown,
    sign: float,
    *,
    band: bool,
) -> None:
    """A step at each trial that is better than all before it and, with `band`, the interval of the best so far."""
    best: list[Estimate] = []
    for each in found:
        better = not best or sign * (each.value or 0.0) > sign * (best[-1].value or 0.0)
        best.append(each if better else best[-1])
    x = [trial.number for trial in complete]
    if band and best and best[0].low is not None:
        for bound, fill in (("low", None), ("high", "tonexty")):
            figure.add_scatter(
                x=x, y=[getattr(each, bound) * metric.factor for each in best], mode="lines",
                line={"shape": "hv", "width": 0}, fill=fill, fillcolor=faded(PALETTE[1], 0.18),
                showlegend=False, hoverinfo="skip",
            )  # fmt: skip
    figure.add_scatter(
        x=x,
        y=[(each.value or 0.0) * metric.factor for each in best],
        customdata=[metric.interval(each) for each in best],
        mode="lines",
        name="best so far",
        line={"shape": "hv", "color": PALETTE[1], "width": 2.5},
        hovertemplate="best so far: %{customdata}<extra></extra>",
    )


def _heights(found: Sequence[Estimate], metric: Shown, color: str, *, bars: bool) -> dict[str, Any]:
    """Values on the y axis, with their text as `customdata` and, with `bars`, thin bars for their intervals."""
    values = [(each.value or 0.0) * metric.factor for each in found]
    high = [metric.factor * each.high for each in found if each.high is not None]
    low = [metric.factor * each.low for each in found if each.low is not None]
    drawn = {"y": values, "customdata": [metric.interval(each) for each in found]}
    if not bars or not high:
        return drawn
    above = [bound - value for bound, value in zip(high, values, strict=True)]
    below = [value - bound for bound, value in zip(low, values, strict=True)]
    look = {"type": "data", "symmetric": False, "thickness": 1, "width": 0, "color": faded(color, 0.4)}
    return drawn | {"error_y": look | {"array": above, "arrayminus": below}}


def _last_report(trial: FrozenTrial) -> tuple[int, float]:
    epoch = trial.last_step
    return (0, math.nan) if epoch is None else (epoch, trial.intermediate_values[epoch])


def slices_figure(study: optuna.Study) -> go.Figure:
    """Scatter plots of the value against each hyperparameter; later trials are darker.

    Accuracies have their 95 % intervals, as bars for up to `MOST_BARS` trials, else on hovering.
    """
    name, title = metric_of(study), "Slices"
    metric = METRICS[name]
    trials = complete_trials(study)
    spreads = searched(trials)
    if not spreads:
        return note(title, NOTHING_SEARCHED if trials else NOTHING_YET)
    columns = min(3, len(spreads))
    rows = math.ceil(len(spreads) / columns)
    height = 130 + 250 * rows
    figure = make_subplots(
        rows, columns, shared_yaxes="all", horizontal_spacing=0.035, vertical_spacing=min(0.3, 95 / height)
    )
    last, images, bars = max(trial.number for trial in trials), validation_images(study), len(trials) <= MOST_BARS
    for place, (path, spread) in enumerate(spreads.items()):
        row, column = place // columns + 1, place % columns + 1
        with_it = [trial for trial in trials if path in trial.params]
        found = [estimate_at(trial, float(trial.value or 0.0), name, images) for trial in with_it]
        heights = _heights(found, metric, GRAY, bars=bars)
        figure.add_trace(_slice(path, spread, with_it, heights | _hover(found, metric)), row, column)
        figure.update_xaxes(title_text=axis_label(path), row=row, col=column)
        if isinstance(spread, CategoricalDistribution):
            names = [name_text(value_text(name), 10) for name in spread.choices]
            figure.update_xaxes(
                tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.5], showgrid=False,
                row=row, col=column,
            )  # fmt: skip
        elif isinstance(spread, IntDistribution) and not spread.log:
            figure.update_xaxes(**whole_axis(spread.low, spread.high, most=6), row=row, col=column)
        elif spread.log:  # type: ignore[attr-defined]
            marks = log_ticks(spread.low, spread.high)  # type: ignore[attr-defined]
            marks = marks[:: math.ceil(len(marks) / 6)]
            figure.update_xaxes(
                type="log", tickvals=marks, ticktext=[tick_text(mark) for mark in marks],
                range=_range(math.log10(spread.low), math.log10(spread.high)), row=row, col=column,  # type: ignore[attr-defined]
            )  # fmt: skip
        else:
            figure.update_xaxes(range=_range(spread.low, spread.high), row=row, col=column)  # type: ignore[attr-defined]
        if column == 1:
            figure.update_yaxes(title_text=metric.title, row=row, col=column)
    reading = f"{counted(len(trials), 'complete trial')}; later trials are darker"
    if found[0].bounds():
        reading += f"; {'bars: 95 % intervals' if bars else 'hover for 95 % intervals'}, {what_intervals_cover(found)}"
    titled(figure, title, reading, height)
    figure.update_layout(showlegend=False, coloraxis=_age(last))
    narrow = stacked(figure) | {"coloraxis.showscale": False}  # the subtitle says what the colors mean
    return figure.update_layout(meta={"min_width": 260 * columns, "narrow": narrow})


def _age(last: int) -> dict[str, Any]:
    """Colors by the number of a trial, up to `last`."""
    return {
        "colorscale": [[0.0, "#b9d9ee"], [1.0, "#003f66"]],
        "cmin": 0,
        "cmax": max(last, 1),
        "showscale": True,
        "colorbar": {
            "title": {"text": "trial", "font": {"color": SOFT}},
            "thickness": 14,
            "lenmode": "pixels",
            "len": 220,
            "y": 1,
            "yanchor": "top",
            "dtick": whole_axis(0, last, most=5)["dtick"],
        },
    }


def _range(low: float, high: float) -> list[float]:
    """An axis from `low` to `high`, with room for the points at its ends."""
    margin = 0.04 * (high - low) or 0.5
    return [low - margin, high + margin]


def _slice(
    path: str,
    spread: BaseDistribution,
    trials: Sequence[FrozenTrial],
    heights: dict[str, Any],
) -> go.Scatter:
    """A panel; `heights` has the values, and in the template how to show one."""
    values = [trial.params[path] for trial in trials]
    if isinstance(spread, CategoricalDistribution):  # jitter horizontally (golden ratio) to separate the points
        names, shown = [value_text(value) for value in values], "%{text}"
        at = [
            spread.choices.index(value) + 0.3 * ((trial.number * 0.618034) % 1.0 - 0.5)
            for value, trial in zip(values, trials, strict=True)
        ]
    else:
        names, shown, at = None, "%{x:.3~g}", values
    hover = f"{heights['hovertemplate']}<br>trial %{{marker.color}}, {path} = {shown}<extra></extra>"
    return go.Scatter(
        x=_compact(at),
        **heights | {"y": _compact(heights["y"]), "hovertemplate": hover},
        text=names,
        mode="markers",
        marker={
            "size": 7,
            "color": np.array([trial.number for trial in trials], np.int32),
            "coloraxis": "coloraxis",
            "line": {"width": 0.5, "color": GRID},
        },
    )


def _hover(found: Sequence[Estimate], metric: Shown) -> dict[str, Any]:
    """How plotly shows a value and, where there is one, its interval."""
    digits = f".{metric.digits}f"
    template = f"%{{y:{digits}}} {metric.unit}"
    bounds = [
        (metric.factor * each.low, metric.factor * each.high)
        for each in found
        if each.low is not None and each.high is not None
    ]
    if len(bounds) < len(found):
        return {"hovertemplate": template, "customdata": None}
    interval = f"(%{{customdata[0]:{digits}}} to %{{customdata[1]:{digits}}})"
    return {"hovertemplate": f"{template} {interval}", "customdata": _compact(bounds)}


def _compact(values: Sequence[Any]) -> np.ndarray:
    """Numbers as plotly writes them in the fewest bytes: a page has them for every trial and hyperparameter."""
    return np.array(values, np.float32)
