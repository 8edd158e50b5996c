"""Exports the confirmed winner or the best trial: recipe, model, script and plots, all or nothing."""

import json
import math
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from lenet_search import data
from lenet_search.errors import DataError, ResultError
from lenet_search.results.best import estimate_of, metric_of
from lenet_search.results.chosen import Chosen, chosen
from lenet_search.results.curves import curves_table
from lenet_search.results.importance import importance
from lenet_search.results.report import report_page
from lenet_search.results.script import train_script
from lenet_search.results.verdict import quick_of
from lenet_search.run import Run
from lenet_search.storage.facts import data_folders
from lenet_search.study import write_recipe
from lenet_search.whole import folder_written_whole

REFIT = "refit.keras"  # the model trained on training and validation images together
# The rebuilt model rounds differently from the stack, so an image on the boundary of two classes may change sides.
EDGE = 0.002  # share of the validation images


@dataclass(frozen=True)
class Winner:
    """What is exported of a study, as its files are written from it.

    `url` is the study's storage, `chosen` the run with its model, `folder` where the files go, `file` that of its
    images and `data_folder` that file's folder, None if there is none; `measured` the exported model's validation
    accuracy, or None and `not_measured` why; `refit` is as in `export`.
    """

    study: optuna.Study
    url: str
    chosen: Chosen
    folder: Path
    file: Path | None
    data_folder: str | None
    measured: float | None
    not_measured: str | None
    refit: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Export:
    """What an export wrote, and why the model was not measured on the validation images, None if it was."""

    files: tuple[Path, ...]
    not_measured: str | None


# Every text file of an export, by its name, and what writes it.
FILES: dict[str, Callable[[Winner], str]] = {
    "recipe.toml": lambda winner: write_recipe(
        winner.chosen.run.recipe,
        header=_header(winner.chosen.title, winner.folder),
        study=_study_table(winner.study, winner.chosen),
    ),
    "recipe.json": lambda winner: _json(_summary(winner)),
    "train.py": lambda winner: train_script(
        winner.chosen.run.recipe, winner.chosen.run.images, winner.chosen.title, winner.chosen.run.seed, winner.file
    ),
    "importance.json": lambda winner: _json(importance(winner.study).to_json()),
    "curves.csv": lambda winner: curves_table(winner.study),
    "report.html": lambda winner: report_page(winner.study, winner.url),
}


def export(
    study: optuna.Study,
    url: str,
    folder: Path,
    *,
    data_folder: Path | None = None,
    best_seed: bool = False,
    refit: Mapping[str, Any] | None = None,
) -> Export:
    """Write the confirmed winner of a study in the storage `url`, else its best trial, to `folder`.

    The model of a confirmed winner is that of the seed nearest its mean, or with `best_seed` the best one. `refit`
    describes another one, trained on training and validation images together, and its file, "model".

    At the end the folder has all files or, after an error, none of them; other files in it stay. If the trial's images
    are on this machine, in `data_folder` or where the search found them, the model is measured on the validation images
    again, and nothing is written if it does not reproduce the trial's accuracy. Nothing is downloaded.

    Raises:
        ResultError: no trial is complete, the model is missing, or it does not match its run.
    """
    found = chosen(study, url, best_seed=best_seed)
    run = found.run
    remembered = data_folders(study).get(run.recipe.data.name)
    data_folder = images_folder(study, run.recipe.data.name, data_folder)
    if folder.exists() and not folder.is_dir():
        raise ResultError(f"{folder}: expected a folder; received a file")
    try:
        with folder_written_whole(folder) as scratch:
            model = found.model()
            model.save(scratch / "model.keras")
            measured, not_measured = _measure(model, run, data_folder)
            place = None if not_measured else data.file_of(run.recipe.data.name, data_folder)
            file, where = (None, remembered) if place is None else (place.file, str(place.folder))
            winner = Winner(study, url, found, folder, file, where, measured, not_measured, refit)
            if refit is not None:
                shutil.copyfile(refit["model"], scratch / REFIT)
            for name, text in FILES.items():
                (scratch / name).write_text(text(winner), encoding="utf-8")
    except OSError as error:
        raise ResultError(f"cannot write to {folder}: {error.strerror}; nothing was exported") from error
    if refit is None:
        (folder / REFIT).unlink(missing_ok=True)  # of an earlier export, perhaps of another recipe
    models = ["model.keras", *([] if refit is None else [REFIT])]
    return Export(tuple(folder / name for name in sorted([*models, *FILES])), not_measured)


