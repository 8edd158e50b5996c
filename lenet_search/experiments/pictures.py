"""Plots of recipes on several seeds: reported accuracy and ours, comparisons in pairs."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lenet_search.experiments.compare import Comparison, Pair
from lenet_search.experiments.result import Result
from lenet_search.look.by_epoch import add_curves, focus, measured
from lenet_search.look.theme import GRAY, INK, METRICS, PALETTE, SOFT, Shown, name_text, titled, whole_axis

ACCURACY = {"val_accuracy": METRICS["val_accuracy"], "test_accuracy": Shown("test accuracy", 100.0, "%", 2)}
DOMAINS = ((0.0, 0.36), (0.44, 0.6), (0.79, 1.0))  # panels of a comparison; the names of pairs precede the last


def claims_figure(results: Sequence[Result]) -> go.Figure:
    """Test accuracies with their intervals beside the reported ones, a panel per data set."""
    by_data: dict[str, list[Result]] = {}
    for result in results:
        if result.mean("test_accuracy").value is not None:
            by_data.setdefault(str(result.images["name"]), []).append(result)
    heights = [len(group) + 1 for group in by_data.values()]
    figure = make_subplots(
        len(by_data), 1, row_heights=heights, vertical_spacing=min(0.3, 2.2 / (sum(heights) + 1)),
        subplot_titles=[f"<b>{name_text(name, 60)}</b>" for name in by_data],
    )  # fmt: skip
    for row, group in enumerate(by_data.values(), start=1):
        group = group[::-1]
        figure.add_trace(_measured(group, first=row == 1), row, 1)
        claims = [(result.task.claim, name_text(result.name)) for result in group]
        shown = [(claim, name) for claim, name in claims if claim is not None and claim.test_accuracy is not None]
        figure.add_scatter(
            x=[100.0 * (claim.test_accuracy or 0.0) for claim, _ in shown],
            y=[name for _, name in shown],
            customdata=[name_text(claim.source, 70) for claim, _ in shown],
            mode="markers",
            name="reported",
            legendgroup="reported",
            showlegend=row == 1 and bool(shown),
            marker={"symbol": "diamond-open", "size": 11, "color": PALETTE[1], "line": {"width": 2}},
            hovertemplate="%{y}: %{x:.2f} % reported<br>%{customdata}<extra></extra>",
            row=row,
            col=1,
        )
        names = [name_text(result.name) for result in group]
        figure.update_yaxes(
            categoryorder="array", categoryarray=names, range=[-0.6, len(names) - 0.4], ticks="", row=row, col=1
        )
    figure.update_xaxes(title_text="test accuracy (%)", row=len(by_data), col=1)
    reported = any(line.name == "reported" and line.x for line in figure.data)
    titled(
        figure,
        "Reported accuracy, and ours" if reported else "Test accuracy",
        "means over seeds with 95 % intervals; the test set was read once per finished model",
        height=200 + 38 * sum(heights),
    )
    figure.update_annotations(font_size=13, font_color=SOFT, x=0.0, xanchor="left")
    return figure.update_layout(
        margin_t=130,
        meta={"min_width": 560},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom"},
    )


def _measured(group: Sequence[Result], *, first: bool) -> go.Scatter:
    means = [result.mean("test_accuracy") for result in group]
    middle = np.array([mean.value for mean in means], float)
    low = np.array([mean.value if mean.low is None else mean.low for mean in means], float)
    high = np.array([mean.value if mean.high is None else mean.high for mean in means], float)
    return go.Scatter(
        x=100.0 * middle,
        y=[name_text(result.name) for result in group],
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


def comparison_figure(comparison: Comparison) -> go.Figure:
    """Learning curves, the result of each seed, and the differences of all pairs with their intervals."""
    shown = ACCURACY[comparison.metric]
    figure = make_subplots(
        1, 3, horizontal_spacing=0.0, column_widths=[0.4, 0.3, 0.3],
        subplot_titles=["validation accuracy by epoch", f"{shown.label} by seed", "differences, 95 % intervals"],
    )  # fmt: skip
    for place, result in enumerate(comparison.results):
        color = PALETTE[place % len(PALETTE)]
        add_curves(figure, result.runs, measured("val_accuracy"), result.name, color, seeds=False, row=1, col=1)
    seeds = sorted({seed for result in comparison.results for seed in result.values(comparison.metric)})
    for seed in seeds:
        values = [result.values(comparison.metric).get(seed) for result in comparison.results]
        figure.add_scatter(
            x=[name_text(result.name) for result in comparison.results],
            y=[None if value is None else shown.factor * value for value in values],
            mode="lines+markers",
            name=f"seed {seed}",
            showlegend=False,
            line={"color": GRAY, "width": 1},
            marker={"size": 7, "color": [PALETTE[i % len(PALETTE)] for i in range(len(values))]},
            hovertemplate=f"seed {seed}, %{{x}}: %{{y:.2f}} %<extra></extra>",
            row=1,
            col=2,
        )
    _add_differences(figure, comparison)
    longest = max(result.task.recipe.train.epochs for result in comparison.results)
    figure.update_xaxes(title_text="epoch", **whole_axis(1, longest), row=1, col=1)
    every = [run for result in comparison.results for run in result.runs]
    figure.update_xaxes(title_text="percentage points", row=1, col=3)
    figure.update_yaxes(title_text=shown.title, row=1, col=2)
    figure.update_yaxes(
        title_text=ACCURACY["val_accuracy"].title, range=focus(every, measured("val_accuracy")), row=1, col=1
    )
    figure.update_yaxes(ticks="", showgrid=False, range=[-0.6, len(comparison.pairs) - 0.4], row=1, col=3)
    figure.update_xaxes(showticklabels=False, ticks="", title_text="recipes, colors as on the left", row=1, col=2)
    for column, domain in enumerate(DOMAINS):
        figure.update_xaxes(domain=domain, row=1, col=column + 1)
        figure.layout.annotations[column].update(x=domain[0], xanchor="left")  # the heading of the panel
    counts = sorted({pair.difference.n for pair in comparison.pairs}) or [0]
    n = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    subtitle = (
        f"n = {n} seed{'' if n == '1' else 's'}, paired; bands are 95 % intervals of the mean over seeds; "
        "a line connects the runs of one seed"
    )
    lines = sum(_pair_text(pair).count("<br>") + 1 for pair in comparison.pairs)
    titled(
        figure,
        name_text(comparison.title, 60),
        subtitle,
        height=max(480, 250 + 17 * lines + 12 * len(comparison.pairs)),
    )
    figure.update_annotations(font_size=13, font_color=SOFT)
    return figure.update_layout(
        margin_t=120,
        margin_b=110,
        meta={"min_width": 1000},
        legend={"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"},
    )


def _pair_text(pair: Pair) -> str:
    return f"{name_text(pair.second)}<br>against {name_text(pair.first)}"


def _add_differences(figure: go.Figure, comparison: Comparison) -> None:
    pairs = comparison.pairs[::-1]
    differences = [pair.difference for pair in pairs]
    figure.add_scatter(
        x=[100.0 * each.mean for each in differences],
        y=[_pair_text(pair) for pair in pairs],
        error_x={
            "type": "data",
            "array": [0.0 if d.high is None else 100.0 * (d.high - d.mean) for d in differences],
            "thickness": 2,
            "width": 5,
        },
        customdata=[f"{pair.difference} points<br>{name_text(pair.verdict(), 60)}" for pair in pairs],
        mode="markers",
        showlegend=False,
        marker={"size": 10, "color": INK},
        hovertemplate="%{customdata}<extra></extra>",
        row=1,
        col=3,
    )
    # Not before the points: plotly draws no line into a panel that is still empty
    figure.add_vline(x=0.0, line={"color": SOFT, "width": 1.5}, row=1, col=3)
