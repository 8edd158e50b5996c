"""What follows on a search: the race of the best recipes, the ablation, the report, the last training."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_search.api.inputs import shown
from lenet_search.crew import FREEZE_EVERY

if TYPE_CHECKING:
    import optuna

    from lenet_search.experiments.ablate import Ablation
    from lenet_search.experiments.confirm import Confirmation, Finalist
    from lenet_search.experiments.refit import Refit
    from lenet_search.look.progress import View


def confirm(
    study: "optuna.Study",
    storage: str | None = None,
    finalists: int = 8,
    seeds: int = 16,
    *,
    epochs: int | None = None,
    indifference: float | None = None,
    data: str | Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "Confirmation":
    """Race the best recipes of a study and its reference on fresh seeds, and store the result with the study.

    The reference is the study's first `[[start]]`, else the defaults. Only missing runs are trained.

    Args:
        study: an Optuna study, as `Study.stored` returns it
        storage: its journal file or URL; else LENET_SEARCH_STORAGE, else lenet-search.journal
        finalists: number of recipes, the best of the search
        seeds: seeds of the recipes that stay to the end, 2 or more
        epochs: epochs of every recipe; else those of the search
        indifference: which difference is none; else 0.002 for an accuracy and 0 for a loss
        data: folder searched for NAME.npz before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        ResultError: no trial is complete.
        LenetSearchError: as `lenet_search.experiments.confirm.confirm`.
    """
    from lenet_search.experiments.confirm import INDIFFERENCE
    from lenet_search.experiments.confirm import confirm as race
    from lenet_search.look.intervals import grain_of, is_share
    from lenet_search.results.best import metric_of, validation_images
    from lenet_search.results.dashboard import show
    from lenet_search.storage import resolve
    from lenet_search.storage.confirmed import check_room, runs_folder, write_confirmed

    if finalists < 1 or seeds < 2:
        raise ValueError(f"expected 1 or more finalists and 2 or more seeds; received {finalists} and {seeds}")
    metric, seen = metric_of(study), shown(view)
    check_room(study)
    confirmation = race(
        _finalists(study, finalists, epochs),
        runs_folder(resolve(storage), study.study_name, epochs),
        study=study.study_name,
        metric=metric,
        seeds=seeds,
        view=seen,
        indifference=(INDIFFERENCE if is_share(metric) else 0.0) if indifference is None else indifference,
        grain=grain_of(metric, validation_images(study)),
        epochs=epochs,
        data_folder=None if data is None else Path(data),
        workers=workers,
        freeze_every=freeze_every,
        ray=ray,
    )
    write_confirmed(study, confirmation.summary())
    show(study, resolve(storage), seen.note)
    return confirmation


def ablate(
    study: "optuna.Study",
    seeds: int = 8,
    *,
    path: bool = False,
    epochs: int | None = None,
    out: str | Path | None = None,
    data: str | Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "tuple[Ablation, list[Path]]":
    """Train what each choice of a study's winner brings, and store the result with the study.

    Returns the result and the files written.

    The winner is the confirmed recipe, else that of the best trial; the reference as in `confirm`.

    Args:
        study: an Optuna study, as `Study.stored` returns it
        seeds: runs per variant, 2 or more
        path: go from the reference to the winner one choice after the other, instead of one choice back
        epochs: epochs of every recipe; else those of the confirmation or the search
        out: folder; else ablations/STUDY
        data: folder searched for NAME.npz before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        ResultError: no trial is complete, or the winner is the reference.
        LenetSearchError: as `lenet_search.experiments.ablate.ablate`.
    """
    from lenet_search.errors import ResultError
    from lenet_search.experiments.ablate import ablate as put_back
    from lenet_search.experiments.confirm import FIRST_SEED, MOST_SEEDS
    from lenet_search.experiments.pages import write_ablation
    from lenet_search.results.best import metric_of
    from lenet_search.results.dashboard import show_figures
    from lenet_search.results.finalists import confirmed_epochs, reference_of, winner_of
    from lenet_search.storage.ablated import write_ablated
    from lenet_search.whole import as_name

    if seeds < 2:
        raise ValueError(f"seeds: expected a whole number from 2; received {seeds!r}")
    first = FIRST_SEED + MOST_SEEDS  # none that helped to choose the winner, which would flatter its choices
    winner, reference, seen = winner_of(study), reference_of(study), shown(view)
    if reference is None:
        raise ResultError(f"study {study.study_name!r} has no reference: lenet-search did not create it")
    epochs = epochs or confirmed_epochs(study)
    if epochs is not None:
        winner, reference = winner.with_epochs(epochs), reference.with_epochs(epochs)
    folder = Path(out) if out is not None else Path("ablations", as_name(study.study_name))
    found = put_back(
        winner, reference, folder, study=study.study_name, metric=metric_of(study), path=path,
        seeds=range(first, first + seeds), view=seen, workers=workers, freeze_every=freeze_every, ray=ray,
        data_folder=None if data is None else Path(data),
    )  # fmt: skip
    files = write_ablation(found, folder)
    write_ablated(study, found.summary(), winner)
    show_figures(study, seen.note)
    return found, files


def report(study: "optuna.Study", storage: str | None = None, out: str | Path | None = None) -> Path:
    """Write everything about a study to one HTML file that works offline; returns its path.

    Args:
        study: an Optuna study, as `Study.stored` returns it
        storage: its journal file or URL; else LENET_SEARCH_STORAGE, else lenet-search.journal
        out: a file that ends in .html, or a folder for STUDY.html; else reports/

    Raises:
        ResultError: no trial is complete, or the file cannot be written.
    """
    from lenet_search.errors import ResultError
    from lenet_search.results.best import best_trial
    from lenet_search.results.report import report_page
    from lenet_search.storage import resolve
    from lenet_search.whole import as_name, texts_written_whole

    best_trial(study)  # raises a readable error if there is none yet
    path = Path("reports" if out is None else out).expanduser()
    if path.is_dir() or path.suffix.lower() not in (".html", ".htm"):
        path = path / f"{as_name(study.study_name)}.html"
    text = report_page(study, resolve(storage))
    try:
        (written,) = texts_written_whole({path.name: text}, path.parent)
    except OSError as error:
        blocked = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "one of its folders is a file" if blocked else (error.strerror or str(error)).lower()
        raise ResultError(f"cannot write {path}: {reason}; choose another place with --out") from error
    return written


def refit(
    study: "optuna.Study",
    storage: str | None = None,
    *,
    data: str | Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "Refit":
    """Train the winner of a study once more, on training and validation images together.

    The winner is the confirmed recipe, else that of the best trial. No figure goes with the model but the test set's.

    Args:
        study: an Optuna study, as `Study.stored` returns it
        storage: its journal file or URL; else LENET_SEARCH_STORAGE, else lenet-search.journal
        data: folder searched for NAME.npz before downloading; else where the search found it
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of the run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        ResultError: no trial is complete, or the training diverged.
        LenetSearchError: as `lenet_search.experiments.refit.refit`.
    """
    from lenet_search.experiments.refit import refit as train_again
    from lenet_search.results.export import images_folder
    from lenet_search.results.finalists import confirmed_epochs, winner_name, winner_of
    from lenet_search.storage import resolve
    from lenet_search.storage.confirmed import runs_folder

    recipe = winner_of(study)
    runs = runs_folder(resolve(storage), study.study_name, confirmed_epochs(study))
    return train_again(
        recipe, runs / f"{winner_name(study)}-refit", study=study.study_name, view=shown(view), workers=workers,
        freeze_every=freeze_every, ray=ray,
        data_folder=images_folder(study, recipe.data.name, None if data is None else Path(data)),
    )  # fmt: skip


def _finalists(study: "optuna.Study", count: int, epochs: int | None) -> "list[Finalist]":
    """The best `count` recipes and the reference, with other `epochs` if given."""
    from lenet_search.experiments.confirm import Finalist
    from lenet_search.results.finalists import best_recipes, reference_of

    recipe = reference_of(study)
    reference = None if recipe is None else Finalist("reference", recipe, is_reference=True)
    racing: list[Finalist] = []
    for found in best_recipes(study):
        if found.recipe == recipe:
            reference = Finalist("reference", recipe, found.number, found.value, is_reference=True)
        elif len(racing) < count:
            racing.append(Finalist(f"trial-{found.number}", found.recipe, found.number, found.value))
    racing += [] if reference is None else [reference]
    if epochs is None:
        return racing
    return [replace(each, recipe=each.recipe.with_epochs(epochs)) for each in racing]
