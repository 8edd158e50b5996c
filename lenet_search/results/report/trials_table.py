"""All trials of a study in a table that sorts and filters."""

import math
from html import escape

import optuna
from optuna.trial import FrozenTrial, TrialState

from lenet_search.look.page import card
from lenet_search.look.sortable import sortable_table
from lenet_search.look.theme import METRICS
from lenet_search.look.words import counted
from lenet_search.results.best import estimate_at, metric_of, ordered, validation_images
from lenet_search.results.report.winner import params_html
from lenet_search.storage.trials import REASON, carries_run, runs_of

NUMBERS = frozenset({0, 2, 3, 4, 5})
UNKNOWN = "-"


def trials_table(study: optuna.Study) -> list[str]:
    """The card of this part."""
    name, images = metric_of(study), validation_images(study)
    head = ("trial", "state", METRICS[name].title, "95 % interval", "epochs", "seconds", "hyperparameters")
    rows = [_row(trial, name, images) for trial in study.get_trials(deepcopy=False)]
    if not rows:
        return []
    note = f'<p class="small">{NOTE}</p>'
    return [card(counted(len(rows), "trial"), sortable_table("trials", head, rows, NUMBERS) + note, long=True)]


NOTE = "Trials that were pruned have their last value. Intervals sort by their lower end."


def _row(trial: FrozenTrial, metric: str, images: int) -> list[str]:
    measured, value, bounds = _value(trial), UNKNOWN, UNKNOWN
    if measured is not None:
        value = METRICS[metric].number(measured)
        bounds = estimate_at(trial, measured, metric, images).bounds() or UNKNOWN
    epochs, seconds = UNKNOWN, UNKNOWN
    if carries_run(trial):
        runs = runs_of(trial)
        done, whole = max(run.epochs for run in runs), runs[0].recipe.train.epochs
        epochs = str(done) if done >= whole else f"{done} of {whole}"
        seconds = f"{sum(run.seconds for run in runs):.1f}"
    reason = trial.user_attrs.get(REASON)
    state = trial.state.name.lower() + (f': <span class="small">{escape(str(reason))}</span>' if reason else "")
    return [str(trial.number), state, value, bounds, epochs, seconds, params_html(ordered(trial.params))]


def _value(trial: FrozenTrial) -> float | None:
    """The value of a complete trial, else the last one that it reported; None if there is none, or no finite one."""
    value, step = trial.value if trial.state == TrialState.COMPLETE else None, trial.last_step
    if value is None and step is not None:
        value = trial.intermediate_values[step]
    return value if value is not None and math.isfinite(value) else None
