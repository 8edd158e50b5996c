"""How the search went: counts, history, expected best, pruning, and where it looked."""

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape

import optuna
from optuna.trial import FrozenTrial

from lenet_search.look.lines import duration
from lenet_search.look.page import card, key_figures
from lenet_search.results.best import passed_over
from lenet_search.results.expected_best_figure import expected_best_figure
from lenet_search.results.figures import history_figure
from lenet_search.results.parallel import axes_to_choose, parallel_figure
from lenet_search.results.pruning import pruning, pruning_figure
from lenet_search.storage.trials import carries_run, runs_of


def searched_part(study: optuna.Study, draw: Callable[..., str]) -> list[str]:
    """The cards of this part. `draw` makes a section of a name, a figure and what follows it."""
    foreign = passed_over(study)
    return [
        key_figures(_figures(study)),
        *([f'<p class="lead">{escape(foreign)}</p>'] if foreign else []),
        draw("history", history_figure(study)),
        draw("expected-best", expected_best_figure(study)),
        _pruning(study, draw),
        draw("parallel", parallel_figure(study), axes_to_choose(study)),
    ]


def _pruning(study: optuna.Study, draw: Callable[..., str]) -> str:
    found = pruning(study)
    return draw("pruning", pruning_figure(found)) if found.stopped else card("Pruning", f"<p>{found.words()}</p>")


def _figures(study: optuna.Study) -> list[tuple[str, str, str]]:
    trials = study.get_trials(deepcopy=False)
    states = Counter(trial.state.name for trial in trials)
    counts = f"{states['COMPLETE']} complete, {states['PRUNED']} pruned, {states['FAIL']} failed"
    for state in ("RUNNING", "WAITING"):
        counts += f", {states[state]} {state.lower()}" if states[state] else ""
    found = pruning(study)
    seconds = sum(run.seconds for trial in trials if carries_run(trial) for run in runs_of(trial))
    return [
        (f"{len(trials):,}", "trials", counts),
        (f"{found.epochs:,}", "epochs trained", f"of {found.planned:,} without pruning"),
        (duration(seconds), "training time", "over all trials, without waiting"),
        (_elapsed(trials), "elapsed, first to last trial", ""),
    ]


def _elapsed(trials: Sequence[FrozenTrial]) -> str:
    starts = [trial.datetime_start for trial in trials if trial.datetime_start]
    ends = [trial.datetime_complete for trial in trials if trial.datetime_complete]
    return duration((max(ends) - min(starts)).total_seconds()) if starts and ends else "-"
