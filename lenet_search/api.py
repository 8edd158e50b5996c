"""All commands as functions, for notebooks and scripts.

    from lenet_search import Study, train

    study = Study.read("digits", overrides=["train.epochs=5"])
    study.run(trials=20)
    number, value, recipe = study.best()[0]
    study.export("exports/digits")

    training = train(recipe, seeds=8)
    training.result.mean("val_accuracy")

`ablate`, `confirm`, `report`, `train`, `compare`, `reproduce`, `evaluate` and `predict` are the commands of these
names, and `refit` is `best --export --refit`. Arrays work wherever a data set does: `data=(x_train, y_train)`. Progress
appears in the terminal or notebook; `view=Silent()` turns it off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lenet_search import study as files
from lenet_search.crew import FREEZE_EVERY
from lenet_search.recipe import Recipe

if TYPE_CHECKING:
    import optuna

    from lenet_search.crew.places import Slots
    from lenet_search.experiments.ablate import Ablation
    from lenet_search.experiments.compare import Comparison
    from lenet_search.experiments.confirm import Confirmation, Finalist
    from lenet_search.experiments.refit import Refit
    from lenet_search.experiments.reproduce import Reproduction
    from lenet_search.experiments.task import Task
    from lenet_search.experiments.train import Training
    from lenet_search.look.progress import View
    from lenet_search.model.evaluate import Evaluation
    from lenet_search.model.predict import Guess
    from lenet_search.search import Summary

Data = str | Path | Mapping[str, Any] | Sequence[Any] | None  # a folder to search for NAME.npz, or arrays


class Best(NamedTuple):
    """One of the best trials: its number in the study, its value, and the recipe that reached it."""

    number: int
    value: float
    recipe: Recipe


class Study:
    """One study: its definition, and its trials in the storage."""

    def __init__(self, definition: files.Definition, storage: str | None = None) -> None:
        self.definition = definition
        self.storage = storage

    def __repr__(self) -> str:
        n = len(self.definition.space.searched())
        return f"<Study {self.definition.name!r}: {n} hyperparameter{'' if n == 1 else 's'} searched>"

    @classmethod
    def read(
        cls,
        source: str | Path,
        overrides: Sequence[str] = (),
        name: str | None = None,
        storage: str | None = None,
        arrays: Any = None,
    ) -> "Study":
        """Read and check a study.

        Args:
            source: a study file, or the name of a study in studies/ or in the package
            overrides: values that override those of the file, as "KEY=VALUE"
            name: name of the study in the storage; else that of the file
            storage: journal file or Optuna URL; else LENET_SEARCH_STORAGE, else lenet-search.journal
            arrays: images to use instead of the file's: `(x_train, y_train)`, `(x_train, y_train, x_test, y_test)`, or
                a mapping with these names

        Raises:
            StudyFileError: with every problem of the file.
            DataError: the arrays are not images and labels.
        """
        return cls(files.read(source, overrides=(*overrides, *_named(arrays)), name=name), storage)

    def run(
        self,
        trials: int | None = None,
        timeout: float | str | None = None,
        storage: str | None = None,
        workers: int | None = None,
        slots: "Slots" = None,
        data: str | Path | None = None,
        view: "View | None" = None,
        freeze_every: float = FREEZE_EVERY,
        ray: str | None = None,
    ) -> "Summary":
        """Search until the study has `trials` trials, including earlier ones, or time is up.

        Args:
            trials: total number of trials; else the study's
            timeout: seconds, or a string like "30m"; else the study's
            storage: journal file or Optuna URL; else the one given to `read`
            workers: number of processes; else one per GPU, or one per core
            slots: trials side by side in each worker; "auto" measures the best number; else 4 on a CPU, auto on a GPU
            data: folder searched for NAME.npz or NAME/ before downloading
            view: where progress is shown; else in the terminal or notebook
            freeze_every: seconds between two copies of each running trial's state
            ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains

        Raises:
            ValueError: `slots` is neither "auto" nor a number of slots.
            DefinitionChanged: the storage contains another study of this name.
            DataError: images are missing or damaged.
            RunError: the storage cannot be opened, or workers keep dying.
            Interrupted: by a signal; running trials are frozen, and the same call resumes them.
        """
        from lenet_search import search

        if trials is not None and trials < 1:
            raise ValueError(f"trials: expected 1 or more; received {trials}")
        self.storage = storage or self.storage
        seen = _shown(view)

        def conclude(found: "optuna.Study", summary: "Summary", stopped: Callable[[], bool]) -> None:
            from lenet_search.results.dashboard import has_time_for_models, show, time_for_notes
            from lenet_search.storage import resolve

            whole = summary.ended != "signal"
            models = whole and has_time_for_models(summary.seconds)
            seconds = time_for_notes(summary.seconds)
            show(found, resolve(self.storage), seen.note, stopped, seconds=seconds, figures=whole, models=models)

        return search.run(
            self.definition,
            storage=self.storage,
            trials=trials,
            timeout=files.duration(timeout) if isinstance(timeout, str) else timeout,
            workers=workers,
            slots=slots,
            data_folder=None if data is None else Path(data),
            freeze_every=freeze_every,
            ray=ray,
            view=seen,
            conclude=conclude,
        )

    def best(self, n: int = 1) -> list[Best]:
        """The best `n` complete trials, or all if there are fewer, best first.

        Raises:
            ResultError: the storage has no such study.
        """
        from lenet_search.results.best import complete_trials
        from lenet_search.storage.trials import run_of

        trials = complete_trials(self.stored())[:n]
        return [Best(trial.number, float(trial.value or 0.0), run_of(trial).recipe) for trial in trials]

    def export(
        self,
        folder: str | Path | None = None,
        data: str | Path | None = None,
        *,
        refit: bool = False,
        ray: str | None = None,
        view: "View | None" = None,
    ) -> list[Path]:
        """Write the winner's recipe, model, script and plots to `folder` (else exports/STUDY).

        With `refit`, also refit.keras, as `refit` trains it, which is what `ray` is for.

        Raises:
            ResultError: no trial is complete, or the weights are missing.
            LenetSearchError: as `refit`.
        """
        from lenet_search.api import refit as train_again
        from lenet_search.results.export import export
        from lenet_search.starting import start_backend
        from lenet_search.storage import resolve
        from lenet_search.whole import as_name

        url = resolve(self.storage)
        target = Path(folder).expanduser() if folder is not None else Path("exports", as_name(self.definition.name))
        data_folder = None if data is None else Path(data)
        start_backend()
        again = train_again(self.stored(), url, data=data, ray=ray, view=view).to_json() if refit else None
        return list(export(self.stored(), url, target, data_folder=data_folder, refit=again).files)

    def confirm(
        self,
        finalists: int | None = None,
        seeds: int | None = None,
        *,
        epochs: int | None = None,
        indifference: float | None = None,
        data: str | Path | None = None,
        workers: int | None = None,
        freeze_every: float = FREEZE_EVERY,
        ray: str | None = None,
        view: "View | None" = None,
    ) -> "Confirmation":
        """Race the best recipes and the study's reference on fresh seeds: `confirm` with this study.

        What is not given is as in the file's `[confirm]`; `race_size` says what that comes to.

        Raises:
            ResultError: the search was too short for the `share` of `[confirm]`.
        """
        from lenet_search.errors import ResultError

        stated = self.definition.confirm or files.Confirming()
        size = (finalists, seeds) if finalists and seeds else self.race_size()
        if size is None:
            raise ResultError(
                f"the search was too short: a race would train more than {stated.share:g} of its epochs "
                "(confirm.share); give finalists and seeds, or run more trials"
            )
        return confirm(
            self.stored(), self.storage, finalists or size[0], seeds or size[1],
            epochs=epochs or stated.epochs, indifference=stated.indifference if indifference is None else indifference,
            data=data, workers=workers, freeze_every=freeze_every, ray=ray, view=view,
        )  # fmt: skip

    def race_size(self) -> tuple[int, int] | None:
        """Finalists and seeds of `[confirm]`, fewer where its `share` asks for it; None: the search was too short.

        Raises:
            ResultError: no trial is complete.
        """
        from lenet_search.experiments import race
        from lenet_search.results.finalists import best_recipes, epochs_of_search, reference_of

        stated = self.definition.confirm or files.Confirming()
        if stated.share is None:
            return stated.finalists, stated.seeds
        study = self.stored()
        racing = [found.recipe for found in best_recipes(study)[: stated.finalists]]
        epochs = stated.epochs or max(recipe.train.epochs for recipe in racing)
        runs = stated.share * epochs_of_search(study) / epochs
        return race.size(len(racing), stated.seeds, runs, reference=reference_of(study) is not None)

    def report(self, out: str | Path | None = None) -> Path:
        """Write everything about this study to one HTML file: `report` with this study.

        Raises:
            ResultError: as `report`.
        """
        return report(self.stored(), self.storage, out)

    def stored(self) -> "optuna.Study":
        """The Optuna study of this name, for Optuna's own analysis and plots.

        Raises:
            ResultError: the storage has no such study.
        """
        from lenet_search.results.best import pick_study
        from lenet_search.storage import open_storage, resolve

        return pick_study(open_storage(resolve(self.storage), create=False), self.definition.name)


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
    metric, seen = metric_of(study), _shown(view)
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
    winner, reference, seen = winner_of(study), reference_of(study), _shown(view)
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
        recipe, runs / f"{winner_name(study)}-refit", study=study.study_name, view=_shown(view), workers=workers,
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


def train(
    recipe: str | Path | Recipe,
    seeds: int = 1,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    out: str | Path | None = None,
    data: Data = None,
    restart: bool = False,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "Training":
    """Train a recipe from several initial weights, side by side; only runs missing from the folder.

    Args:
        recipe: a name, the path of a file, or a `Recipe`
        seeds: number of runs; their seeds start after the one in the file
        overrides: values that override those of the file, as "KEY=VALUE"
        name: name of the recipe; else that of the file, or "recipe"
        out: folder; else trained/NAME
        data: folder searched for NAME.npz or NAME/ before downloading, or arrays
        restart: discard the runs in the folder, even another recipe's, and train all again
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        StudyFileError: the file is not a recipe.
        LenetSearchError: as `lenet_search.experiments.train.train`.
    """
    from lenet_search.experiments.task import task_of
    from lenet_search.experiments.train import train as train_task

    if not isinstance(seeds, int) or seeds < 1:
        raise ValueError(f"seeds: expected a whole number from 1; received {seeds!r}")
    folder, named = _folder_and_name(data)
    task, metric = task_of(recipe, seeds, overrides=(*overrides, *named), name=name)
    words = [task.name, "1 seed" if seeds == 1 else f"{seeds} seeds", *overrides]
    where = Path(out).expanduser() if out is not None else Path("trained", task.name)
    return train_task(
        task, where, view=_shown(view), title=", ".join(words),
        metric=metric, data_folder=folder, workers=workers, freeze_every=freeze_every, ray=ray, restart=restart,
    )  # fmt: skip


def compare(
    recipes: Sequence[str | Path],
    seeds: int | None = None,
    *,
    test: bool = False,
    out: str | Path | None = None,
    data: Data = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "tuple[Comparison, list[Path]]":
    """Train recipes on the same seeds, and test which of them differ; returns the comparison and the files written.

    Args:
        recipes: two or more, by name or file
        seeds: runs per recipe; else 5
        test: compare on the test set, read once per model
        out: folder; else results/
        data: folder searched for NAME.npz or NAME/ before downloading, or arrays
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        StudyFileError: a file is not a recipe.
        LenetSearchError: as `lenet_search.experiments.reproduce.compare_recipes`.
    """
    from lenet_search.experiments.reproduce import compare_recipes
    from lenet_search.experiments.task import SEEDS, read_tasks

    folder, named = _folder_and_name(data)
    tasks = read_tasks([str(each) for each in recipes], seeds or SEEDS, named)
    return compare_recipes(
        tasks, results_folder(out), view=_shown(view), test=test, data_folder=folder, workers=workers,
        freeze_every=freeze_every, ray=ray,
    )  # fmt: skip


def reproduce(
    recipes: Sequence[str | Path] = (),
    seeds: int | None = None,
    *,
    quick: bool = False,
    out: str | Path | None = None,
    data: str | Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
    view: "View | None" = None,
) -> "Reproduction":
    """Train published recipes and compare with the accuracy their authors report.

    Args:
        recipes: names or files; by default all in the package
        seeds: runs per recipe; else 5
        quick: train one epoch on a few images, as a check
        out: folder; else results/
        data: folder searched for NAME.npz or NAME/ before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains
        view: where progress is shown; else in the terminal or notebook

    Raises:
        StudyFileError: a file is not a recipe.
        LenetSearchError: as `lenet_search.experiments.reproduce.reproduce`.
    """
    from lenet_search.experiments.reproduce import reproduce as reproduce_tasks

    tasks = published(recipes, seeds, quick=quick)
    return reproduce_tasks(
        tasks, results_folder(out, quick=quick), view=_shown(view), quick=quick,
        data_folder=None if data is None else Path(data), workers=workers, freeze_every=freeze_every, ray=ray,
    )  # fmt: skip


def published(recipes: Sequence[str | Path] = (), seeds: int | None = None, *, quick: bool = False) -> "list[Task]":
    """The recipes that `reproduce` would train; by default all in the package.

    Raises:
        StudyFileError: a file is not a recipe.
    """
    from lenet_search.experiments.reproduce import read_published

    return read_published([str(each) for each in recipes] or sorted(files.shipped("recipes")), seeds, quick=quick)


def results_folder(out: str | Path | None = None, *, quick: bool = False) -> Path:
    """Where `reproduce` and `compare` keep their results."""
    return Path(out).expanduser() if out is not None else Path("results", "quick") if quick else Path("results")


def evaluate(model: str | Path, on: str | None = None, data: Data = None) -> "Evaluation":
    """Measure a model on the test set. Run this once, at the end.

    Args:
        model: a .keras file
        on: data set, even if the model was trained on other images; else the one it was trained on
        data: folder searched for NAME.npz or NAME/ before downloading, or arrays including `x_test, y_test`

    Raises:
        ResultError: the file is not a model, does not fit the images, or was trained on others than those found.
        DataError: the data set is missing or damaged.
    """
    from lenet_search.model.evaluate import evaluate as measure
    from lenet_search.starting import start_backend

    start_backend()
    if data is None or isinstance(data, str | Path):
        return measure(Path(model), on, None if data is None else Path(data))
    from lenet_search.data.arrays import store

    return measure(Path(model), str(store(data)))


def predict(
    model: str | Path,
    images: Sequence[str | Path],
    on: str | None = None,
    invert: bool | None = None,
    *,
    center: bool | None = None,
    save_inputs: str | Path | None = None,
) -> "tuple[list[Guess], list[str]]":
    """Classify images; returns a guess for each readable image, and a message for each of the others.

    A guess with `blank` set has no classes: nothing stands out on the image. `guess.saved` is the file of
    `save_inputs` with what the model saw.

    Args:
        model: a .keras file
        images: PNG, JPEG, WebP, BMP, GIF or TIFF files, and folders of them
        on: data set whose class names to use; else the one it was trained on
        invert: whether to invert the images; None: when they look inverted
        center: whether to find what is drawn, and scale and center it as MNIST's digits; None: when the training
            images were
        save_inputs: folder for what the model saw, as PNG files; nothing is overwritten

    Raises:
        ResultError: the file is not an image classifier, or the folder cannot be written to.
    """
    from lenet_search.model.listing import images_of
    from lenet_search.model.predict import Options
    from lenet_search.model.predict import predict as classify
    from lenet_search.model.predictor import open_model
    from lenet_search.model.saved import SavedInputs
    from lenet_search.starting import start_backend

    start_backend()
    files, problems = images_of([Path(each) for each in images])
    predictor = open_model(Path(model), on)
    saved = None if save_inputs is None else SavedInputs(Path(save_inputs))
    guesses, unread = classify(files, predictor, Options(invert, center, saved))
    return guesses, problems + unread


def _shown(view: "View | None") -> "View":
    """The given view or, by default, one on standard error or in the notebook's cell."""
    if view is not None:
        return view
    from lenet_search.look.console import console
    from lenet_search.look.live import view_for

    return view_for(console(stderr=True))


def _folder_and_name(data: Data) -> tuple[Path | None, tuple[str, ...]]:
    """The folder of data sets, or the override that names the file of the given arrays."""
    if data is None or isinstance(data, str | Path):
        return (None if data is None else Path(data)), ()
    return None, _named(data)


def _named(arrays: Any) -> tuple[str, ...]:
    if arrays is None:
        return ()
    from lenet_search.data.arrays import store

    return (f"data.name='{store(arrays)}'",)
