"""The page of an ablation: a waterfall or bars, with the table behind it."""

import json
from html import escape
from pathlib import Path

import plotly.graph_objects as go

from lenet_search.experiments.ablate import Ablation
from lenet_search.look.intervals import is_share
from lenet_search.look.page import data_table, heading, page, picture
from lenet_search.look.theme import GRAY, METRICS, PALETTE, SOFT, name_text, titled
from lenet_search.whole import replace_text

COLUMNS = ("choice of the winner", "what it brings, 95 % interval", "n", "verdict")
VERDICT_COLORS = {"helps": PALETTE[0], "harms": PALETTE[1]}  # all others are gray


def cells(ablation: Ablation) -> list[tuple[str, str, str, str]]:
    """The table's rows: the choice, its difference in points (or in nats), n, verdict."""
    return [
        (step.choice.words(), _amount(ablation, step.brings.mean, step.brings.low, step.brings.high),
         str(step.brings.n), step.verdict())
        for step in ablation.steps
    ]  # fmt: skip


def _amount(ablation: Ablation, mean: float, low: float | None, high: float | None) -> str:
    factor, digits = (100.0, 2) if is_share(ablation.metric) else (1.0, 4)
    if mean != mean:
        return "-"
    bounds = "" if low is None or high is None else f" ({factor * low:+.{digits}f} to {factor * high:+.{digits}f})"
    return f"{factor * mean:+.{digits}f}{bounds}"


def ablation_figure(ablation: Ablation) -> go.Figure:
    """What each choice brings, with its interval: a waterfall from reference to winner on a path, else bars."""
    shown = METRICS[ablation.metric]
    unit = "percentage points" if shown.unit == "%" else shown.unit
    title = f"What each choice brings: {name_text(ablation.study, 60)}"
    steps = [step for step in ablation.steps if step.brings.n]
    names = [name_text(step.choice.words(), 40) for step in steps]
    colors = [VERDICT_COLORS.get(step.verdict(), GRAY) for step in steps]
    means = [shown.factor * step.brings.mean for step in steps]
    halves = [
        0.0 if step.brings.high is None else shown.factor * (step.brings.high - step.brings.mean) for step in steps
    ]
    figure = go.Figure()
    start = 0.0
    if ablation.path and ablation.reference.value is not None:
        start = shown.factor * ablation.reference.value
    starts = [start + sum(means[:place]) for place in range(len(means))] if ablation.path else [0.0] * len(means)
    figure.add_bar(
        orientation="h", y=names, x=means, base=starts, marker={"color": colors},
        error_x={"type": "data", "array": halves, "thickness": 1.5, "width": 4},
        customdata=[f"{amount}<br>{verdict}" for _, amount, _, verdict in cells(ablation) if amount != "-"],
        hovertemplate="%{y}<br>%{customdata}<extra></extra>", showlegend=False,
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    if ablation.path:
        figure.update_xaxes(title_text=shown.title)
        how = (
            f"from the reference ({ablation.reference.figure()}) to the winner ({ablation.winner.figure()}), best first"
        )
    else:
        figure.update_xaxes(title_text=unit)
        figure.add_vline(x=0.0, line={"color": SOFT, "width": 1.5})
        how = "the winner with the choice minus the winner without it"
    n = min((step.brings.n for step in steps), default=0)
    titled(figure, title, f"{how}; n = {n} paired seeds, 95 % intervals", height=max(320, 170 + 44 * len(steps)))
    return figure


def write_ablation(ablation: Ablation, folder: Path) -> list[Path]:
    """Write ablation.json and ablation.html, or path.json and path.html."""
    folder.mkdir(parents=True, exist_ok=True)
    name = "path" if ablation.path else "ablation"
    label = METRICS[ablation.metric].label
    gain = ""
    if ablation.gain is not None and ablation.gain.n:
        amount = _amount(ablation, ablation.gain.mean, ablation.gain.low, ablation.gain.high)
        gain = f" Winner {ablation.winner}, reference {ablation.reference}: {amount}, n = {ablation.gain.n}."
    title, quick = f"Ablation of {ablation.study}", ablation.quick
    parts = [
        *heading(title, quick, [ablation.verdict()], f"{label[0].upper()}{label[1:]}.{gain}"),
        picture("ablation", quick.figure(ablation_figure(ablation))),
        f"<section>{data_table(COLUMNS, [[escape(cell) for cell in row] for row in cells(ablation)], frozenset({2}))}"
        '<p class="small">Differences are paired by seed; verdicts hold at 5 % over all choices together (Holm).</p>'
        "</section>",
    ]
    machine, pictures = folder / f"{name}.json", folder / f"{name}.html"
    replace_text(machine, json.dumps(ablation.summary(), indent=2, allow_nan=False) + "\n")
    replace_text(pictures, page(quick.title(title), parts))
    return [machine, pictures]
