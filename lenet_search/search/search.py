"""A complete search: check the data, open the study, print the plan, run it, and summarize."""

import math
import signal
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import optuna

from lenet_search import data
from lenet_search.crew.crew import Crew
from lenet_search.crew.messages import Setup
from lenet_search.crew.places import Slots
from lenet_search.crew.signals import Interrupted, Stop, same_command, stop_signals
from lenet_search.crew.staff import hire
from lenet_search.errors import DataError, LenetSearchError, StorageError
from lenet_search.look.progress import View
from lenet_search.networks import network
from lenet_search.recipe import Recipe, Scalar
from lenet_search.recipe.model import Model
from lenet_search.search.exhaustion import Total, total_of
from lenet_search.search.ledger import Ledger
from lenet_search.search.opening import compare_images, remember_folders
from lenet_search.search.searching import Searching
from lenet_search.search.summary import Summary
from lenet_search.search.supply import FIRST_SLOTS
from lenet_search.space import Space
from lenet_search.storage import Patience, artifact_folder, dashboard_command, open_storage, resolve, shown
from lenet_search.storage.address import without_password
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
    freeze_every: float,
    ray: str | None,
    view: View,
    conclude: Callable[[optuna.Study, Summary, Callable[[], bool]], None],
) -> Summary:
    """`lenet_search.search.run`, with its defaults filled in."""
    url = resolve(storage)
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    auto = definition.space.possible("train.precision")
    total = total_of(definition, trials)
    setup = Setup(
        definition.space, 1, slots, data_folder, probe=isinstance(auto, tuple) and "auto" in auto,
        runs=total.trials * definition.seeds.first,
    )  # fmt: skip
    staff = hire(setup, workers, ray, view)
    try:
        staff.start(total.trials)  # first, because workers take seconds to load the backend
        staff.announce(view)
        digests = _look_at_data(definition.space, data_folder, view)
        with stop_signals() as stop:
            try:
                patience = Patience(view.note, lambda: stop.signal is not None)
                opened = open_storage(url, create=True, batched=True, patience=patience)
                ledger = Ledger(definition, opened, artifact_folder(url), total.trials, view.note)
                if len(digests) == 1:
                    compare_images(ledger.study, digests[0])
                remember_folders(ledger.study, _data_folders(definition.space, data_folder))
                _introduce(ledger, total, url, view)
                crew = Crew(staff, view, stop, freeze_every)
                decider = Searching(ledger, view, slots if isinstance(slots, int) else FIRST_SLOTS)
                ended = crew.run(decider, deadline)
                view.update(crew.progress())
                if crew.pace.vain:
                    view.note(in_vain(crew.pace.vain, crew.pace.epochs))
                summary = _summary(ledger, url, crew, ended)
                conclude(ledger.study, summary, lambda: stop.signal is not None)
            except (optuna.exceptions.StorageInternalError, StorageError, OSError) as error:
                raise _storage_failed(url, error, stop) from error
        if stop.signal is not None and ended == "signal":
            raise Interrupted(stop.signal, _how_to_resume(summary), summary)
        return summary
    except KeyboardInterrupt as error:  # while checking the data; later ones are collected by `stop_signals`
        number = getattr(error, "signal", signal.SIGINT)
        raise Interrupted(number, "Interrupted before the search started.") from error
    finally:
        staff.close()
        view.close()


def _storage_failed(url: str, error: Exception, stop: Stop) -> LenetSearchError:
    """What to say of a storage that failed for good. Running trials are frozen, and become orphans of this process."""
    why = (isinstance(error, OSError) and error.strerror) or error.__cause__ or error  # Optuna speaks of invalid data
    said = str(error) if isinstance(error, StorageError) else f"the storage {shown(url)} failed: {why}"
    said = (
        f"{without_password(said, url)}. Running trials are kept as they were last frozen. To resume: {same_command()}"
    )
    return StorageError(said) if stop.signal is None else Interrupted(stop.signal, f"Interrupted, and {said}")


def _how_to_resume(summary: Summary) -> str:
    done = summary.trials["complete"] + summary.trials["pruned"]
    interrupted = summary.trials["interrupted"]
    waiting = f" {interrupted} {'trial was' if interrupted == 1 else 'trials were'} interrupted." if interrupted else ""
    return f"Interrupted with {done} of {summary.trials['total']} trials done.{waiting} To resume: {same_command()}"


