"""How optimistic the values of a search are: each was measured once, and the best one was selected for being high."""

import statistics
from collections.abc import Sequence

import optuna

from lenet_search.look.shrinkage import shrunk
from lenet_search.results.best import complete_trials, metric_of
from lenet_search.storage.trials import run_of, runs_of


def shrunk_values(study: optuna.Study) -> dict[int, float]:
    """By trial number, the accuracy to expect of each complete trial's model on new images.

    Takes into account that validation images are a sample and, where trials have several seeds, that another seed
    gives another model. A search with one seed per trial does not measure that. Empty for metrics other than accuracy,
    whose noise a trial does not tell.
    """
    trials = complete_trials(study)
    if metric_of(study) != "val_accuracy" or not trials:
        return {}
    values = [float(trial.value or 0.0) for trial in trials]
    runs = [[run.curve["val_accuracy"][-1] for run in runs_of(trial)] for trial in trials]
    images = values[0] * (1.0 - values[0]) / int(run_of(trials[0]).images["validation"])
    between = _between_seeds(runs)
    noise = [images + between / len(each) for each in runs]
    return {trial.number: value for trial, value in zip(trials, shrunk(values, noise), strict=True)}


def _between_seeds(runs: Sequence[Sequence[float]]) -> float:
    """The variance between the seeds of a trial, pooled over all trials; 0 if none has several."""
    freedom = sum(len(values) - 1 for values in runs)
    squares = sum(statistics.variance(values) * (len(values) - 1) for values in runs if len(values) > 1)
    return squares / freedom if freedom else 0.0
