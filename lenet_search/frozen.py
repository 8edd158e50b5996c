"""A frozen run: everything that it needs to go on later, in another slot, on another worker, after another start."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from lenet_search.errors import ResultError
from lenet_search.run import Run
from lenet_search.untrusted import Damaged, Npz, json_object, opened_npz
from lenet_search.whole import written_whole

RUN = "run"  # the member of the file that holds the run, as JSON
WEIGHT = "weights/"  # how the names of a finished run's weights begin


@dataclass(frozen=True, eq=False)
class SlotState:
    """What a slot has learned, packed as its stack packs it: float32 (P,), or (0,) where a program does without.

    weights                trained parameters
    first, second, third   the optimizer's moments
    moving                 moving statistics
    """

    weights: np.ndarray
    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    moving: np.ndarray


def write_frozen(path: Path, run: Run, state: SlotState) -> None:
    """Write a run and its state after its last epoch to a file, whole or not at all.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.
    """
    arrays = {each.name: getattr(state, each.name) for each in fields(SlotState)}
    with written_whole(path) as scratch, scratch.open("wb") as file:
        np.savez(file, **{RUN: _text(run)}, **arrays)  # type: ignore[arg-type]  # its second parameter is a flag


def write_finished(path: Path, run: Run, weights: Mapping[str, np.ndarray]) -> None:
    """Write a run that is over, and its weights by name, to a file, whole or not at all.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.
    """
    arrays = {WEIGHT + name: array for name, array in weights.items()}
    with written_whole(path) as scratch, scratch.open("wb") as file:
        np.savez(file, **{RUN: _text(run)}, **arrays)  # type: ignore[arg-type]  # its second parameter is a flag


def read_finished(path: Path) -> tuple[Run, dict[str, np.ndarray]] | None:
    """What `write_finished` wrote; None where there is no such file.

    Raises:
        ResultError: as `read_frozen`.
    """
    try:
        with opened_npz(path) as file:
            weights = {
                name.removeprefix(WEIGHT): _numbers(file, name) for name in file.names if name.startswith(WEIGHT)
            }
            return Run.from_json(json_object(file[RUN].tobytes())), weights
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, MemoryError, Damaged) as error:
        raise ResultError(f"{path}: not a finished run, or damaged ({error})") from error


def _text(run: Run) -> np.ndarray:
    return np.frombuffer(json.dumps(run.to_json(), allow_nan=False).encode(), np.uint8)


def _numbers(file: Npz, name: str) -> np.ndarray:
    """An array of what a run has learned, which is float32 in every file that we write."""
    array = file[name]
    if array.dtype != np.float32:
        raise Damaged(f"{name}: expected float32; received {array.dtype}")
    return array


def read_frozen(path: Path) -> tuple[Run, SlotState] | None:
    """What `write_frozen` wrote; None where there is no such file.

    Raises:
        ResultError: the file is damaged, or was written by a version that this one does not understand.
    """
    try:
        with opened_npz(path) as file:
            run = Run.from_json(json_object(file[RUN].tobytes()))
            state = SlotState(*(_numbers(file, each.name) for each in fields(SlotState)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, MemoryError, Damaged) as error:
        raise ResultError(f"{path}: not a frozen run, or damaged ({error})") from error
    if any(array.ndim != 1 for array in (state.weights, state.first, state.second, state.third, state.moving)):
        raise ResultError(f"{path}: not a frozen run: expected one row of numbers for each part of the state")
    return run, state
