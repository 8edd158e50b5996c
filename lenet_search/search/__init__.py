"""The search: a parent that owns the Optuna study, and workers that train what it asks for.

`run` is all that others need; a `View` shows its progress. Workers import this package too, so it stays light:
Optuna is imported by the parent's files alone, the engine by the worker's.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from lenet_search.crew.crew import FREEZE_EVERY
from lenet_search.crew.places import Slots, slots_of
from lenet_search.crew.signals import Interrupted
from lenet_search.look.progress import Best, Progress, Running, Silent, Standing, View
from lenet_search.search.summary import Summary

if TYPE_CHECKING:
    from lenet_search.study import Definition

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
    view: View | None = None,
) -> Summary:
    """Search until the study has its `trials` (those of earlier runs and other machines count) or the time is up.

    Args:
        definition: the study
        storage: journal file or Optuna URL; else LENET_SEARCH_STORAGE, else lenet-search.journal
        trials: the study's total; else the definition's
        timeout: seconds for this run; else the definition's
        workers: processes; else one per GPU, else one per core
        slots: trials side by side in each worker; "auto" measures what is fastest; else by device
        data_folder: folder searched for NAME.npz before downloading
        freeze_every: seconds between two copies of each running trial's state, from which it resumes if its worker or
            this process is killed; copies never take more than 2 % of the time
        view: where progress is shown; None shows it nowhere

    Raises:
        DefinitionChanged: the storage holds another study of this name.
        ValueError: `slots` is no size.
        DataError: the images cannot be had.
        RunError: the storage cannot be opened, or workers keep dying.
        Interrupted: by Ctrl-C, SIGTERM, SIGHUP or SIGUSR1; what was running is frozen, and the same call resumes it.
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
        view=view or Silent(),
    )
