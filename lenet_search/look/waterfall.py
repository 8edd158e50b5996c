"""An ablation as a plot and as the rows of a table, from its JSON (`experiments.ablate.Ablation.summary`).

Where all choices are put back one at a time, the plot has bars; where they were made one after the other, a waterfall.
"""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from lenet_search.look.intervals import Estimate, is_share
from lenet_search.look.theme import GRAY, METRICS, PALETTE, SOFT, name_text, titled, value_text

COLUMNS = ("choice of the winner", "what it brings, 95 % interval", "n", "verdict")
HOLM = "Differences are paired by seed; verdicts hold at 5 % over all choices together (Holm)."
VERDICT_COLORS = {"helps": PALETTE[0], "harms": PALETTE[1]}  # all others are gray

Ablated = Mapping[str, Any]


def choice_words(step: Mapping[str, Any]) -> str:
    """'regularize.dropout: 0.1 -> 0.32', and for a branch 'optimizer: adam -> sgd'."""
    path = f"{step['choice']}.kind" if f"{step['choice']}.kind" in step["before"] else step["choice"]
    before, after = value_text(step["before"][path]), value_text(step["after"][path])
    return f"{step['choice']}: {before} \N{RIGHTWARDS ARROW} {after}"


def cells(ablated: Ablated) -> list[tuple[str, str, str, str]]:
    """The table's rows: the choice, its difference in points (or in nats), n, verdict."""
    return [
        (choice_words(step), difference_text(step, ablated["metric"]), str(step["n"]), step["verdict"])
        for step in ablated["steps"]
    ]


def difference_text(found: Mapping[str, Any], metric: str) -> str:
    """`Difference.to_json` in points, or in nats: '+0.52 (+0.10 to +0.94)'; '-' without pairs."""
    factor, digits = (100.0, 2) if is_share(metric) else (1.0, 4)
    mean, low, high = found["mean"], found["low"], found["high"]
    if mean is None:
        return "-"
    bounds = "" if low is None or high is None else f" ({factor * low:+.{digits}f} to {factor * high:+.{digits}f})"
    return f"{factor * mean:+.{digits}f}{bounds}"


def _label(step: Mapping[str, Any]) -> str:
    """The choice for an axis: its values on a line of their own, which does not break at a decimal point."""
    name, _, values = choice_words(step).partition(" ")
    return f"{name_text(name, 26)}<br>{name_text(values, 60)}"


def mean_text(found: Mapping[str, Any], metric: str) -> Estimate:
    """`Estimate.to_json` as an estimate, which prints itself."""
    return Estimate(found["mean"], found["n"], found["low"], found["high"], found["over"], is_share(metric))


def ablation_figure(ablated: Ablated) -> go.Figure:
    """What each choice brings, with its interval: a waterfall from reference to winner on a path, else bars."""
    metric, path = ablated["metric"], ablated["path"]
    shown = METRICS[metric]
    unit = "percentage points" if shown.unit == "%" else shown.unit
    what = "One choice after the other" if path else "What each choice brings"
    title = f"{what}: {name_text(ablated['study'], 60)}"
    steps = [step for step in ablated["steps"] if step["n"]]
    sign = -1.0 if path and not is_share(metric) else 1.0  # a loss falls on its way to the winner
    means = [sign * shown.factor * step["mean"] for step in steps]
    halves = [0.0 if step["high"] is None else shown.factor * (step["high"] - step["mean"]) for step in steps]
    start = shown.factor * (ablated["reference"]["mean"] or 0.0) if path else 0.0
    starts = [start + sum(means[:place]) for place in range(len(means))] if path else [0.0] * len(means)
    figure = go.Figure()
    figure.add_bar(
        orientation="h",
        y=[_label(step) for step in steps],
        x=means,
        base=starts,
        marker={"color": [VERDICT_COLORS.get(step["verdict"], GRAY) for step in steps]},
        error_x={"type": "data", "array": halves, "thickness": 1.5, "width": 4},
        customdata=[f"{difference_text(step, metric)}<br>{step['verdict']}" for step in steps],
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    if path:
        figure.update_xaxes(title_text=shown.title)
        ends = [mean_text(ablated[name], metric).figure() for name in ("reference", "winner")]
        how = f"from the reference ({ends[0]}) to the winner ({ends[1]}), best first"
    else:
        figure.update_xaxes(title_text=unit)
        figure.add_vline(x=0.0, line={"color": SOFT, "width": 1.5})
        how = "the winner with the choice minus the winner without it"
    n = min((step["n"] for step in steps), default=0)
    return titled(figure, title, f"{how}; n = {n} paired seeds, 95 % intervals", height=max(320, 170 + 54 * len(steps)))
