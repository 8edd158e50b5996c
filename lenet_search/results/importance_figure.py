"""The importance of each hyperparameter as a plot: shares with their intervals, and the verdict."""

import optuna
import plotly.graph_objects as go

from lenet_search.look.theme import INK, PALETTE, name_text, note, titled
from lenet_search.results.importance import importance

READING = "Shares: PED-ANOVA for reaching the best tenth of the trials, fANOVA for the value of any."
LETTERS = 18  # of a name, in one line
FAINT = "#9aa5b1"  # bars of hyperparameters that the verdict does not name


def importance_figure(study: optuna.Study) -> go.Figure:
    """Bars of PED-ANOVA's shares with their 90 % intervals, and fANOVA's as diamonds; what matters has a color."""
    title, found = "Importance of each hyperparameter", importance(study)
    if not found.rows:
        return note(title, found.verdict)
    rows = found.rows[::-1]  # plotly draws from the bottom up
    percent = [100.0 * row.share for row in rows]
    figure = go.Figure()
    figure.add_bar(
        x=percent,
        y=[row.path for row in rows],
        orientation="h",
        name="PED-ANOVA, 90 % interval",
        marker={"color": [PALETTE[0] if row.named else FAINT for row in rows]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100.0 * (row.high - row.share) for row in rows],
            "arrayminus": [100.0 * (row.share - row.low) for row in rows],
            "color": INK,
            "thickness": 1.2,
            "width": 4,
        },
        customdata=[(100.0 * row.low, 100.0 * row.high) for row in rows],
        hovertemplate="%{y}: %{x:.0f} % (%{customdata[0]:.0f} to %{customdata[1]:.0f})<extra>PED-ANOVA</extra>",
    )
    forest = [row for row in rows if row.fanova is not None]
    if forest:
        figure.add_scatter(
            x=[100.0 * (row.fanova or 0.0) for row in forest],
            y=[row.path for row in forest],
            mode="markers",
            name="fANOVA",
            marker={"symbol": "diamond", "size": 8, "color": PALETTE[1]},
            hovertemplate="%{y}: %{x:.0f} %<extra>fANOVA</extra>",
        )
    how = f"{found.verdict} {READING}"
    titled(figure, title, how, height=230 + 40 * len(rows))
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"})
    figure.update_layout(margin={"b": 110})
    figure.update_xaxes(
        title_text="share of the importance (%)",
        range=[0, max(100.0 * row.high for row in rows) * 1.05],
    )
    names = [row.path for row in rows]
    return figure.update_yaxes(
        ticks="", showgrid=False, tickvals=names, ticktext=[name_text(name, LETTERS) for name in names]
    )
