"""A run from its first line to its summary: look at the data, open the study, say what will be done, do it."""

import math
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import optuna

from lenet_search import data
from lenet_search.crew.places import Slots, places
from lenet_search.crew.signals import Interrupted, Stop, stop_signals
from lenet_search.errors import DataError, RunError
from lenet_search.look.progress import View
from lenet_search.machine import usable_cores, visible_gpus
from lenet_search.networks import network
from lenet_search.recipe import Recipe, Scalar
from lenet_search.recipe.model import Model
from lenet_search.search.ledger import Ledger
from lenet_search.search.messages import Setup
from lenet_search.search.opening import compare_images
from lenet_search.search.process import WorkerProcess
from lenet_search.search.summary import Summary
from lenet_search.search.supervisor import Supervisor
from lenet_search.space import Space
from lenet_search.storage import artifact_folder, dashboard_command, open_storage, resolve
from lenet_search.study import Definition


def search(
    definition: Definition,
    *,
    storage: str | None,
    trials: int,
    timeout: float | None,
    workers: int | None,
    slots: Slots,
    data_folder: Path | None,
    view: View,
) -> Summary:
    """`lenet_search.search.run`, with its defaults filled in."""
    url = resolve(storage)
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    cores = usable_cores()
    where = places(workers, visible_gpus(), cores)
    setup = Setup(definition.space, 1, slots, data_folder)
    logs = Path(tempfile.mkdtemp(prefix="lenet-search-"))
    crew: list[WorkerProcess] = []
    supervisor: Supervisor | None = None
    try:
        for number, place in enumerate(where[:trials], 1):  # first of all: loading what computes takes them seconds
            own = replace(setup, threads=place.threads)
            crew.append(WorkerProcess(place, own, logs / f"worker-{number}.log"))
        digests = _look_at_data(definition.space, data_folder, view)
        with stop_signals() as stop:
            try:
                opened = open_storage(url, create=True, batched=True)
                ledger = Ledger(definition, opened, artifact_folder(url), trials, view.note)
                if len(digests) == 1:
                    compare_images(ledger.study, digests[0])
                _introduce(ledger, url, view)
                supervisor = Supervisor(ledger, where, setup, cores, workers, logs, view, stop, deadline, crew)
                return _search(ledger, url, stop, supervisor, view)
            except (optuna.exceptions.StorageInternalError, OSError) as error:
                raise RunError(f"the storage {url} failed: {error}; the same command goes on") from error
    except KeyboardInterrupt as error:  # while looking at the data: later ones are collected by `stop_signals`
        raise Interrupted(2, "Interrupted before anything was begun.") from error
    finally:
        for worker in crew:
            worker.kill()
        if supervisor is None or not supervisor.deaths:  # else somebody may want to read them
            shutil.rmtree(logs, ignore_errors=True)
        view.close()


def _search(
    ledger: Ledger,
    url: str,
    stop: Stop,
    supervisor: Supervisor,
    view: View,
) -> Summary:
    ended = supervisor.run()
    view.update(supervisor.progress())
    summary = _summary(ledger, url, supervisor)
    if ended == "signal":
        assert stop.signal is not None
        done = summary.trials["complete"] + summary.trials["pruned"]
        raise Interrupted(
            stop.signal,
            f"Interrupted with {done} of {ledger.total} trials done. Those that were running are queued again; "
            f"to go on: {_same_command()}",
            summary,
        )
    return summary


def _look_at_data(space: Space, folder: Path | None, view: View) -> list[str]:
    """Load every data set that a trial can ask for, to fail now and not later; the digests of their splits."""
    digests: dict[str, None] = {}
    networks: dict[bool, list[str]] = {False: [], True: []}  # by whether they take 28x28 images padded
    for network_name in _values(space, "model.network"):
        networks[Model(str(network_name)).padded].append(str(network_name))
    for name in _values(space, "data.name"):
        for validation in _values(space, "data.validation"):
            for limit in _values(space, "data.limit"):
                values = {"data.name": name, "data.validation": validation, "data.limit": limit}
                for padded in (padded for padded in (False, True) if networks[padded]):
                    split = data.load(Recipe.from_values(values).images._replace(padded=padded), folder)
                    _check_fit(space, split, networks[padded])
                    digests[split.digest] = None
                height, width, channels = split.x_train.shape[1:]
                view.opening(
                    "Data",
                    f"{split.name}: {len(split.y_train):,} images to train on, {len(split.y_val):,} to validate with, "
                    f"{height}x{width}{'' if channels == 1 else ' in colour'}, {split.classes} classes",
                )
    return list(digests)


def _check_fit(space: Space, split: data.Split, networks: Sequence[str]) -> None:
    """See that every batch, and every one of the `networks`, goes with the images."""
    largest = max(int(size) for size in _values(space, "train.batch_size"))
    if largest > len(split.y_train):
        raise DataError(
            f"train.batch_size: expected at most the {len(split.y_train):,} images of {split.name} to train on; "
            f"received {largest}; give a smaller one, or more images (data.limit, data.validation)"
        )
    height, width, channels = split.x_train.shape[1:]
    for name in networks:
        network(Model(name), (height, width, channels), split.classes)


def _values(space: Space, path: str) -> tuple[Scalar, ...]:
    """All values of a choice; of a range, its ends."""
    possible = space.possible(path)
    return possible if isinstance(possible, tuple) else (possible.low, possible.high)


def _introduce(ledger: Ledger, url: str, view: View) -> None:
    definition, counts = ledger.definition, ledger.counts()
    searched = definition.space.searched()
    done = counts.complete + counts.pruned
    view.opening("Study", f"{definition.name}: {ledger.total} trials" + (f", {done} of them done" if done else ""))
    view.opening("Metric", f"{definition.metric} after the last epoch ({definition.direction})")
    view.opening("Space", f"{len(searched)} open: {', '.join(searched)}" if searched else "nothing open: one recipe")
    view.opening("Sampler", f"{definition.sampler.kind}, pruned by {definition.pruner.kind}")
    view.opening("Storage", f"{url}, weights of the best in {artifact_folder(url)}")
    view.opening("Watch", dashboard_command(url))


def _summary(ledger: Ledger, url: str, supervisor: Supervisor) -> Summary:
    counts, best, pace = ledger.counts(), ledger.best(), supervisor.pace
    return Summary(
        study=ledger.study.study_name,
        storage=url,
        trials={
            "total": ledger.total,
            "complete": counts.complete,
            "pruned": counts.pruned,
            "failed": counts.failed,
        },
        best=None if best is None else {"number": best.number, "value": best.value, "params": dict(best.params)},
        seconds=round(pace.seconds, 3),
        trials_per_hour=round(3600 * pace.trials / pace.seconds, 3),
        images_per_second=round(pace.images / pace.seconds, 1),
    )


def _same_command() -> str:
    if Path(sys.argv[0]).name.startswith("lenet-search"):
        return shlex.join(["lenet-search", *sys.argv[1:]])
    return "run the same again"
