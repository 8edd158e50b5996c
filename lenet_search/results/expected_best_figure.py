"""The expected best value by number of random trials as a plot, beside what the search reached."""

import numpy as np
import optuna
import plotly.graph_objects as go
from optuna.study import StudyDirection

from lenet_search.look.theme import METRICS, PALETTE, note, titled
from lenet_search.results.best import complete_trials, metric_of
from lenet_search.results.expected_best import expected_best

BAND = "rgba(0, 114, 178, 0.18)"  # the first color of the palette


def expected_best_figure(study: optuna.Study) -> go.Figure:
    """The mean best of n random trials with its 90 % band, and the search's best so far."""
    title, found = "Expected best by number of trials", expected_best(study)
    if isinstance(found, str):
        return note(title, found)
    metric = METRICS[metric_of(study)]
    counts = np.arange(1, len(found.mean) + 1)
    figure = go.Figure()
    figure.add_scatter(
        x=np.concatenate([counts, counts[::-1]]),
        y=np.concatenate([found.low, found.high[::-1]]) * metric.factor,
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        hoverinfo="skip",
        name="90 % band",
    )
    figure.add_scatter(
        x=counts,
        y=found.mean * metric.factor,
        mode="lines",
        name="best of n random trials, on average",
        line={"color": PALETTE[0], "width": 2.5},
        hovertemplate="best of %{x} random trials: %{y:.2f} on average<extra></extra>",
    )
    complete = sorted(complete_trials(study), key=lambda trial: trial.number)
    better = np.maximum if study.direction == StudyDirection.MAXIMIZE else np.minimum
    values = np.array([trial.value for trial in complete], dtype=float)
    figure.add_scatter(
        x=[trial.number + 1 for trial in complete],
        y=(better.accumulate(values) if len(values) else values) * metric.factor,
        mode="lines",
        name="this search",
        line={"shape": "hv", "color": PALETTE[1], "width": 2},
        hovertemplate="best of %{x} trials of this search: %{y:.2f}<extra></extra>",
    )
    how = f"from {len(counts)} trials drawn at random; if the curve still rises, more would help"
    titled(figure, title, how, height=480)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"})
    figure.update_layout(margin={"b": 110})
    figure.update_xaxes(title_text="trials")
    return figure.update_yaxes(title_text=metric.title)
