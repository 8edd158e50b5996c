"""Journals to damage, and what reads them: every command that shows a study, and a run that appends to it."""

import functools
import io
import json
import shutil
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from random import Random
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from fuzzing.damage import DEEP, damaged, damaged_json
from fuzzing.run_files import a_run
from lenet_search.errors import LenetSearchError
from lenet_search.look.waterfall import ablation_figure
from lenet_search.recipe import Recipe
from lenet_search.results.best import best_trial, complete_trials, passed_over, pick_study, top_rows
from lenet_search.results.chosen import confirmed_means, headline
from lenet_search.results.finalists import reference_of
from lenet_search.results.importance import importance
from lenet_search.results.notes import study_note
from lenet_search.results.report.commands import commands
from lenet_search.results.report.question import question
from lenet_search.results.report.winner import winner
from lenet_search.results.verdict import verdict
from lenet_search.search.frozen_trials import FROZEN
from lenet_search.search.ledger import Ledger
from lenet_search.search.opening import compare_images, open_study, remember_folders
from lenet_search.search.parents import PREFIX, RUN
from lenet_search.storage import DATA_FOLDERS, open_storage
from lenet_search.storage.ablated import read_ablated, write_ablated
from lenet_search.storage.confirmed import write_confirmed
from lenet_search.storage.facts import store_fact
from lenet_search.storage.trials import attributes_of, carries_run, note, note_runs, runs_of
from lenet_search.study import Definition, read

TRIALS = 12
COMPLETE = TrialState.COMPLETE


@functools.cache
def _definition() -> Definition:
    return read("digits", overrides=["study.trials=20"])


