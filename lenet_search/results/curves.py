"""Learning curves of the best trials and of a confirmation, as figures and as CSV."""

from collections.abc import Mapping, Sequence

import optuna
import plotly.graph_objects as go
from optuna.trial import FrozenTrial
from plotly.subplots import make_subplots

from lenet_search.look.by_epoch import add_curves, focus, measured
from lenet_search.look.stacked import stacked
from lenet_search.look.theme import (
    METRICS,
    PALETTE,
    log_ticks,
    note,
    tick_text,
    titled,
    value_text,
    whole_axis,
)
from lenet_search.look.words import counted
from lenet_search.results.best import NOTHING_YET, complete_trials, metric_of, ordered
from lenet_search.run import Run, curves_csv
from lenet_search.storage.confirmed import read_confirmed
from lenet_search.storage.trials import has_several_runs, run_of, runs_of

PANELS = ("val_accuracy", "train_accuracy", "val_loss", "train_loss", "learning_rate")
MOST = len(PALETTE)  # recipes of a confirmation that are shown, each in a color


def curves_figure(study: optuna.Study, top: int = 5) -> go.Figure:
    """Accuracy, loss and learning rate by epoch for the best `top` complete trials; mean and band of several seeds."""
    title = "Learning curves of the best trials"
    trials = complete_trials(study)[:top]
    if not trials:
        return note(title, NOTHING_YET)
    metric = METRICS[metric_of(study)]
    figure = make_subplots(3, 2, horizontal_spacing=0.09, vertical_spacing=0.09, specs=[[{}, {}], [{}, {}], [{}, None]])
    for trial, color in zip(trials, PALETTE, strict=False):
        name = f"trial {trial.number}: {metric.text(trial.value or 0.0)}"
        recipe = "".join(f"<br>{path} = {value_text(value)}" for path, value in ordered(trial.params).items())
        _add(figure, runs_of(trial), PANELS, name, color, columns=2, about=recipe)
    several = max(len(runs_of(trial)) for trial in trials)
    _name_axes(figure, PANELS, [run for trial in trials for run in runs_of(trial)], columns=2)
    rates = [rate for trial in trials for rate in run_of(trial).curve["learning_rate"] if rate > 0]
    ticks = log_ticks(min(rates), max(rates)) if rates else []
    figure.update_yaxes(type="log", tickvals=ticks, ticktext=[tick_text(tick) for tick in ticks], row=3, col=1)
    what = f"the best {len(trials)} complete trials" if len(trials) > 1 else "the only complete trial"
    if several > 1:
        what += f", means of {several} seeds with 95 % intervals"
    titled(figure, title, f"{what}; hover over a line to see its recipe, click a name to hide it", height=980)
    narrow = stacked(figure, below=40 + 22 * len(trials)) | {
        "legend.x": 0, "legend.y": 0, "legend.yref": "container", "legend.yanchor": "bottom",
    }  # fmt: skip
    return figure.update_layout(
        meta={"min_width": 640, "narrow": narrow},
        legend={
            "x": 0.58,
            "y": 0.2,
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "top",
            "title": {"text": "value after the last epoch"},
        },
    )


def confirmed_curves_figure(study: optuna.Study, runs: Mapping[str, Sequence[Run]]) -> go.Figure:
    """Validation accuracy and loss by epoch of the recipes of a confirmation, with bands over their fresh seeds.

    Args:
        study: a study that is confirmed
        runs: one or more recipes with their runs, the leader first, as `chosen.confirmed_runs` returns them
    """
    confirmed = read_confirmed(study) or {}
    shown = [name for name in runs if name in (confirmed["winner"], "reference")]
    shown += [name for name in runs if name not in shown][: MOST - len(shown)]
    panels = ("val_accuracy", "val_loss")
    figure = make_subplots(1, 2, horizontal_spacing=0.09)
    for name, color in zip(shown, PALETTE, strict=False):
        said = (
            f"{name}, {'chosen' if len(confirmed['tied']) > 1 else 'the winner'}"
            if name == confirmed["winner"]
            else name
        )
        _add(figure, runs[name], panels, said, color, columns=2)
    every = [run for name in shown for run in runs[name]]
    _name_axes(figure, panels, every, columns=2)
    for column, panel in enumerate(panels, 1):
        figure.update_yaxes(range=focus(every, measured(panel)), row=1, col=column)
    rest = f"; {len(runs) - len(shown)} more are not shown" if len(runs) > len(shown) else ""
    lost = sum(len(row["seeds"]) for row in confirmed["recipes"]) - sum(map(len, runs.values()))
    missing = f"; {counted(lost, 'run')} of the confirmation missing on this machine" if lost else ""
    how = f"means over fresh seeds with 95 % intervals as bands; click a name to hide it{rest}{missing}"
    titled(figure, "Learning curves on fresh seeds", how, height=480)
    figure.update_layout(margin={"b": 110})
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"})
    return figure.update_layout(meta={"min_width": 640, "narrow": stacked(figure, below=24 * len(shown))})


def _add(
    figure: go.Figure,
    runs: Sequence[Run],
    panels: Sequence[str],
    name: str,
    color: str,
    *,
    columns: int,
    about: str = "",
) -> None:
    for place, panel in enumerate(panels):
        add_curves(
            figure, runs, measured(panel), name, color, seeds=False, legend=not place, about=about,
            row=place // columns + 1, col=place % columns + 1,
        )  # fmt: skip


def _name_axes(figure: go.Figure, panels: Sequence[str], runs: Sequence[Run], *, columns: int) -> None:
    figure.update_xaxes(title_text="epoch", **whole_axis(1, max(run.epochs for run in runs)))
    for place, panel in enumerate(panels):
        figure.update_yaxes(title_text=METRICS[panel].title, row=place // columns + 1, col=place % columns + 1)


def curves_table(study: optuna.Study, top: int = 5) -> str:
    """The curves of the best trials as CSV: a line for each trial and epoch."""
    trials = complete_trials(study)[:top]
    return curves_csv("trial", ((_name(trial, run), run.curve) for trial in trials for run in runs_of(trial)))


def _name(trial: FrozenTrial, run: Run) -> str:
    """'12', or '12, seed 345' for one of several runs of a trial."""
    return f"{trial.number}, seed {run.seed}" if has_several_runs(trial) else str(trial.number)
