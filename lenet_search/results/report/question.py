"""What a study asked: its space, images, metric, budget, sampler and pruner."""

from collections.abc import Mapping
from html import escape

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from lenet_search.look.lines import duration
from lenet_search.look.page import card, data_table
from lenet_search.look.theme import METRICS, value_text
from lenet_search.look.words import counted
from lenet_search.recipe import FIELDS, Value
from lenet_search.results.best import complete_trials, metric_of, searched
from lenet_search.space import Choice, Range
from lenet_search.storage.definitions import definition_of
from lenet_search.storage.trials import carries_run, run_of, runs_of
from lenet_search.study.stored import stored_reference, stored_space


def question(study: optuna.Study) -> list[str]:
    """The cards of this part."""
    facts = data_table((), _facts(study).items(), facts=True)
    found, reference = _space(study), _reference(study)
    rows = [
        (
            escape(path),
            escape(f"{entry_words(entry)} {_unit(path)}".strip()),
            escape(value_text(reference[path])) if path in reference else "-",
            escape(FIELDS[path].legal.meaning if path in FIELDS else ""),
        )
        for path, entry in found.items()
    ]
    head = ("hyperparameter", "searched", "reference", "meaning")
    space = data_table(head, rows) if rows else "<p>No hyperparameter was searched.</p>"
    return [card("The study in short", facts), card(f"Space: {counted(len(rows), 'hyperparameter')} searched", space)]


def _facts(study: optuna.Study) -> dict[str, str]:
    """What is known, as HTML by title."""
    lines, metric = _lines(study), METRICS[metric_of(study)]
    best = "highest" if study.direction == optuna.study.StudyDirection.MAXIMIZE else "lowest"
    facts = {"Question": f"Which recipe has the {best} {metric.label} after its last epoch?"}
    facts["Images"] = escape(_images(study))
    facts["Budget used"] = _budget(study)
    if lines:
        fixed = sum(path in FIELDS for path in lines) - len(_space(study))
        facts["Fixed"] = f"{counted(fixed, 'hyperparameter')}, see the study file at the end"
        facts["Sampler"] = f"<code>{escape(lines['study.sampler'])}</code>, seed {escape(lines['study.seed'])}"
        facts["Pruner"] = f"<code>{escape(lines['study.pruner'])}</code>"
        facts["Reference"] = "the first start of the study" if "start.1" in lines else "the default recipe"
    return facts


def _budget(study: optuna.Study) -> str:
    trials = [trial for trial in study.get_trials(deepcopy=False) if carries_run(trial)]
    runs = [run for trial in trials for run in runs_of(trial)]
    longest = max((run.recipe.train.epochs for run in runs), default=0)
    epochs, seconds = sum(run.epochs for run in runs), sum(run.seconds for run in runs)
    each = f"{counted(len(trials), 'trial')} of up to {counted(longest, 'epoch')}"
    several = f", {counted(len(runs), 'run')} from different seeds" if len(runs) > len(trials) else ""
    return f"{each}{several}: {counted(epochs, 'epoch')} in {duration(seconds)} of training"


def _images(study: optuna.Study) -> str:
    trials = complete_trials(study)
    if not trials:
        return _lines(study).get("data.name", "unknown until a trial is complete").strip('"')
    images = run_of(trials[0]).images
    height, width, channels = images["image_shape"]
    return (
        f"{images['name']}: {images['train']:,} training and {images['validation']:,} validation images, "
        f"{height}x{width} pixels, {'gray' if channels == 1 else 'color'}, {images['classes']} classes; digest "
        f"{images['digest']}. The test set was not used."
    )


def _lines(study: optuna.Study) -> Mapping[str, str]:
    """The stored definition; empty for a study of another tool."""
    return definition_of(study) or {}


def _space(study: optuna.Study) -> dict[str, Range | Choice]:
    """The searched hyperparameters: those of the definition, else those that the trials drew."""
    if lines := _lines(study):
        return stored_space(lines).searched()
    return {path: _entry(spread) for path, spread in searched(complete_trials(study)).items()}


def _reference(study: optuna.Study) -> Mapping[str, Value]:
    lines = _lines(study)
    return stored_reference(lines).values() if lines else {}


def _entry(spread: BaseDistribution) -> Range | Choice:
    if isinstance(spread, CategoricalDistribution):
        return Choice(tuple(spread.choices))  # type: ignore[arg-type]  # None is Optuna's alone
    whole = isinstance(spread, IntDistribution)
    return Range(spread.low, spread.high, spread.log, spread.step, whole)  # type: ignore[attr-defined]


def entry_words(entry: Range | Choice) -> str:
    """'sgd, adam', '0.001 to 0.1, logarithmic' or '0 to 12 in steps of 4'."""
    if isinstance(entry, Choice):
        return ", ".join(map(value_text, entry.choices))
    words = f"{value_text(entry.low)} to {value_text(entry.high)}"
    if entry.step is not None and not (entry.integer and entry.step == 1):
        words += f" in steps of {value_text(entry.step)}"
    return f"{words}, logarithmic" if entry.log else words


def _unit(path: str) -> str:
    return FIELDS[path].legal.unit if path in FIELDS else ""