@functools.cache
def _example() -> bytes:
    """A journal with a study of ours, which another tool has used as well, and its confirmation."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.journal"
        storage = open_storage(str(path), create=True)
        study = open_study(_definition(), storage, "0123456789ab")
        store_fact(study, DATA_FOLDERS, {"digits": "/nowhere"})
        for parent in ("0123456789ab", "1123456789ab"):
            heartbeat = {"host": "another", "pid": 7, "started": "1", "time": 1_700_000_000, "over": False}
            store_fact(study, PREFIX + parent, heartbeat)
        rng = Random(0)
        for number in range(TRIALS):
            trial = study.ask()
            note(storage, trial, RUN, "0123456789ab")
            note(storage, trial, FROZEN, f"{number:032x}.npz")
            _definition().space.sample(trial)
            runs = a_run(number), a_run(number + 100)
            if number % 3:
                note_runs(storage, trial, *runs)
            else:  # as version 0.1.0 did
                for name, value in attributes_of(*runs).items():
                    trial.set_user_attr(name, value)
            for epoch in (1, 2):
                trial.report(rng.random(), epoch)
            study.tell(trial, rng.random())
        note(storage, study.ask(), RUN, "0123456789ab")
        study.add_trial(optuna.create_trial(value=0.5, params={}, user_attrs={"by": "another tool"}))
        rows = [{"trial": number, "name": f"trial-{number}", "searched": 0.5, "mean": 0.5, "n": 3, "low": 0.4,
        "high": 0.6,
                 "state": "out", "seeds": {"1": 0.5, "2": 0.5}, "model_seed": 1, "behind": None, "parameters": 61706,
                 "values": Recipe().values()} for number in (0, 1)]  # fmt: skip
        summary = {
            "study": "digits",
            "recipes": rows,
            "winner": "trial-0",
            "tied": ["trial-0"],
            "metric": "val_accuracy",
            "epochs": None,
            "gain": {"n": 2, "mean": 0.1, "low": 0.0, "high": 0.2},
            "verdict": ["trial-0 wins."],
        }
        write_confirmed(study, summary)
        mean = {"n": 2, "mean": 0.5, "low": 0.4, "high": 0.6}
        step = mean | {"choice": "augment.flip", "before": {"augment.flip": 0.0}, "after": {"augment.flip": 0.5},
                       "verdict": "helps"}  # fmt: skip
        ablated = {"study": "digits", "metric": "val_accuracy", "path": False, "winner": mean, "reference": mean,
                   "verdict": "augment.flip helps.", "steps": [step]}  # fmt: skip
        write_ablated(study, ablated, Recipe())
        return path.read_bytes()


def journal(rng: Random, folder: Path) -> Path:
    """A damaged journal: bytes, or values of an entry, or entries that are missing, doubled or in another order."""
    lines = _example().splitlines(keepends=True)
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(len(lines))
        match rng.randrange(7):
            case 0:
                del lines[place]
            case 1:
                lines.insert(rng.randrange(len(lines)), lines[place])
            case 2 if rng.random() < 0.1:
                lines[place] = b'{"op_code":' + b"[" * DEEP + b"\n"
            case 3:
                lines[place] = damaged(rng, lines[place], lines)
            case _:
                text = damaged_json(rng, json.loads(lines[place])) if lines[place].startswith(b"{") else ""
                lines[place] = text.encode("utf-8", "surrogateescape") + b"\n"
        if not lines:
            break
        try:
            json.loads(lines[min(place, len(lines) - 1)])
        except (ValueError, RecursionError):
            break  # what is no entry any more is damaged enough
    content = b"".join(lines)
    path = folder / "study.journal"
    path.write_bytes(damaged(rng, content) if rng.random() < 0.15 else content)
    return path


def foreign_journal(rng: Random, folder: Path) -> Path:
    """A journal whose trials another tool may have added: parameters of all kinds, in some of the trials only."""
    path = folder / "study.journal"
    study = optuna.create_study(storage=open_storage(str(path), create=True), study_name="foreign")
    values = (0.5, 0.5, 1e308, -1e308, 1e-320, 0.0, float("inf"), float("-inf"))
    names = rng.sample(["a", "b", "optimizer.kind", "train.epochs", "é", "x" * 300], rng.choice((1, 2, 4)))
    kinds: dict[str, Any] = {
        name: rng.choice(
            (FloatDistribution(0, 1), FloatDistribution(1e-9, 1e9, log=True), IntDistribution(0, 0),
            IntDistribution(1, 10**9),
             CategoricalDistribution([None, True, 1.5, "x"]), FloatDistribution(-1e308, 1e307))
        )
        for name in names
    }  # fmt: skip
    for _ in range(rng.choice((9, 12, 30))):
        drawn = {name: kind for name, kind in kinds.items() if rng.random() < rng.choice((0.5, 1.0))}
        params = {
            name: rng.choice(kind.choices)
            if isinstance(kind, CategoricalDistribution)
            else rng.choice((kind.low, kind.high))
            for name, kind in drawn.items()
        }
        attributes = attributes_of(a_run()) if rng.random() < 0.8 else {}
        value = rng.choice(values) if rng.random() < 0.3 else rng.random()
        state = rng.choice((COMPLETE, COMPLETE, COMPLETE, TrialState.PRUNED))
        trial = optuna.create_trial(
            state=state, value=value if state == COMPLETE else None, params=params, distributions=drawn,
            intermediate_values={1: rng.choice(values)}, user_attrs=attributes,
        )  # fmt: skip
        study.add_trial(trial)
    return path


def read_importance(path: Path) -> None:
    """As `best` and the report show it."""
    json.dumps(importance(pick_study(open_storage(str(path), create=False))).to_json(), allow_nan=False)


def read_journal(path: Path) -> None:
    """Show each study as the commands do; then continue it in a copy, which must keep every trial."""
    _show(path)
    copy = shutil.copy(path, path.with_name("copy.journal"))
    before = _numbers(path)
    try:
        storage = open_storage(str(copy), create=True, batched=True)
        for study in storage.get_all_studies():
            storage.create_new_trial(study._study_id)
        ledger = Ledger(_definition(), storage, path.parent / "artifacts", 20)
        ledger.adopt_orphans()
        ledger.counts()
        remember_folders(ledger.study, {"digits": "/elsewhere"})
        compare_images(ledger.study, "0" * 16)
        ledger.settle("float32")
        ledger.ask()
        ledger.beat(over=True)
        ledger.flush()
        after = _numbers(Path(copy))
    except LenetSearchError as error:
        raise LenetSearchError(
            f"{path}: {error}"
        ) from error  # it may name a trial or a study; the command knows the file
    kept = {name: after[name][: len(numbers)] for name, numbers in before.items()}
    assert kept == before, "trials are lost"


def _show(path: Path) -> None:
    storage = open_storage(str(path), create=False)
    told: LenetSearchError | None = None
    for name in [None, *(each.study_name for each in storage.get_all_studies() if each.study_name != "digits.confirm")]:
        try:
            study = pick_study(storage, name)
            for show in (
                lambda study=study: top_rows(study, 5),
                lambda study=study: [headline(study, best_trial(study)) for _ in complete_trials(study)[:1]],
                lambda study=study: [
                    runs_of(trial) for trial in study.get_trials(deepcopy=False) if carries_run(trial)
                ],
                lambda study=study: passed_over(study),
                lambda study=study: confirmed_means(study),
                lambda study=study: [question(study), commands(study, str(path)), winner(study)],
                lambda study=study: [study_note(study, str(path)), verdict(study), reference_of(study)],
                lambda study=study: [ablation_figure(found) for found in read_ablated(study)],
            ):
                try:
                    with redirect_stdout(io.StringIO()):
                        show()
                except LenetSearchError as error:
                    told = error
        except LenetSearchError as error:
            told = error
    if told is not None and path.name not in str(told):
        told = LenetSearchError(f"{path}: {told}")  # it names a trial or a study, and the command the storage
    if told is not None:
        raise told


def _numbers(path: Path) -> dict[str, list[int]]:
    storage = open_storage(str(path), create=False)
    return {
        each.study_name: [trial.number for trial in storage.get_all_trials(each._study_id, deepcopy=False)]
        for each in storage.get_all_studies()
    }
