"""A study: its search, and what follows on it, with the definition of its file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lenet_search import study as files
from lenet_search.api.follow_up import confirm, report
from lenet_search.api.follow_up import refit as train_again
from lenet_search.api.inputs import named, shown
from lenet_search.crew import FREEZE_EVERY
from lenet_search.recipe import Recipe

if TYPE_CHECKING:
    import optuna

    from lenet_search.crew.places import Slots
    from lenet_search.experiments.confirm import Confirmation
    from lenet_search.look.progress import View
    from lenet_search.search import Summary


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
        return cls(files.read(source, overrides=(*overrides, *named(arrays)), name=name), storage)

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
            slots: trials side by side in each worker; "auto" measures the best number; else 4 on a CPU, 16 on
                a GPU, or a third of the trials of a short search
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
        seen = shown(view)

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
