"""Opening a study in a storage: create a new one, or compare an existing one with its stored definition."""

import time
import warnings
from collections.abc import Mapping

import numpy as np
import optuna
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState

from lenet_search.errors import DefinitionChanged
from lenet_search.search.history import History
from lenet_search.search.percentiles import RememberingPercentilePruner
from lenet_search.search.remembering import RememberingStudy
from lenet_search.storage import DATA_FOLDERS, DEFINITION
from lenet_search.storage.definitions import definition_of
from lenet_search.storage.facts import data_folders, fact, store_fact
from lenet_search.study import Component, Definition, differences
from lenet_search.study.rehearsal import longest_trial

SAME_EVERYWHERE = ("QMCSampler", "GridSampler")  # all their runs share one sequence, from one seed
PRECISION = "lenet-search precision"  # study attribute: what "auto" means in this study
IMAGES = "lenet-search images"  # study attribute: the digest of its images
KNOWN_INSIDE = ("5.0.",)  # versions of Optuna whose TPE `search/tpe.py` knows; with others, Optuna's own TPE runs
START = "start"  # trial attribute, for people: its place among the starts of the study
PATIENCE = 5.0  # seconds to wait for another run to describe a study that it has just created


def open_study(definition: Definition, storage: BaseStorage, run_id: str) -> RememberingStudy:
    """The Optuna study of `definition`, with its sampler and pruner. In a new study, `[[start]]` is queued.

    Raises:
        DefinitionChanged: the storage contains another study of this name.
    """
    direction, joins = StudyDirection[definition.direction.upper()], False
    try:
        optuna.create_study(study_name=definition.name, storage=storage, direction=direction)
    except optuna.exceptions.DuplicatedStudyError:
        joins = True
        study = RememberingStudy(definition.name, storage)
        _compare(study, definition)
    else:
        study = RememberingStudy(definition.name, storage)
        _describe(study, definition)
    begun = sum(trial.state != TrialState.WAITING for trial in study.get_trials(deepcopy=False))
    study.sampler = _sampler(definition, begun, run_id, study.history, joins=joins)
    study.pruner = _pruner(definition, study.history)
    return study


def compare_images(study: optuna.Study, digest: str) -> None:
    """Check that a study resumes with the images and the split that it was started with.

    Raises:
        DefinitionChanged: they differ, so earlier and later trials could not be compared.
    """
    stored = fact(study, IMAGES)
    if stored is None:
        store_fact(study, IMAGES, digest)
    elif stored != digest:
        raise DefinitionChanged(
            f"study {study.study_name!r} was started with other images (digest {stored}, now {digest}): "
            "choose another name with --name, or restore the old data set"
        )


def remember_folders(study: optuna.Study, folders: Mapping[str, str]) -> None:
    """Keep, by the name of the data set, the folder in which this run has found its file."""
    stored = data_folders(study)
    if any(stored.get(name) != folder for name, folder in folders.items()):
        store_fact(study, DATA_FOLDERS, {**stored, **folders})


def derived_seed(*parts: int) -> int:
    """A seed of 31 bits derived from `parts`; neighboring parts give unrelated seeds."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0] >> 1)


def _describe(study: optuna.Study, definition: Definition) -> None:
    """Queue the starts that are missing, and store the definition last: where it is, everything is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([definition.metric])  # the value's name in plots and in the dashboard
    queued = {trial.user_attrs[START] for trial in study.get_trials(deepcopy=False)}
    for place, values in enumerate(definition.first, start=1):
        if place not in queued:
            study.enqueue_trial(values, user_attrs={START: place})
    store_fact(study, DEFINITION, definition.lines())


def _begun_by_us(study: optuna.Study, definition: Definition) -> bool:
    """Whether a study without a definition has nothing but starts of this one: its creator died before the end."""
    starts = list(enumerate(definition.first, start=1))
    return study.directions == [StudyDirection[definition.direction.upper()]] and all(
        trial.state == TrialState.WAITING
        and (trial.user_attrs.get(START), trial.system_attrs.get("fixed_params")) in starts
        for trial in study.get_trials(deepcopy=False)
    )


def _compare(study: optuna.Study, definition: Definition) -> None:
    stored = _stored_definition(study)
    if stored is None and not _begun_by_us(study, definition):
        raise DefinitionChanged(
            f"the storage contains a study {study.study_name!r} that lenet-search did not create, or whose creation "
            "was interrupted with other starts: choose another name with --name"
        )
    if stored is None:
        _describe(study, definition)
    elif changed := differences(stored, definition.lines()):
        raise DefinitionChanged(
            f"the storage contains a study {study.study_name!r} with another definition:\n"
            + "".join(f"  {line}\n" for line in changed)
            + "Choose another name with --name, or undo the change to resume the stored study."
        )


def _stored_definition(study: optuna.Study) -> Mapping[str, str] | None:
    """The definition stored with the study. Waits a little for a run that has just created the study."""
    deadline, queued = time.monotonic() + PATIENCE, 0
    while True:
        stored, trials = definition_of(study), study.get_trials(deepcopy=False)
        if len(trials) > queued:  # it is still queueing starts: a distant database takes a while
            deadline, queued = time.monotonic() + PATIENCE, len(trials)
        begun = any(trial.state != TrialState.WAITING for trial in trials)
        if stored is not None or begun or time.monotonic() > deadline:
            return stored
        time.sleep(0.1)


def _sampler(
    definition: Definition, begun: int, run_id: str, history: History, *, joins: bool
) -> optuna.samplers.BaseSampler:
    """The definition's sampler. A run that resumes or joins must not repeat the random numbers of the one before.

    That one may have created the study a moment ago, and not have begun a trial yet.
    """
    component = definition.sampler
    seed = int(component.arguments.get("seed") or definition.seed)
    if (begun or joins) and component.kind not in SAME_EVERYWHERE:
        seed = derived_seed(seed, begun, int(run_id, 16))
        if "seed" in component.arguments:
            component = Component(component.kind, {**component.arguments, "seed": seed})
    if component.kind == "TPESampler" and optuna.__version__.startswith(KNOWN_INSIDE):
        from lenet_search.search.tpe import RememberingTPESampler

        remembering: RememberingTPESampler = component.build(seed, instead=RememberingTPESampler)
        remembering.history = history
        return remembering
    built: optuna.samplers.BaseSampler = component.build(seed)
    return built


def _pruner(definition: Definition, history: History) -> optuna.pruners.BasePruner:
    component = definition.pruner.for_epochs(longest_trial(definition.space))
    if component.kind in ("MedianPruner", "PercentilePruner"):
        remembering = RememberingPercentilePruner(**{"percentile": 50.0, **component.arguments})
        remembering.history = history
        return remembering
    built: optuna.pruners.BasePruner = component.build(definition.seed)
    return built
