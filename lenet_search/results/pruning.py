"""What the search pruned: how many trials after which epoch, and the epochs that this saved."""

from collections import Counter
from dataclasses import dataclass

import optuna
import plotly.graph_objects as go
from optuna.trial import TrialState

from lenet_search.look.theme import GRAY, PALETTE, titled, whole_axis
from lenet_search.look.words import counted
from lenet_search.storage.trials import carries_run, runs_of

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Pruning:
    """The trials that ended, without those of other tools.

    ended            complete and pruned trials
    pruned           by epoch, how many the pruner stopped after it
    failed           by epoch, how many stopped by themselves after it: they diverged or could not be trained
    epochs, planned  epochs that all of them trained, and would have trained to the end
    """

    ended: int
    pruned: Counter[int]
    failed: Counter[int]
    epochs: int
    planned: int

    @property
    def stopped(self) -> int:
        """How many trials did not come to their end."""
        return self.pruned.total() + self.failed.total()

    def words(self) -> str:
        """The result in a sentence."""
        stopped = self.pruned.total()
        if not stopped:
            return f"No trial was pruned; {counted(self.ended, 'trial')} trained {counted(self.epochs, 'epoch')}."
        saved = self.planned - self.epochs
        return (
            f"The pruner stopped {stopped:,} of {counted(self.ended, 'trial')}, which saved {saved:,} of "
            f"{counted(self.planned, 'epoch')} ({100 * saved / self.planned:.0f} %)."
        )


def pruning(study: optuna.Study) -> Pruning:
    """What was pruned, from the stored trials. Epochs that a trial which diverged did not train are not planned."""
    pruned: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    ended = epochs = planned = 0
    for trial in study.get_trials(deepcopy=False, states=ENDED):
        if not carries_run(trial):
            continue
        runs = runs_of(trial)
        trained, longest = sum(run.epochs for run in runs), max(run.epochs for run in runs)
        ended += 1
        epochs += trained
        stopped_itself = trial.state == TrialState.PRUNED and (any(run.diverged for run in runs) or not trained)
        planned += trained if stopped_itself else sum(max(run.epochs, run.recipe.train.epochs) for run in runs)
        if trial.state == TrialState.PRUNED:
            (failed if stopped_itself else pruned)[longest] += 1
    return Pruning(ended, pruned, failed, epochs, planned)


def pruning_figure(found: Pruning) -> go.Figure:
    """Bars: how many trials were pruned after each epoch, and how many diverged. Expects one or more."""
    figure = go.Figure()
    for name, counts, color in (
        ("stopped by the pruner", found.pruned, PALETTE[0]),
        ("diverged, or could not be trained", found.failed, GRAY),
    ):
        if counts:
            epochs = sorted(counts)
            figure.add_bar(
                x=epochs,
                y=[counts[epoch] for epoch in epochs],
                name=name,
                marker={"color": color},
                hovertemplate=f"%{{y}} {name} after epoch %{{x}}<extra></extra>",
            )
    titled(figure, "Pruning", found.words(), height=360)
    figure.update_layout(barmode="stack", showlegend=True, margin={"b": 110})
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"})
    last = max([*found.pruned, *found.failed])
    figure.update_xaxes(title_text="epochs trained", **whole_axis(0 if 0 in found.failed else 1, max(2, last)))
    figure.update_xaxes(range=[-0.5 if 0 in found.failed else 0.5, max(2, last) + 0.5])
    most = max((found.pruned + found.failed).values())
    return figure.update_yaxes(title_text="trials", **whole_axis(0, most, most=6) | {"range": [0, 1.1 * most]})
