"""What a trial of the storage carries: its run, as attributes, and the weights of the best few as artifacts.

User attributes are for people: a dashboard shows them in its tables. What only programs read is in system attributes.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet_search.errors import ResultError
from lenet_search.run import Run
from lenet_search.untrusted import Damaged, opened_npz
from lenet_search.whole import written_whole

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

OURS = "lenet-search "  # how the names of our system attributes begin
TRAINED, CURVE = "trained", "curve"  # noted of a trial: its run, and, apart because databases limit lengths, the curve
REASON = "reason"  # why a trial was pruned, has failed or was interrupted
WEIGHTS, MODEL = "weights.npz", "model.keras"
ARTIFACTS = "artifacts:"  # how optuna.artifacts begins the names of its attributes
KEPT_AS = "lenet-search weights"  # system attribute of a trial: the name of its artifact
GONE = "null"  # what the dashboard, too, writes in the place of an artifact that was deleted
ALSO = "run"  # how the attributes of a trial's further runs are named: "run 2", "run 3", ...
OF_A_SEED = ("seed", "clocks", "curve", "diverged", "device", "versions", "seconds")  # of a further run's JSON
OF_A_TEST = ("right", "n")  # of a run's JSON: a search never reads the test set


def note(storage: "BaseStorage", trial: "Trial", name: str, value: Any) -> None:
    """Set an attribute of a trial that only programs read."""
    storage.set_trial_system_attr(trial._trial_id, OURS + name, value)
    trial._cached_frozen_trial.system_attrs[OURS + name] = value


def noted(trial: "FrozenTrial", name: str) -> Any:
    """An attribute that `note` has set, or None. In version 0.1.0, it was a user attribute."""
    return trial.system_attrs.get(OURS + name, trial.user_attrs.get(name))


def note_runs(storage: "BaseStorage", trial: "Trial", *runs: Run) -> None:
    """Store the runs of a trial, first the one that stands for it. Databases limit lengths, so curves are apart."""
    attributes = attributes_of(*runs)
    for name in [name for name in attributes if name == CURVE or name.startswith(f"{ALSO} ")]:
        note(storage, trial, name, attributes.pop(name))
    note(storage, trial, TRAINED, attributes)


def attributes_of(run: Run, *others: Run) -> dict[str, Any]:
    """A trial's runs as JSON: what reproduces them, and their curves. As user attributes, they are read, too.

    Args:
        run: the run that stands for the trial
        others: its other runs, from other seeds
    """
    own = {name: value for name, value in run.to_json().items() if name not in OF_A_TEST}
    for place, other in enumerate(others, start=2):
        values = other.to_json()
        own[f"{ALSO} {place}"] = {name: values[name] for name in OF_A_SEED}
    return own


def carries_run(trial: "FrozenTrial") -> bool:
    """Whether lenet-search ran a trial. Another tool may have added it, with values and parameters of any kind."""
    return noted(trial, CURVE) is not None and (noted(trial, TRAINED) is not None or "recipe" in trial.user_attrs)


def run_of(trial: "FrozenTrial") -> Run:
    """The run that a trial carries.

    Raises:
        ResultError: it carries none, or one that this version does not understand.
    """
    try:
        return _checked(trial, Run.from_json(_attributes(trial)))
    except KeyError as missing:
        raise ResultError(f"trial {trial.number} carries no {missing}: was it run by lenet-search?") from missing
    except ValueError as error:
        raise ResultError(f"trial {trial.number} was run by another version of lenet-search: {error}") from error


def runs_of(trial: "FrozenTrial") -> list[Run]:
    """All runs of a trial, first the one that stands for it; one, unless the study has several seeds for each trial.

    Raises:
        ResultError: as `run_of`.
    """
    runs, attributes = [run_of(trial)], _attributes(trial)
    while (also := attributes.get(f"{ALSO} {len(runs) + 1}")) is not None:
        try:
            runs.append(_checked(trial, Run.from_json({**attributes, **also})))
        except (KeyError, ValueError, TypeError) as error:
            raise ResultError(f"trial {trial.number} was run by another version of lenet-search: {error}") from error
    return runs


def _checked(trial: "FrozenTrial", run: Run) -> Run:
    """The run, which has an epoch if its trial is complete.

    Raises:
        ValueError: it has none.
    """
    if trial.state.name == "COMPLETE" and not run.epochs:
        raise ValueError("it is complete, but has no epoch")
    return run


def has_several_runs(trial: "FrozenTrial") -> bool:
    """Whether a trial carries more than one run."""
    return noted(trial, f"{ALSO} 2") is not None


def _attributes(trial: "FrozenTrial") -> dict[str, Any]:
    """What `attributes_of` says of a trial's runs. Before it was noted, it was stored as user attributes."""
    own = {name.removeprefix(OURS): value for name, value in trial.system_attrs.items() if name.startswith(OURS)}
    trained = own.pop(TRAINED, {})
    if not isinstance(trained, Mapping):
        raise ValueError(f"{OURS}{TRAINED}: expected a table; received {trained!r}"[:200])
    return {**trial.user_attrs, **trained, **own}


