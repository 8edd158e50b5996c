"""The models of the trials whose weights are kept, for whoever downloads one from the dashboard."""

from collections.abc import Callable

import optuna

from lenet_search.crew.models import model_files
from lenet_search.results.best import complete_trials
from lenet_search.storage import artifact_folder
from lenet_search.storage.trials import lacks_model, load_weights, run_of, save_model


def keep_models(
    study: optuna.Study, url: str, tell: Callable[[str], None], stopped: Callable[[], bool] = lambda: False
) -> int:
    """Write those that are missing; returns how many were written.

    Args:
        study: in the storage `url`
        url: of the storage, beside which the files lie
        tell: called with a sentence before this takes seconds
        stopped: whether to leave the rest to the next time

    Raises:
        ResultError: weights are damaged.
        RunError: the process that builds models fails.
        OSError: the folder cannot be written to, or the disk is full.
    """
    folder = artifact_folder(url)
    lacking = [trial for trial in complete_trials(study) if lacks_model(folder, trial)]
    if not lacking:
        return 0
    tell("writing the models of the best trials beside their weights")
    loaded = [(trial, load_weights(folder, trial)) for trial in lacking]
    kept = [(trial, weights) for trial, weights in loaded if weights is not None]
    written = 0
    files = model_files([(run_of(trial), weights) for trial, weights in kept], stopped)
    for (trial, _), model in zip(kept, files, strict=False):
        save_model(study._storage, study._study_id, folder, trial, model)
        written += 1
    return written
