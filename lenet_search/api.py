"""A search from a notebook: read a study, run it, look at its best recipes, export the winner.

    from lenet_search import Study

    study = Study.read("digits", overrides=["train.epochs=5"])
    study.run(trials=20)
    number, value, recipe = study.best()[0]
    study.export("exports/digits")

The command line is a thin layer over this and the packages below it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lenet_search import study as files
from lenet_search.recipe import Recipe

if TYPE_CHECKING:
    import optuna

    from lenet_search.crew.places import Slots
    from lenet_search.search import Summary, View


class Best(NamedTuple):
    """One of the best trials: its number in the study, its value, and the recipe that reached it."""

    number: int
    value: float
    recipe: Recipe


class Study:
    """One study: what its file says, and what the storage holds of it."""

    def __init__(self, definition: files.Definition, storage: str | None = None) -> None:
        self.definition = definition
        self.storage = storage

    def __repr__(self) -> str:
        n = len(self.definition.space.searched())
        return f"<Study {self.definition.name!r}: {n} hyperparameter{'' if n == 1 else 's'} searched>"

    @classmethod
    def read(
        cls, source: str | Path, overrides: Sequence[str] = (), name: str | None = None, storage: str | None = None
    ) -> "Study":
        """Read and check a study.

        Args:
            source: the name of a study (studies/NAME.toml in this folder, or one that ships) or the path of a file
            overrides: "KEY=VALUE", each replacing what the file says
            name: name under which results are kept; else the file's
            storage: journal file or Optuna URL; else LENET_SEARCH_STORAGE, else lenet-search.journal

        Raises:
            StudyFileError: with every problem of the file.
        """
        return cls(files.read(source, overrides=overrides, name=name), storage)

    def run(
        self,
        trials: int | None = None,
        timeout: float | str | None = None,
        storage: str | None = None,
        workers: int | None = None,
        slots: "Slots" = None,
        data: str | Path | None = None,
        view: "View | None" = None,
    ) -> "Summary":
        """Search until the study has `trials` trials (earlier ones included) or `timeout` is over.

        Args:
            trials: total number; else the study's
            timeout: seconds, or a text like "30m"; else the study's
            storage: journal file or Optuna URL; else the one given to `read`
            workers: processes; else one per GPU, or one per core
            slots: trials side by side in each worker; "auto" measures what is fastest; else 4 on a CPU, auto on a GPU
            data: folder that is looked at first for NAME.npz
            view: where progress is shown; else nowhere

        Raises:
            ValueError: if `slots` is no size.
            DefinitionChanged: if the storage holds another study of this name.
            DataError: if the images cannot be had.
            RunError: if the storage cannot be opened, or workers keep dying.
        """
        from lenet_search import search

        self.storage = storage or self.storage
        return search.run(
            self.definition,
            storage=self.storage,
            trials=trials,
            timeout=files.duration(timeout) if isinstance(timeout, str) else timeout,
            workers=workers,
            slots=slots,
            data_folder=None if data is None else Path(data),
            view=view,
        )

    def best(self, n: int = 1) -> list[Best]:
        """The best `n` complete trials, best first; fewer where there are fewer.

        Raises:
            ResultError: if the storage has no such study.
        """
        from lenet_search.results.best import complete_trials
        from lenet_search.storage import Record

        trials = complete_trials(self.stored())[:n]
        return [Best(trial.number, float(trial.value or 0.0), Record.of(trial).recipe) for trial in trials]

    def export(self, folder: str | Path | None = None, data: str | Path | None = None) -> list[Path]:
        """Write the best trial's recipe, model, script and pictures to `folder` (else exports/STUDY).

        Raises:
            ResultError: if no trial is complete, or the weights are gone.
        """
        from lenet_search.results.export import export
        from lenet_search.storage import resolve

        url = resolve(self.storage)
        target = Path(folder) if folder is not None else Path("exports", self.definition.name)
        data_folder = None if data is None else Path(data)
        return export(self.stored(), url, target, data_folder=data_folder)

    def stored(self) -> "optuna.Study":
        """The Optuna study of this name, for everything that Optuna can do with it.

        Raises:
            ResultError: if the storage has no such study.
        """
        from lenet_search.results.best import pick_study
        from lenet_search.storage import open_storage, resolve

        return pick_study(open_storage(resolve(self.storage), create=False), self.definition.name)