def images_folder(study: optuna.Study, name: str, given: Path | None) -> Path | None:
    """The folder to look for data set `name` in: the `given` one, or where the search found it.

    Raises:
        DataError: `given` is not a folder.
    """
    remembered = data_folders(study).get(name)
    return data.folder_with(name, given, None if remembered is None else Path(remembered))


def _measure(model: Any, run: Run, data_folder: Path | None) -> tuple[float | None, str | None]:
    """The plain model's accuracy on the validation images of its run, or None and the reason.

    Raises:
        ResultError: it is not that of the run.
    """
    from lenet_search.model.evaluate import outputs

    try:
        split = data.load(run.recipe.images, data_folder, download=False)
    except DataError as error:
        return None, str(error)
    if split.digest != run.images["digest"]:
        return None, f"the images of {split.name} found here are not those that the trial was trained on"
    inside = slice(split.pad, split.x_val.shape[1] - split.pad), slice(split.pad, split.x_val.shape[2] - split.pad)
    guesses = outputs(model, split.x_val[:, *inside], Path("model.keras")).argmax(axis=1)
    measured = float(np.mean(guesses == split.y_val))
    expected = run.curve["val_accuracy"][-1]
    if abs(measured - expected) > EDGE + 1 / len(split.y_val):
        raise ResultError(
            f"the model that is stored has a validation accuracy of {100 * measured:.2f} %, but its run (seed "
            f"{run.seed}) had {100 * expected:.2f} %: it is not the model of that run, so nothing was written; copy "
            "the folder of the weights from the machine that trained it"
        )
    return measured, None


def _header(title: str, folder: Path) -> str:
    recipe = shlex.quote(str(folder / "recipe.toml"))
    return f"{title}\n\nTo retrain it with other seeds:  lenet-search train {recipe} --seeds 5"


def _study_table(study: optuna.Study, chosen: Chosen) -> dict[str, Any]:
    """`train` counts its seeds up from this one, so it is the last that helped to choose the recipe."""
    seed = chosen.run.seed if chosen.confirmed is None else max(map(int, chosen.confirmed["seeds"]))
    return {"metric": metric_of(study), "direction": study.direction.name.lower(), "seed": seed}


def _summary(winner: Winner) -> dict[str, Any]:
    run, trial, confirmed = winner.chosen.run, winner.chosen.trial, winner.chosen.confirmed
    found = None if trial is None else estimate_of(winner.study, trial)
    return {
        "study": winner.study.study_name,
        "trial": None if trial is None else trial.number,
        "metric": metric_of(winner.study),
        "quick": quick_of(winner.study).why or None,
        "value": None if found is None else found.value,
        "interval": None if found is None or found.low is None else [found.low, found.high],
        "confirmed": confirmed and {name: confirmed[name] for name in ("mean", "low", "high", "n", "state")},
        "model_val_accuracy": winner.measured,
        "not_measured": winner.not_measured,
        "refit": winner.refit and {name: value for name, value in winner.refit.items() if name != "model"},
        "values": run.recipe.values(),
        "seed": run.seed,
        "clocks": run.clocks,
        "device": run.device,
        "seconds": run.seconds,
        "versions": run.versions,
        "images": run.images,
        "data_folder": winner.data_folder,
        "last_epoch": {name: value for name, value in run.curve.last().items() if math.isfinite(value)},
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"
