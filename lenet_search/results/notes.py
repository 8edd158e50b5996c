"""The notes that a dashboard shows of a study, of its trials and of its confirmation, in Markdown."""

import math
import re
import shlex
from collections.abc import Mapping
from statistics import fmean
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from lenet_search.look.intervals import Estimate, is_share
from lenet_search.look.lines import duration, recipe_in_short, sparkline
from lenet_search.look.theme import METRICS, Shown, value_text
from lenet_search.look.words import counted
from lenet_search.results.best import estimate_of, metric_of, ordered
from lenet_search.results.report.question import entry_words
from lenet_search.results.verdict import quick_of, verdict
from lenet_search.space import Choice, Range, Space
from lenet_search.storage import resolve, shown
from lenet_search.storage.address import HIDDEN, HOW_TO_GIVE_THE_PASSWORD
from lenet_search.storage.confirmed import place_of
from lenet_search.storage.definitions import definition_of
from lenet_search.storage.trials import REASON, carries_run, runs_of
from lenet_search.study.stored import stored_space

CURVE = 32  # characters
STATES = {TrialState.COMPLETE: "Complete", TrialState.PRUNED: "Pruned", TrialState.FAIL: "Failed"}


def study_note(study: optuna.Study, url: str) -> str:
    """What a study asks, its verdict, and the commands to go on with."""
    first, *more = verdict(study)
    warning = quick_of(study).warning
    parts = [f"**{_plain(first)}** {_plain(' '.join(more))}".rstrip()]
    parts += [f"*{_plain(warning)}*"] if warning else []
    lines = definition_of(study)
    parts += [] if lines is None else [_question(study, lines)]
    return "\n\n".join([*parts, _commands(study.study_name, url)])


def trial_note(study: optuna.Study, trial: FrozenTrial, confirmed: str = "") -> str:
    """A trial's result, recipe and curve in a few lines, and why it ended; `confirmed` is its result on fresh seeds."""
    metric = METRICS[metric_of(study)]
    runs = runs_of(trial) if carries_run(trial) else []
    lines = []
    if trial.state == TrialState.COMPLETE:
        found = estimate_of(study, trial)
        bounds = f" (95 % interval {found.bounds()})" if found.bounds() else ""
        over = f"on {found.n:,} images" if found.over == "images" else f"over {found.n} seeds"
        lines.append(f"**{metric.text(found.value or 0.0)}** {metric.label}{bounds} {over}")
    lines.append(f"**{STATES[trial.state]}:** {_plain(_why_ended(trial))}")
    if len(runs) > 1:
        values = ", ".join(metric.number(run.curve[metric_of(study)][-1]) for run in runs)
        lines.append(f"**{len(runs)} seeds:** {values}")
    if confirmed:
        lines.append(f"**On fresh seeds:** {confirmed}")
    if trial.params:
        lines.append(f"**Recipe:** {_plain(', '.join(recipe_in_short(ordered(trial.params)).split('  ')))}")
    if runs:
        curve = [fmean(values) for values in zip(*(run.curve[metric_of(study)] for run in runs), strict=False)]
        lines.append(_curve(curve, metric, maximize=is_share(metric_of(study))))
        lines.append(f"**Trained** for {duration(sum(run.seconds for run in runs))} on {_plain(runs[0].device)}")
    return "\n\n".join(filter(None, lines))


def confirmation_note(study: optuna.Study, confirmed: Mapping[str, Any]) -> str:
    """What the study of a confirmation holds, and its verdict."""
    first, *more = confirmed["verdict"]
    return (
        f"**{_plain(first)}** {_plain(' '.join(more))}\n\n"
        f"The best recipes of study {_plain(study.study_name)} and its reference, trained again on fresh seeds. "
        "Each trial is a recipe. Its value is the mean over its seeds, and its intermediate values are the seeds' "
        "results: the step counts them."
    )


def recipe_note(confirmed: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """The result of a recipe in a confirmation."""
    metric = METRICS[confirmed["metric"]]
    mean = Estimate(row["mean"], row["n"], row["low"], row["high"], "seeds", is_share(confirmed["metric"]))
    state = place_of(confirmed, row)
    searched = "" if row["searched"] is None else f"\n\n**In the search:** {metric.text(row['searched'])}"
    name = "The reference" if row["trial"] is None else f"Trial {row['trial']} of the search"
    return (
        f"**{metric.interval(mean)}** {metric.label}, mean of {counted(row['n'], 'seed')}\n\n**Verdict:** {state}"
        f"{searched}\n\n**Recipe:** {name}, {row['parameters']:,} parameters"
    )


def _question(study: optuna.Study, lines: Mapping[str, str]) -> str:
    space, metric = stored_space(lines), METRICS[metric_of(study)]
    searched = space.searched()
    best = "highest" if study.direction == optuna.study.StudyDirection.MAXIMIZE else "lowest"
    asked = (
        f"### What it asks\n\nWhich recipe for {_of(space, 'model.network')} on {_of(space, 'data.name')} has the "
        f"{best} {metric.label}? Epochs: {_of(space, 'train.epochs')}."
    )
    if not searched:
        return f"{asked} Every hyperparameter is fixed."
    rows = [f"| {path} | {_plain(entry_words(entry))} |" for path, entry in searched.items()]
    return "\n".join([f"{asked} Searched:\n", "| hyperparameter | values |", "|---|---|", *rows])


def _of(space: Space, path: str) -> str:
    entry = space.entries[path]
    return _plain(entry_words(entry) if isinstance(entry, Choice | Range) else value_text(entry))


def _commands(name: str, url: str) -> str:
    place = "" if shown(url) == shown(resolve(None)) else f" --storage {shlex.quote(shown(url))}"
    study = f"--study {shlex.quote(name)}{place}"
    commands = {
        f"best {study}": "the best trials, and what mattered",
        f"confirm {study}": "the best recipes on fresh seeds",
        f"ablate {study}": "what each choice of the winner brings",
        f"report {study}": "all of it on one page",
        f"best {study} --export": "recipe, model and script",
    }
    width = max(map(len, commands))
    lines = [f"lenet-search {command:<{width}}    # {purpose}" for command, purpose in commands.items()]
    hidden = f"\n\n{_plain(HOW_TO_GIVE_THE_PASSWORD)}." if HIDDEN in place else ""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", study)), default=0))  # longer than any in a name
    return "\n".join(["### How to go on\n", fence, *lines, fence]) + hidden


def _why_ended(trial: FrozenTrial) -> str:
    if trial.state == TrialState.COMPLETE:
        return f"trained for all {counted(trial.last_step or 0, 'epoch')}."
    return f"{str(trial.user_attrs.get(REASON, 'for an unknown reason')).rstrip('.')}."


def _curve(values: list[float], metric: Shown, *, maximize: bool) -> str:
    """A learning curve in words; empty if nothing in it is finite."""
    finite = [(value, epoch) for epoch, value in enumerate(values, start=1) if math.isfinite(value)]
    if not finite:
        return ""
    best, epoch = max(finite) if maximize else min(finite)
    bars = f"`{sparkline(values, CURVE)}` " if len(finite) > 1 else ""
    start, end = finite[0][0], finite[-1][0]
    return f"**Curve:** {bars}{metric.text(start)} to {metric.text(end)}; best {metric.text(best)} in epoch {epoch}"


def _plain(text: str) -> str:
    """A text in which Markdown reads no markup: names and reasons may hold any characters."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>#|~$" else char for char in " ".join(text.split()))
