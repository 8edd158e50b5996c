"""Plots of a search: history, parallel coordinates and slices, as interactive plotly figures."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import plotly.graph_objects as go
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from plotly.subplots import make_subplots

from lenet_search.look.theme import (
    GRID,
    METRICS,
    PALETTE,
    SOFT,
    axis_label,
    log_ticks,
    note,
    tick_text,
    titled,
    value_text,
)
from lenet_search.results.best import complete_trials, metric_of, ordered

ABSENT = "none"  # marks trials without this hyperparameter
NOTHING_YET = "No trial is complete yet."


def history_figure(study: optuna.Study) -> go.Figure:
    """Scatter plot of every trial's value in order, pruned ones at their last epoch, with the best value so far."""
    metric, title = METRICS[metric_of(study)], "Optimization history"
    complete = sorted(complete_trials(study), key=lambda trial: trial.number)
    pruned = [(trial, *_last_report(trial)) for trial in study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))]
    shown = [(trial, epoch, value) for trial, epoch, value in pruned if math.isfinite(value)]
    if not complete and not shown:
        return note(title, NOTHING_YET)
    better = np.maximum if study.direction == StudyDirection.MAXIMIZE else np.minimum
    values = np.array([trial.value for trial in complete], dtype=float) * metric.factor
    figure = go.Figure()
    figure.add_scatter(
        x=[trial.number for trial, _, _ in shown],
        y=[value * metric.factor for _, _, value in shown],
        customdata=[epoch for _, epoch, _ in shown],
        mode="markers",
        name="pruned, at its last epoch",
        marker={"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": "#9aa5b1"}},
        hovertemplate="trial %{x}: %{y:.2f}, pruned after epoch %{customdata}<extra></extra>",
    )
    figure.add_scatter(
        x=[trial.number for trial in complete],
        y=values,
        mode="markers",
        name="complete",
        marker={"size": 8, "color": PALETTE[0], "opacity": 0.75},
        hovertemplate="trial %{x}: %{y:.2f}<extra></extra>",
    )
    figure.add_scatter(
        x=[trial.number for trial in complete],
        y=better.accumulate(values) if len(values) else [],
        mode="lines",
        name="best so far",
        line={"shape": "hv", "color": PALETTE[1], "width": 2.5},
        hovertemplate="best so far: %{y:.2f}<extra></extra>",
    )
    counts = f"{len(complete)} complete and {len(pruned)} pruned trials, in the order they started"
    titled(figure, title, counts, height=480)
    figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"})
    figure.update_xaxes(title_text="trial")
    return figure.update_yaxes(title_text=metric.title)


def _last_report(trial: FrozenTrial) -> tuple[int, float]:
    epoch = trial.last_step
    return (0, math.nan) if epoch is None else (epoch, trial.intermediate_values[epoch])


def parallel_figure(study: optuna.Study) -> go.Figure:
    """Parallel coordinates: one line per complete trial, through its hyperparameters to its value; dark is best."""
    metric, title = METRICS[metric_of(study)], "Parallel coordinates"
    trials = complete_trials(study)
    if not trials:
        return note(title, NOTHING_YET)
    values = np.array([trial.value for trial in trials]) * metric.factor
    maximize = study.direction == StudyDirection.MAXIMIZE
    spreads = _distributions(trials)
    dimensions = [
        _dimension(path, spread, [trial.params.get(path) for trial in trials]) for path, spread in spreads.items()
    ]
    dimensions.append({"label": f"<b>{metric.title.replace(' ', '<br>', 1)}</b>", "values": values})
    worst, best = np.quantile(values, [0.1, 1.0] if maximize else [0.9, 0.0])  # one bad trial must not set the scale
    lines = go.Parcoords(
        dimensions=dimensions,
        labelside="top",
        labelfont={"size": 11},
        tickfont={"size": 11},
        rangefont={"size": 1, "color": "rgba(0,0,0,0)"},  # redundant with the ticks
        line={
            "color": values,
            "colorscale": "Viridis_r" if maximize else "Viridis",
            "cmin": min(worst, best),
            "cmax": max(worst, best),
            "showscale": True,
            "colorbar": {"title": {"text": metric.unit}, "thickness": 14, "len": 0.9},
        },
    )
    subtitle = f"{len(trials)} complete trials; drag along an axis to select lines; '{ABSENT}': not part of the recipe"
    figure = titled(go.Figure(lines), title, subtitle, height=560)
    # Labels are legible on axes about 100 pixels apart; a narrower page scrolls horizontally
    return figure.update_layout(
        margin={"l": 110, "r": 50, "t": 160, "b": 40}, meta={"min_width": len(dimensions) * 112}
    )


def _distributions(trials: Sequence[FrozenTrial]) -> dict[str, BaseDistribution]:
    """Every searched hyperparameter, in the order of `FIELDS`."""
    return ordered({path: spread for trial in trials for path, spread in trial.distributions.items()})