def _look_at_data(space: Space, folder: Path | None, view: View) -> list[str]:
    """Load every data set that a trial may use, to fail now rather than later. Returns the digests of their splits."""
    digests: dict[str, None] = {}
    notes: dict[str, None] = {}
    networks: dict[bool, list[str]] = {False: [], True: []}  # by whether 28x28 images are padded for them
    for network_name in _values(space, "model.network"):
        networks[Model(str(network_name)).padded].append(str(network_name))
    for name in _values(space, "data.name"):
        for validation in _values(space, "data.validation"):
            for limit, size in product(_values(space, "data.limit"), _values(space, "data.size")):
                values = {"data.name": name, "data.validation": validation, "data.limit": limit, "data.size": size}
                for padded in (padded for padded in (False, True) if networks[padded]):
                    wanted = Recipe.from_values(values).images._replace(padded=padded)
                    split = data.load(wanted, folder, view.note)
                    _check_fit(space, split, networks[padded])
                    if not len(split.y_val):
                        raise DataError(
                            "data.validation: a search needs validation images, by which it chooses; received 0, which "
                            "is for training a chosen recipe on all images"
                        )
                    digests[split.digest] = None
                    notes |= dict.fromkeys(split.notes)
                height, width, channels = split.x_train.shape[1:]
                view.opening(
                    "Data",
                    f"{split.name}: {len(split.y_train):,} training and {len(split.y_val):,} validation images, "
                    f"{height}x{width}{'' if channels == 1 else ' in color'}, {split.classes} classes",
                )
    for note in notes:
        view.note(note)
    return list(digests)


def _data_folders(space: Space, folder: Path | None) -> dict[str, str]:
    """The folder of each data set that a trial may use, by its name, if it comes from a file."""
    found = {str(name): data.file_of(str(name), folder) for name in _values(space, "data.name")}
    return {name: str(place.folder) for name, place in found.items() if place is not None}


def _check_fit(space: Space, split: data.Split, networks: Sequence[str]) -> None:
    """Check that every batch size and all `networks` fit the images."""
    largest = max(int(size) for size in _values(space, "train.batch_size"))
    if largest > len(split.y_train):
        raise DataError(
            f"train.batch_size: expected at most {len(split.y_train):,}, the number of training images of "
            f"{split.name}; received {largest}; use a smaller batch, or more images (data.limit, data.validation)"
        )
    height, width, channels = split.x_train.shape[1:]
    for name in networks:
        network(Model(name), (height, width, channels), split.classes)


def _values(space: Space, path: str) -> tuple[Scalar, ...]:
    """All values of a choice, or the two ends of a range."""
    possible = space.possible(path)
    return possible if isinstance(possible, tuple) else (possible.low, possible.high)


def _introduce(ledger: Ledger, total: Total, url: str, view: View) -> None:
    definition, counts = ledger.definition, ledger.counts()
    searched = definition.space.searched()
    done = counts.complete + counts.pruned
    words = [f"{total.trials} trial{'' if total.trials == 1 else 's'}{total.reason}"]
    words += [definition.seeds.words()] if definition.seeds.words() else []
    words += [f"{done} {'of them' if done <= total.trials else 'already'} done"] if done else []
    words += [f"{counts.interrupted} interrupted"] if counts.interrupted else []
    view.opening("Study", f"{definition.name}: {', '.join(words)}")
    view.opening("Metric", f"{definition.metric} after the last epoch ({definition.direction})")
    hyperparameters = f"{len(searched)} hyperparameter{'' if len(searched) == 1 else 's'}: {', '.join(searched)}"
    view.opening("Searched", hyperparameters if searched else "nothing: every value is fixed")
    first = f", after {len(definition.first)} first trials, among them recipes that did well on other data"
    begins = first if definition.portfolio and not done else ""
    view.opening("Sampler", f"{definition.sampler.kind} with {definition.pruner.kind}{begins}")
    view.opening("Storage", f"{shown(url)}; best weights in {artifact_folder(url)}")
    view.opening("Watch", dashboard_command(url))


def in_vain(vain: int, epochs: int) -> str:
    """What pruned trials have trained for nothing, in words, beside the `epochs` that counted."""
    share = 100 * vain / (vain + epochs)
    return (
        f"{vain:,} epoch{'' if vain == 1 else 's'} of pruned trials ({share:.1f} % of all) were trained in vain: a GPU "
        "trains the next epoch while the pruner decides about the last"
    )


def _summary(ledger: Ledger, url: str, crew: Crew, ended: str) -> Summary:
    counts, best, pace = ledger.counts(), ledger.best(), crew.pace
    return Summary(
        study=ledger.study.study_name,
        storage=shown(url),
        metric=ledger.definition.metric,
        trials={
            "total": ledger.total,
            "complete": counts.complete,
            "pruned": counts.pruned,
            "failed": counts.failed,
            "interrupted": counts.interrupted,
        },
        best=None if best is None else {"number": best.number, "value": best.value, "params": dict(best.params)},
        ended=ended,
        seconds=round(pace.seconds, 3),
        trials_per_hour=round(3600 * pace.runs / pace.seconds, 3),
        images_per_second=round(pace.images / pace.seconds, 1),
        epochs_in_vain=pace.vain,
    )
