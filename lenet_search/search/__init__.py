"""The search: a parent that owns the Optuna study, and workers that train its trials.

Other packages need only `run`; a `View` shows its progress. Workers import this package, too, so it stays light: only
the parent's files import Optuna, and only the worker's import the engine.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from lenet_search.crew import FREEZE_EVERY
from lenet_search.crew.places import Slots, slots_of
from lenet_search.crew.signals import Interrupted
from lenet_search.look.progress import Best, Progress, Running, Silent, Standing, View
from lenet_search.search.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable

    import optuna

    from lenet_search.study import Definition

    Conclude = Callable[[optuna.Study, Summary, Callable[[], bool]], None]

__all__ = ["Best", "Interrupted", "Progress", "Running", "Silent", "Standing", "Summary", "View", "run"]


def run(
    definition: "Definition",
    *,
    storage: str | None = None,
    trials: int | None = None,
    timeout: float | None = None,
    workers: int | None = None,
    slots: Slots = None,
    data_folder: Path | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: View | None = None,
    conclude: "Conclude | None" = None,
) -> Summary:
    """Search until the study has `trials` trials, including those of earlier runs and other machines, or time is up.

    Args:
        definition: the study
        storage: journal file or Optuna URL; else LENET_SEARCH_STORAGE, else lenet-search.journal
        trials: total number of trials; else the definition's
        timeout: seconds for this run; else the definition's
        workers: number of processes; else one per GPU, or one per core
        slots: trials side by side in each worker; "auto" measures the best number; else by device
        data_folder: folder searched for NAME.npz or NAME/ before downloading
        freeze_every: seconds between two copies of each running trial's state, from which it resumes if its worker or
            this process is killed; copies take at most 2 % of the time
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; None: nowhere
        conclude: called at the end with the study, the summary, and a function that says whether to be quick

    Raises:
        DefinitionChanged: the storage contains another study of this name.
        ValueError: `slots` is neither "auto" nor a number of slots.
        DataError: images are missing or damaged.
        RunError: the storage cannot be opened, or workers keep dying.
        Interrupted: by Ctrl-C, SIGTERM, SIGHUP or SIGUSR1; running trials are frozen, and the same call resumes them.
    """
    from lenet_search.search.search import search

    return search(
        definition,
        storage=storage,
        trials=definition.trials if trials is None else trials,
        timeout=definition.timeout if timeout is None else timeout,
        workers=workers,
        slots=slots_of(slots),
        data_folder=data_folder,
        freeze_every=freeze_every,
        ray=ray,
        view=view or Silent(),
        conclude=conclude or (lambda study, summary, stopped: None),
    )
