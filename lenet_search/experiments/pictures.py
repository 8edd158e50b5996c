"""Plots of recipes on several seeds: reported accuracy and ours, learning curves, errors, comparisons."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lenet_search.experiments.compare import Comparison
from lenet_search.experiments.result import Result
from lenet_search.look.theme import METRICS, PALETTE, SOFT, Shown, log_ticks, tick_text, titled
from lenet_search.run import Run

ACCURACY = {"val_accuracy": METRICS["val_accuracy"], "test_accuracy": Shown("test accuracy", 100.0, "%", 2)}
BAND = 0.15  # opacity
DOMAINS = ((0.0, 0.36), (0.44, 0.6), (0.79, 1.0))  # panels of a comparison; the names of pairs precede the last


def seeds_figure(runs: Sequence[Run], title: str) -> go.Figure:
    """Accuracy and loss by epoch: a line per seed, validation solid, training dotted."""
    figure = make_subplots(1, 2, horizontal_spacing=0.09)
    for place, run in enumerate(runs):
        for column, panel in enumerate(("accuracy", "loss"), 1):
            for part, dash in (("val", "solid"), ("train", "dot")):
                shown = METRICS[f"{part}_{panel}"]
                values = [value * shown.factor for value in run.curve[f"{part}_{panel}"]]
                figure.add_scatter(
                    x=list(range(1, len(values) + 1)),
                    y=values,
                    mode="lines+markers" if len(values) < 2 else "lines",
                    name=f"seed {run.seed}" + (", diverged" if run.diverged else ""),
                    legendgroup=run.seed,
                    showlegend=(column, part) == (1, "val"),
                    line={"color": PALETTE[place % len(PALETTE)], "dash": dash, "width": 2},
                    hovertemplate=f"seed {run.seed}, epoch %{{x}}: {shown.label} %{{y:.{shown.digits}f}}"
                    f" {shown.unit}<extra></extra>",
                    row=1,
                    col=column,
                )
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="accuracy (%)", row=1, col=1)
    figure.update_yaxes(title_text="cross-entropy", row=1, col=2)
    reading = "solid: validation images; dotted: augmented training images; click a seed to hide it"
    return titled(figure, title, reading)


def claims_figure(results: Sequence[Result]) -> go.Figure:
    """Test accuracies with their intervals beside the reported ones, a panel per data set."""
    by_data: dict[str, list[Result]] = {}
    for result in results:
        if result.mean("test_accuracy").value is not None:
            by_data.setdefault(str(result.images["name"]), []).append(result)
    heights = [len(group) + 1 for group in by_data.values()]
    figure = make_subplots(
        len(by_data), 1, row_heights=heights, vertical_spacing=min(0.3, 2.2 / (sum(heights) + 1)),
        subplot_titles=[f"<b>{name}</b>" for name in by_data],
    )  # fmt: skip
    for row, group in enumerate(by_data.values(), start=1):
        group = group[::-1]
        figure.add_trace(_measured(group, first=row == 1), row, 1)
        claims = [(result.task.claim, result.name) for result in group]
        shown = [(claim, name) for claim, name in claims if claim is not None and claim.test_accuracy is not None]
        figure.add_scatter(
            x=[100.0 * (claim.test_accuracy or 0.0) for claim, _ in shown],
            y=[name for _, name in shown],
            customdata=[claim.source for claim, _ in shown],
            mode="markers",
            name="reported",
            legendgroup="reported",
            showlegend=row == 1,
            marker={"symbol": "diamond-open", "size": 11, "color": PALETTE[1], "line": {"width": 2}},
            hovertemplate="%{y}: %{x:.2f} % reported<br>%{customdata}<extra></extra>",
            row=row,
            col=1,
        )
        names = [result.name for result in group]
        figure.update_yaxes(
            categoryorder="array", categoryarray=names, range=[-0.6, len(names) - 0.4], ticks="", row=row, col=1
        )
    figure.update_xaxes(title_text="test accuracy (%)", row=len(by_data), col=1)
    titled(
        figure,
        "Reported accuracy, and ours",
        "means over seeds with 95 % intervals; the test set was read once per finished model",
        height=200 + 34 * sum(heights),
    )
    figure.update_annotations(font_size=13, font_color=SOFT, x=0.0, xanchor="left")
    figure.update_layout(margin_t=120)
    return figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"})


def _measured(group: Sequence[Result], *, first: bool) -> go.Scatter:
    means = [result.mean("test_accuracy") for result in group]
    middle = np.array([mean.value for mean in means], float)
    low = np.array([mean.value if mean.low is None else mean.low for mean in means], float)
    high = np.array([mean.value if mean.high is None else mean.high for mean in means], float)
    return go.Scatter(
        x=100.0 * middle,
        y=[result.name for result in group],
        error_x={
            "type": "data", "symmetric": False, "array": (100.0 * (high - middle)).tolist(),
            "arrayminus": (100.0 * (middle - low)).tolist(),
            "thickness": 2, "width": 5,
        },
        customdata=[f"{mean}, n = {mean.n}" for mean in means],
        mode="markers",
        name="ours",
        legendgroup="ours",
        showlegend=first,
        marker={"size": 10, "color": PALETTE[0]},
        hovertemplate="%{y}: %{customdata}<extra></extra>",
    )  # fmt: skip


def course_figure(result: Result) -> go.Figure:
    """One recipe: accuracy, loss and validation error by epoch; a thin line per seed, a thick one for the mean."""
    figure = make_subplots(1, 3, horizontal_spacing=0.08)
    for column, name in ((1, "accuracy"), (2, "loss")):
        for part, color in (("val", PALETTE[0]), ("train", PALETTE[1])):
            shown = METRICS[f"{part}_{name}"]
            curves = _curves(result, f"{part}_{name}") * shown.factor
            _add_curves(figure, curves, shown, color, "validation" if part == "val" else "training", column)
        figure.update_yaxes(title_text=f"{name} (%)" if name == "accuracy" else "cross-entropy", row=1, col=column)
    errors = 100.0 * (1.0 - _curves(result, "val_accuracy"))
    _add_curves(figure, errors, Shown("validation error", 1.0, "%", 2), PALETTE[0], "", 3)
    _log_axis(figure, errors, row=1, col=3)
    _epoch_axis(figure, [result])
    n = len(result.runs) - result.diverged
    seeds = f"{n} seed{'' if n == 1 else 's'}" + (f", {result.diverged} diverged" if result.diverged else "")
    about = f"{result.task.title.rstrip('.')}; " if result.task.title else ""
    titled(figure, result.name, f"{about}{seeds}; thick lines are means")
    return figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"})


def errors_figure(data: str, results: Sequence[Result]) -> go.Figure:
    """Validation error by epoch of all recipes on one data set, on a logarithmic scale."""
    figure = go.Figure()
    everything = [math.nan]
    for place, result in enumerate(results):
        curves = 100.0 * (1.0 - _curves(result, "val_accuracy"))
        if curves.size:
            mean = curves.mean(axis=0)
            everything += mean.tolist()
            _add_mean(figure, mean, result.name, PALETTE[place % len(PALETTE)], "%", dash=_dash(place))
    _log_axis(figure, np.array(everything))
    _epoch_axis(figure, results)
    subtitle = "means over seeds, on validation images: the test set is not read during training"
    return titled(figure, f"Error by epoch on {data}", subtitle, height=560)


def comparison_figure(comparison: Comparison) -> go.Figure:
    """Learning curves, the result of each seed, and the differences of all pairs with their intervals."""
    shown = ACCURACY[comparison.metric]
    figure = make_subplots(
        1, 3, horizontal_spacing=0.0, column_widths=[0.4, 0.3, 0.3],
        subplot_titles=["validation accuracy by epoch", f"{shown.label} by seed", "differences, 95 % intervals"],
    )  # fmt: skip
    for place, result in enumerate(comparison.results):
        color = PALETTE[place % len(PALETTE)]
        curves = 100.0 * _curves(result, "val_accuracy")
        if curves.size:
            _add_mean(figure, curves.mean(axis=0), result.name, color, "%", row=1, col=1, curves=curves)
    seeds = sorted({seed for result in comparison.results for seed in result.values(comparison.metric)})
    for seed in seeds:
        values = [result.values(comparison.metric).get(seed) for result in comparison.results]
        figure.add_scatter(
            x=[result.name for result in comparison.results],
            y=[None if value is None else shown.factor * value for value in values],
            mode="lines+markers",
            name=f"seed {seed}",
            showlegend=False,
            line={"color": "#9aa5b1", "width": 1},
            marker={"size": 7, "color": [PALETTE[i % len(PALETTE)] for i in range(len(values))]},
            hovertemplate=f"seed {seed}, %{{x}}: %{{y:.2f}} %<extra></extra>",
            row=1,
            col=2,
        )
    _add_differences(figure, comparison)
    _epoch_axis(figure, comparison.results, row=1, col=1)
    figure.update_xaxes(title_text="percentage points", row=1, col=3)
    figure.update_yaxes(title_text=shown.title, row=1, col=2)
    figure.update_yaxes(title_text=ACCURACY["val_accuracy"].title, row=1, col=1)
    figure.update_yaxes(ticks="", showgrid=False, row=1, col=3)
    figure.update_xaxes(showticklabels=False, ticks="", title_text="recipes, colors as on the left", row=1, col=2)
    for column, domain in enumerate(DOMAINS):
        figure.update_xaxes(domain=domain, row=1, col=column + 1)
        figure.layout.annotations[column].update(x=domain[0], xanchor="left")  # the heading of the panel
    n = min((pair.difference.n for pair in comparison.pairs), default=0)
    subtitle = f"n = {n} seed{'' if n == 1 else 's'}, paired; a line connects the runs of one seed"
    titled(figure, comparison.title, subtitle, height=max(460, 300 + 44 * len(comparison.pairs)))
    figure.update_annotations(font_size=13, font_color=SOFT)
    return figure.update_layout(
        margin_t=120, margin_b=110, legend={"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"}
    )


def _add_differences(figure: go.Figure, comparison: Comparison) -> None:
    pairs = comparison.pairs[::-1]
    differences = [pair.difference for pair in pairs]
    figure.add_scatter(
        x=[100.0 * each.mean for each in differences],
        y=[f"{pair.second}<br>against {pair.first}" for pair in pairs],
        error_x={
            "type": "data",
            "array": [0.0 if d.high is None else 100.0 * (d.high - d.mean) for d in differences],
            "thickness": 2,
            "width": 5,
        },
        customdata=[f"{pair.difference} points<br>{pair.verdict()}" for pair in pairs],
        mode="markers",
        showlegend=False,
        marker={"size": 10, "color": "#1f2933"},
        hovertemplate="%{customdata}<extra></extra>",
        row=1,
        col=3,
    )
    # Not before the points: plotly draws no line into a panel that is still empty
    figure.add_vline(x=0.0, line={"color": SOFT, "width": 1.5}, row=1, col=3)


def _curves(result: Result, name: str) -> np.ndarray:
    """(seeds, epochs): the curves of the runs that did not diverge."""
    return np.array([run.curve[name] for run in result.runs if not run.diverged], float)


def _add_curves(figure: go.Figure, curves: np.ndarray, shown: Shown, color: str, part: str, column: int) -> None:
    for curve in curves:
        figure.add_scatter(
            x=list(range(1, len(curve) + 1)), y=curve, mode="lines", line={"color": color, "width": 1},
            opacity=0.35, showlegend=False, legendgroup=part, hoverinfo="skip", row=1, col=column,
        )  # fmt: skip
    if curves.size:
        mean = curves.mean(axis=0)
        figure.add_scatter(
            x=list(range(1, len(mean) + 1)),
            y=mean,
            mode="lines" if len(mean) > 1 else "markers",
            line={"color": color, "width": 3},
            name=part,
            legendgroup=part,
            showlegend=column == 1,
            hovertemplate=f"epoch %{{x}}: mean {shown.label} %{{y:.{shown.digits}f}} {shown.unit}<extra></extra>",
            row=1,
            col=column,
        )


def _add_mean(
    figure: go.Figure,
    mean: np.ndarray,
    name: str,
    color: str,
    unit: str,
    *,
    dash: str = "solid",
    row: int | None = None,
    col: int | None = None,
    curves: np.ndarray | None = None,
) -> None:
    """A mean by epoch; with `curves`, a band from the lowest to the highest of them."""
    x = list(range(1, len(mean) + 1))
    if curves is not None and len(x) > 1:
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*curves.max(axis=0), *curves.min(axis=0)[::-1]], fill="toself", fillcolor=color,
            opacity=BAND, line={"width": 0}, mode="lines", showlegend=False, legendgroup=name, hoverinfo="skip",
            row=row, col=col,
        )  # fmt: skip
    figure.add_scatter(
        x=x,
        y=mean,
        mode="lines" if len(x) > 1 else "markers",
        line={"color": color, "width": 2.5, "dash": dash},
        marker={"color": color, "size": 9},
        name=name,
        legendgroup=name,
        hovertemplate=f"{name}, epoch %{{x}}: %{{y:.2f}} {unit}<extra></extra>",
        row=row,
        col=col,
    )


def _dash(place: int) -> str:
    """The line style, which changes each time the palette is used up."""
    return ("solid", "dash", "dot")[place // len(PALETTE) % 3]


def _epoch_axis(figure: go.Figure, results: Sequence[Result], **where: int) -> None:
    longest = max(result.task.recipe.train.epochs for result in results)
    figure.update_xaxes(title_text="epoch", dtick=1 if longest <= 10 else None, **where)


def _log_axis(figure: go.Figure, errors: np.ndarray, **where: int) -> None:
    positive = errors[np.isfinite(errors) & (errors > 0)]
    ticks = log_ticks(float(positive.min()), float(positive.max())) if positive.size else []
    if len(ticks) < 3 and positive.size:  # a short curve may fall between two of the usual ticks
        ticks = [float(f"{tick:.2g}") for tick in np.geomspace(positive.min(), positive.max(), 5)]
    figure.update_yaxes(
        type="log", title_text="validation error (%)", tickvals=ticks, ticktext=[tick_text(t) for t in ticks], **where
    )
