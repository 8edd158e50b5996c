"""Learning curves of the best trials, as a figure and as CSV."""

import optuna
import plotly.graph_objects as go
from optuna.trial import FrozenTrial
from plotly.subplots import make_subplots

from lenet_search.look.theme import METRICS, PALETTE, log_ticks, note, tick_text, titled, value_text, whole_axis
from lenet_search.results.best import NOTHING_YET, complete_trials, metric_of, ordered
from lenet_search.run import curves_csv
from lenet_search.storage.trials import run_of

PANELS = ("val_accuracy", "train_accuracy", "val_loss", "train_loss", "learning_rate")


def curves_figure(study: optuna.Study, top: int = 5) -> go.Figure:
    """Accuracy, loss and learning rate by epoch for the best `top` complete trials."""
    title = "Learning curves of the best trials"
    trials = complete_trials(study)[:top]
    if not trials:
        return note(title, NOTHING_YET)
    metric = METRICS[metric_of(study)]
    panels = [[PANELS[0], PANELS[1]], [PANELS[2], PANELS[3]], [PANELS[4], ""]]
    figure = make_subplots(3, 2, horizontal_spacing=0.09, vertical_spacing=0.09, specs=[[{}, {}], [{}, {}], [{}, None]])
    for trial, color in zip(trials, _colors(len(trials)), strict=True):
        curve = run_of(trial).curve
        name = f"trial {trial.number}: {metric.text(trial.value or 0.0)}"
        for row, names in enumerate(panels, start=1):
            for column, panel in enumerate(names, start=1):
                if panel:
                    figure.add_trace(_line(trial, name, panel, curve[panel], color), row, column)
                    figure.update_yaxes(title_text=METRICS[panel].title, row=row, col=column)
    figure.update_xaxes(title_text="epoch", **whole_axis(1, max(run_of(trial).epochs for trial in trials)))
    rates = [rate for trial in trials for rate in run_of(trial).curve["learning_rate"] if rate > 0]
    ticks = log_ticks(min(rates), max(rates)) if rates else []
    figure.update_yaxes(type="log", tickvals=ticks, ticktext=[tick_text(tick) for tick in ticks], row=3, col=1)
    what = f"the best {len(trials)} complete trials" if len(trials) > 1 else "the only complete trial"
    titled(figure, title, f"{what}; hover over a line to see its recipe, click a name to hide it", height=980)
    return figure.update_layout(
        meta={"min_width": 640},
        legend={
            "x": 0.58,
            "y": 0.2,
            "xanchor": "left",
            "yanchor": "top",
            "title": {"text": "value after the last epoch"},
        },
    )


def _colors(n: int) -> list[str]:
    return [PALETTE[place % len(PALETTE)] for place in range(n)]


def _line(trial: FrozenTrial, name: str, panel: str, values: list[float], color: str) -> go.Scatter:
    shown = METRICS[panel]
    recipe = "<br>".join(f"{path} = {value_text(value)}" for path, value in ordered(trial.params).items())
    number = ".4g" if panel == "learning_rate" else f".{shown.digits}f"
    return go.Scatter(
        x=list(range(1, len(values) + 1)),
        y=[value * shown.factor for value in values],
        name=name,
        legendgroup=name,
        showlegend=panel == PANELS[0],
        mode="lines+markers" if len(values) < 2 else "lines",
        line={"color": color, "width": 2},
        hovertemplate=f"<b>trial {trial.number}</b>, epoch %{{x}}: %{{y:{number}}}"
        + (f" {shown.unit}" if shown.unit else "")
        + f"<br>{recipe}<extra></extra>",
    )


def curves_table(study: optuna.Study, top: int = 5) -> str:
    """The same curves as CSV: a line for each trial and epoch."""
    return curves_csv("trial", ((trial.number, run_of(trial).curve) for trial in complete_trials(study)[:top]))
