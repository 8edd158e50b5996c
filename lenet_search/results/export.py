"""Exports the best trial: recipe, model, script and plots, all or nothing."""

import json
import math
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from lenet_search import data
from lenet_search.errors import DataError, ResultError
from lenet_search.look.theme import METRICS
from lenet_search.results.best import best_trial, complete_trials, estimate_of, metric_of
from lenet_search.results.curves import curves_table
from lenet_search.results.importance import importance
from lenet_search.results.report import report_page
from lenet_search.results.script import train_script
from lenet_search.run import Run
from lenet_search.storage import artifact_folder
from lenet_search.storage.trials import load_weights, run_of
from lenet_search.study import write_recipe

# The rebuilt model rounds differently from the stack, so an image on the boundary of two classes may change sides.
EDGE = 0.002  # share of the validation images


@dataclass(frozen=True)
class Winner:
    """The best trial of a study, as its files are written from it.

    `title` is its headline, `folder` where the files go; `measured` the exported model's validation accuracy, None if
    the images are not available.
    """

    study: optuna.Study
    trial: FrozenTrial
    run: Run
    title: str
    folder: Path
    measured: float | None


# Every text file of an export, by its name, and what writes it.
FILES: dict[str, Callable[[Winner], str]] = {
    "recipe.toml": lambda winner: write_recipe(
        winner.run.recipe, header=_header(winner.title, winner.folder), study=_study_table(winner.study, winner.run)
    ),
    "recipe.json": lambda winner: _json(_summary(winner)),
    "train.py": lambda winner: train_script(winner.run.recipe, winner.run.images, winner.title, winner.run.seed),
    "importance.json": lambda winner: _json(importance(winner.study).to_json()),
    "curves.csv": lambda winner: curves_table(winner.study),
    "report.html": lambda winner: report_page(winner.study),
}


def export(study: optuna.Study, url: str, folder: Path, *, data_folder: Path | None = None) -> list[Path]:
    """Write the best trial of a study in the storage `url` to `folder`, and return the paths of the files.

    All files are first written to a temporary folder and moved at the end. If the validation images are available, the
    model is measured on them again, and nothing is written if it does not reproduce the trial's accuracy.

    Raises:
        ResultError: no trial is complete, the weights are missing, or the model does not match the trial.
    """
    trial = best_trial(study)
    run = run_of(trial)
    weights = _weights(study, url, trial)
    title = headline(study, trial)
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ResultError(f"{folder}: expected a folder; received a file")
    scratch = folder.parent / f".{folder.name or 'export'}-{os.getpid()}"
    try:
        scratch.mkdir(parents=True)
        measured = _write_model(scratch / "model.keras", run, weights, data_folder)
        winner = Winner(study, trial, run, title, folder, measured)
        for name, text in FILES.items():
            (scratch / name).write_text(text(winner), encoding="utf-8")
        return _move_in(scratch, folder)
    except OSError as error:
        raise ResultError(f"cannot write to {folder}: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def headline(study: optuna.Study, trial: FrozenTrial) -> str:
    """One line with the trial, its result, n and the 95 % interval."""
    found = estimate_of(study, trial)
    if found.bounds():
        result = f"{found.figure()} of {found.n:,} validation images correct (95 % interval {found.bounds()})"
    else:
        result = f"{METRICS[metric_of(study)].label} {found} on {found.n:,} validation images"
    of = f"{len(complete_trials(study))} complete trials of study {study.study_name}"
    return f"Trial {trial.number}, the best of {of}: {result}."


def _weights(study: optuna.Study, url: str, trial: FrozenTrial) -> dict[str, np.ndarray]:
    folder = artifact_folder(url)
    weights = load_weights(folder, trial)
    if weights is None:
        raise ResultError(
            f"the weights of trial {trial.number}, the best of {study.study_name}, are not in {folder}: copy that "
            "folder from the machine that ran the search, or run more trials; `lenet-search best` shows the recipe "
            "without them"
        )
    return weights


def _write_model(path: Path, run: Run, weights: Mapping[str, np.ndarray], data_folder: Path | None) -> float | None:
    """Write the plain model. Returns its validation accuracy, or None if the images are not available."""
    from lenet_search.networks.plain import plain_model

    model = plain_model(run.recipe, run.images, weights)
    model.save(path)
    try:
        split = data.load(run.recipe.images, data_folder)
    except DataError:
        return None
    if split.digest != run.images["digest"]:
        return None
    inside = slice(split.pad, split.x_val.shape[1] - split.pad), slice(split.pad, split.x_val.shape[2] - split.pad)
    guesses = model.predict(split.x_val[:, *inside], batch_size=256, verbose=0).argmax(axis=1)
    measured = float(np.mean(guesses == split.y_val))
    expected = run.curve["val_accuracy"][-1]
    if abs(measured - expected) > EDGE + 1 / len(split.y_val):
        raise ResultError(
            f"the model with the stored weights reaches {measured:.2%} validation accuracy, but its trial reached "
            f"{expected:.2%}: the weights do not belong to that trial, so nothing was written"
        )
    return measured


def _header(title: str, folder: Path) -> str:
    return f"{title}\n\nTo retrain it from other seeds:  lenet-search train {folder / 'recipe.toml'} --seeds 5"


def _study_table(study: optuna.Study, run: Run) -> dict[str, Any]:
    return {"metric": metric_of(study), "direction": study.direction.name.lower(), "seed": run.seed}


def _summary(winner: Winner) -> dict[str, Any]:
    run, found = winner.run, estimate_of(winner.study, winner.trial)
    return {
        "study": winner.study.study_name,
        "trial": winner.trial.number,
        "metric": metric_of(winner.study),
        "value": found.value,
        "interval": None if found.low is None else [found.low, found.high],
        "model_val_accuracy": winner.measured,
        "values": run.recipe.values(),
        "seed": run.seed,
        "clocks": run.clocks,
        "device": run.device,
        "seconds": run.seconds,
        "versions": run.versions,
        "images": run.images,
        "last_epoch": {name: value for name, value in run.curve.last().items() if math.isfinite(value)},
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def _move_in(scratch: Path, folder: Path) -> list[Path]:
    """Create the folder atomically. In an existing folder, replace each file atomically and keep the others."""
    names = sorted(path.name for path in scratch.iterdir())
    if not folder.exists():
        scratch.rename(folder)
    else:
        for name in names:
            os.replace(scratch / name, folder / name)
    return [folder / name for name in names]