def _dimension(path: str, spread: BaseDistribution, values: Sequence[Any]) -> dict[str, Any]:
    """One axis. Trials without this hyperparameter pass through a mark below the smallest value."""
    places, ticks, texts = _places(spread, values)
    known = [place for place in places if place is not None]
    low, high = min([*known, *ticks]), max([*known, *ticks])
    if len(known) < len(places):
        below = low - 0.15 * ((high - low) or 1.0)
        ticks, texts, low = [below, *ticks], [ABSENT, *texts], below
        places = [below if place is None else place for place in places]
    return {
        "label": _broken(path),
        "values": places,
        "tickvals": ticks,
        "ticktext": texts,
        "range": [low, high if high > low else low + 1.0],
    }


def _broken(path: str) -> str:
    """The name in two lines, since axes are closer together than names are long. A third line would hide a tick."""
    section, dot, _ = path.rpartition(".")
    return f"{section}{dot}<br>{axis_label(path).removeprefix(section + dot)}"


def _places(spread: BaseDistribution, values: Sequence[Any]) -> tuple[list[float | None], list[float], list[str]]:
    """Positions of values on a linear axis (logarithms, or the index of a choice), with ticks and their labels."""
    if isinstance(spread, CategoricalDistribution):
        names = list(spread.choices)
        places = [None if value is None else float(names.index(value)) for value in values]
        return places, [float(i) for i in range(len(names))], [value_text(name) for name in names]
    low, high = float(spread.low), float(spread.high)  # type: ignore[attr-defined]
    if spread.log:  # type: ignore[attr-defined]
        marks = log_ticks(low, high)
        places = [None if value is None else math.log10(value) for value in values]
        return places, [math.log10(mark) for mark in marks], [tick_text(mark) for mark in marks]
    marks = [low + (high - low) * i / 4 for i in range(5)] if high - low > 4 or isinstance(spread.low, float) else []  # type: ignore[attr-defined]
    marks = marks or [float(i) for i in range(int(low), int(high) + 1)]
    return [None if value is None else float(value) for value in values], marks, [tick_text(mark) for mark in marks]


def slices_figure(study: optuna.Study) -> go.Figure:
    """Scatter plots of the value against each hyperparameter; later trials are darker."""
    metric, title = METRICS[metric_of(study)], "Slices"
    trials = complete_trials(study)
    spreads = _distributions(trials)
    if not spreads:
        return note(title, NOTHING_YET if not trials else "This study searched no hyperparameters.")
    columns = min(3, len(spreads))
    rows = math.ceil(len(spreads) / columns)
    height = 130 + 280 * rows
    figure = make_subplots(
        rows, columns, shared_yaxes=True, horizontal_spacing=0.035, vertical_spacing=min(0.3, 95 / height)
    )
    last = max(trial.number for trial in trials)
    for place, (path, spread) in enumerate(spreads.items()):
        row, column = place // columns + 1, place % columns + 1
        with_it = [trial for trial in trials if path in trial.params]
        figure.add_trace(_slice(path, spread, with_it, metric.factor, last, showscale=place == 0), row, column)
        figure.update_xaxes(title_text=axis_label(path), row=row, col=column)
        if isinstance(spread, CategoricalDistribution):
            names = [value_text(name) for name in spread.choices]
            figure.update_xaxes(
                tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.5], showgrid=False,
                row=row, col=column,
            )  # fmt: skip
        elif spread.log:  # type: ignore[attr-defined]
            marks = log_ticks(spread.low, spread.high)  # type: ignore[attr-defined]
            figure.update_xaxes(
                type="log", tickvals=marks, ticktext=[tick_text(mark) for mark in marks], row=row, col=column
            )
        if column == 1:
            figure.update_yaxes(title_text=metric.title, row=row, col=column)
    titled(figure, title, f"each point is one of {len(trials)} complete trials; later trials are darker", height)
    return figure.update_layout(showlegend=False)


def _slice(
    path: str, spread: BaseDistribution, trials: Sequence[FrozenTrial], factor: float, last: int, *, showscale: bool
) -> go.Scatter:
    values = [trial.params[path] for trial in trials]
    at = values
    if isinstance(spread, CategoricalDistribution):  # jitter horizontally (golden ratio) to separate the points
        at = [
            spread.choices.index(value) + 0.5 * ((trial.number * 0.618034) % 1.0 - 0.5)
            for value, trial in zip(values, trials, strict=True)
        ]
    return go.Scatter(
        x=at,
        y=[(trial.value or 0.0) * factor for trial in trials],
        customdata=[(trial.number, value_text(value)) for trial, value in zip(trials, values, strict=True)],
        mode="markers",
        marker={
            "size": 7,
            "color": [trial.number for trial in trials],
            "colorscale": [[0.0, "#b9d9ee"], [1.0, "#003f66"]],
            "cmin": 0,
            "cmax": max(last, 1),
            "line": {"width": 0.5, "color": GRID},
            "showscale": showscale,
            "colorbar": {
                "title": {"text": "trial", "font": {"color": SOFT}},
                "thickness": 14,
                "lenmode": "pixels",
                "len": 220,
                "y": 1,
                "yanchor": "top",
            },
        },
        hovertemplate=f"trial %{{customdata[0]}}: %{{y:.2f}}<br>{path} = %{{customdata[1]}}<extra></extra>",
    )
