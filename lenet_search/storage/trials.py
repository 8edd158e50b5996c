"""What a trial of the storage carries: its run, as attributes, and the weights of the best few as artifacts."""

import contextlib
import json
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet_search.errors import ResultError
from lenet_search.machine import written_whole
from lenet_search.run import Run

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

REASON = "reason"  # why a trial was pruned, has failed or was interrupted
WEIGHTS = "weights.npz"
ARTIFACTS = "artifacts:"  # how optuna.artifacts begins the names of its attributes
OF_A_TEST = ("right", "n")  # of a run's JSON: a search never reads the test set


def attributes_of(run: Run) -> dict[str, Any]:
    """A run as an Optuna trial's user attributes: what reproduces it, and its curve."""
    return {name: value for name, value in run.to_json().items() if name not in OF_A_TEST}


def carries_run(trial: "FrozenTrial") -> bool:
    """Whether lenet-search ran a trial. Another tool may have added it, with values and parameters of any kind."""
    return "recipe" in trial.user_attrs and "curve" in trial.user_attrs


def run_of(trial: "FrozenTrial") -> Run:
    """The run that a trial carries.

    Raises:
        ResultError: it carries none, or one that this version does not understand.
    """
    try:
        return Run.from_json(trial.user_attrs)
    except KeyError as missing:
        raise ResultError(f"trial {trial.number} carries no {missing}: was it run by lenet-search?") from missing
    except (ValueError, TypeError, AttributeError) as error:
        raise ResultError(f"trial {trial.number} was run by another version of lenet-search: {error}") from error


def save_weights(
    storage: "BaseStorage", folder: Path, trial: "Trial | FrozenTrial", weights: Mapping[str, np.ndarray]
) -> None:
    """Keep a trial's weights as an artifact that the dashboard lists. The trial must not have been told yet.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; nothing is then left of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    artifact = str(uuid.uuid4())
    with written_whole(folder / artifact) as scratch, scratch.open("wb") as file:
        np.savez(file, **dict(weights))  # type: ignore[arg-type]  # its second parameter is a flag, ours are arrays
    # Optuna's `upload_artifact` would list the file before it is written, and leave a piece of it on a full disk.
    listed = {"artifact_id": artifact, "filename": WEIGHTS, "mimetype": "application/zip", "encoding": None}
    storage.set_trial_system_attr(trial._trial_id, ARTIFACTS + artifact, json.dumps(listed))


def load_weights(folder: Path, trial: "FrozenTrial") -> dict[str, np.ndarray] | None:
    """The weights of a trial, or None when they were never kept, or have been dropped since.

    Raises:
        ResultError: they are there, but damaged.
    """
    from optuna.artifacts import FileSystemArtifactStore
    from optuna.artifacts.exceptions import ArtifactNotFound

    store = FileSystemArtifactStore(folder)
    for artifact in _artifacts(trial):
        try:
            with store.open_reader(artifact) as file, np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except ArtifactNotFound:
            continue
        except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
            place = folder / artifact
            raise ResultError(f"the weights of trial {trial.number}, {place}, are damaged: {error}") from error
    return None


def drop_weights(folder: Path, trial: "FrozenTrial") -> None:
    """Remove the file of a trial's weights. Optuna lets nobody change a finished trial, so its mention stays."""
    from optuna.artifacts import FileSystemArtifactStore
    from optuna.artifacts.exceptions import ArtifactNotFound

    for artifact in _artifacts(trial):
        with contextlib.suppress(ArtifactNotFound):
            FileSystemArtifactStore(folder).remove(artifact)


def _artifacts(trial: "FrozenTrial") -> list[str]:
    """The artifact numbers of a trial's weights. The dashboard's "delete" leaves a null in the place of one."""
    listed = [json.loads(text) for key, text in trial.system_attrs.items() if key.startswith(ARTIFACTS)]
    return [entry["artifact_id"] for entry in listed if entry and entry["filename"] == WEIGHTS]
