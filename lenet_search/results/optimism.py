"""How optimistic the values of a search are: each was measured once, and the best one was selected for being high."""

import optuna

from lenet_search.look.shrinkage import shrunk
from lenet_search.results.best import complete_trials, metric_of
from lenet_search.storage.trials import run_of


def shrunk_values(study: optuna.Study) -> dict[int, float]:
    """By trial number, the accuracy to expect of each complete trial's model on new images.

    Takes into account that validation images are a sample, not that another seed gives another model: a search does
    not measure that. Empty for metrics other than accuracy, whose noise a trial does not tell.
    """
    trials = complete_trials(study)
    if metric_of(study) != "val_accuracy" or not trials:
        return {}
    values = [float(trial.value or 0.0) for trial in trials]
    noise = values[0] * (1.0 - values[0]) / int(run_of(trials[0]).images["validation"])
    return {trial.number: value for trial, value in zip(trials, shrunk(values, noise), strict=True)}