def save_weights(
    storage: "BaseStorage", study_id: int, folder: Path, trial: "Trial | FrozenTrial", weights: Mapping[str, np.ndarray]
) -> None:
    """Keep a trial's weights as an artifact that the dashboard lists. The trial must not have been told yet.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; nothing is kept then.
    """
    before = storage.get_trial_system_attrs(trial._trial_id).get(KEPT_AS)  # of a run that was killed after this
    artifact = str(before or uuid.uuid4())
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / artifact) as scratch, scratch.open("wb") as file:
        np.savez(file, **dict(weights))  # type: ignore[arg-type]  # its second parameter is a flag, ours are arrays
    storage.set_trial_system_attr(trial._trial_id, KEPT_AS, artifact)
    storage.set_study_system_attr(study_id, _mention(trial, artifact), _entry(artifact, WEIGHTS))


def load_weights(folder: Path, trial: "FrozenTrial") -> dict[str, np.ndarray] | None:
    """The weights of a trial, or None when they were never kept, or have been dropped since.

    Raises:
        ResultError: they are there, but damaged.
    """
    for artifact in _artifacts(trial):
        try:
            with opened_npz(folder / artifact) as arrays:
                return {name: arrays[name] for name in arrays.names}
        except FileNotFoundError:
            continue
        except (OSError, MemoryError, Damaged) as error:
            place = folder / artifact
            raise ResultError(f"the weights of trial {trial.number}, {place}, are damaged: {error}") from error
    return None


def lacks_model(folder: Path, trial: "FrozenTrial") -> bool:
    """Whether the weights of a trial are kept, but not its model."""
    return any((folder / name).is_file() and not (folder / _model_of(name)).is_file() for name in _artifacts(trial))


def save_model(storage: "BaseStorage", study_id: int, folder: Path, trial: "FrozenTrial", model: bytes) -> None:
    """Keep the .keras file of a trial whose weights are kept, as another artifact; it is dropped with them.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; nothing is kept then.
    """
    for weights in _artifacts(trial):
        artifact = _model_of(weights)
        with written_whole(folder / artifact) as scratch:
            scratch.write_bytes(model)
        storage.set_study_system_attr(study_id, _mention(trial, artifact), _entry(artifact, MODEL))


def drop_weights(storage: "BaseStorage", study_id: int, folder: Path, trials: "Iterable[FrozenTrial]") -> None:
    """Remove the files of trials' weights and models, and their mention in the dashboard."""
    kept = [(trial, name) for trial in trials for name in _artifacts(trial)]
    mentioned = storage.get_study_system_attrs(study_id) if kept else {}
    for trial, weights in kept:
        for artifact, unmentioned in ((weights, None), (_model_of(weights), GONE)):
            mention = _mention(trial, artifact)
            if mentioned.get(mention, unmentioned) != GONE:
                storage.set_study_system_attr(study_id, mention, GONE)
            (folder / artifact).unlink(missing_ok=True)


def _model_of(weights: str) -> str:
    """The name of the artifact that holds the model of these weights: a trial that has ended can note no other."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"lenet-search:{weights}/{MODEL}"))


def _entry(artifact: str, name: str) -> str:
    return json.dumps({"artifact_id": artifact, "filename": name, "mimetype": "application/zip", "encoding": None})


def _mention(trial: "Trial | FrozenTrial", artifact: str) -> str:
    """The study's attribute under which optuna-dashboard looks for an artifact of a trial.

    Optuna itself mentions it in an attribute of the trial, which cannot be changed once the trial has ended.
    """
    return f"dashboard:artifacts:{trial._trial_id}:{artifact}"


def _artifacts(trial: "FrozenTrial") -> list[str]:
    """The names of a trial's weights. Those of version 0.1.0 are mentioned by the trial, as Optuna does it."""
    kept = [str(name) for key, name in trial.system_attrs.items() if key == KEPT_AS]
    listed = [json.loads(text) for key, text in trial.system_attrs.items() if key.startswith(ARTIFACTS)]
    kept += [str(entry["artifact_id"]) for entry in listed if entry and entry["filename"] == WEIGHTS]
    return [name for name in kept if re.fullmatch(r"[0-9a-fA-F-]+", name)]  # a strange storage leads out of no folder
