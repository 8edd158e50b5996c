"""A study as one HTML page that works offline: its results, the best recipe, and the plots."""

from datetime import datetime
from html import escape
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from lenet_search.look.intervals import Estimate, is_share
from lenet_search.look.page import data_table, heading, page, picture
from lenet_search.look.theme import METRICS, value_text
from lenet_search.results.best import complete_trials, metric_of, passed_over, top_rows
from lenet_search.results.curves import curves_figure
from lenet_search.results.expected_best_figure import expected_best_figure
from lenet_search.results.figures import history_figure, slices_figure
from lenet_search.results.finalists import winner_of
from lenet_search.results.importance_figure import importance_figure
from lenet_search.results.parallel import parallel_figure, parallel_section
from lenet_search.results.verdict import quick_of, verdict
from lenet_search.storage.confirmed import read_confirmed
from lenet_search.storage.trials import run_of
from lenet_search.study import write_recipe

TOP = 10  # rows of the table of the best trials


def report_page(study: optuna.Study) -> str:
    """The complete page."""
    quick = quick_of(study)
    parts = [
        *heading(f"Study {study.study_name}", quick, verdict(study), _lead(study)),
        _numbers(study),
        picture("importance", quick.figure(importance_figure(study))),
        picture("history", quick.figure(history_figure(study))),
        picture("expected-best", quick.figure(expected_best_figure(study))),
        parallel_section(study, quick.figure(parallel_figure(study))),
        picture("slices", quick.figure(slices_figure(study))),
        picture("curves", quick.figure(curves_figure(study))),
        *_best(study),
        f"<footer>{_footer(study)}</footer>",
    ]
    return page(quick.title(study.study_name), parts)


def _lead(study: optuna.Study) -> str:
    trials = complete_trials(study)
    if not trials:
        return "The plots will fill up during the search."
    images = run_of(trials[0]).images
    height, width, channels = images["image_shape"]
    return (
        f"{images['name']}: {images['train']:,} training and {images['validation']:,} validation images, "
        f"{height}x{width} pixels, {'gray' if channels == 1 else 'color'}, {images['classes']} classes. "
        f"The test set was not used. {passed_over(study)}"
    ).rstrip()


def _numbers(study: optuna.Study) -> str:
    """The key figures."""
    every = study.get_trials(deepcopy=False)
    states = {
        state: sum(trial.state.name == state for trial in every) for state in ("COMPLETE", "PRUNED", "FAIL", "RUNNING")
    }
    counts = f"{states['COMPLETE']} complete, {states['PRUNED']} pruned, {states['FAIL']} failed"
    if states["RUNNING"]:
        counts += f", {states['RUNNING']} running"
    shown = METRICS[metric_of(study)]
    cards = [
        ("", str(len(every)), "trials", counts),
        ("", _span(every), "elapsed, first to last trial", ""),
    ]
    for row in top_rows(study, 1):
        found = row.estimate
        more = (f"95 % interval {bounds} {shown.unit}, " if (bounds := found.bounds()) else "") + f"n = {found.n:,}"
        cards.insert(0, ("best", shown.text(found.value or 0.0), f"best {shown.label}, trial {row.number}", more))
    return (
        '<div class="numbers">'
        + "".join(
            f'<div class="{kind}"><b>{escape(value)}</b><span>{escape(label)}</span><span>{escape(more)}</span></div>'
            for kind, value, label, more in cards
        )
        + "</div>"
    )


def _span(trials: list[FrozenTrial]) -> str:
    starts = [trial.datetime_start for trial in trials if trial.datetime_start]
    ends = [trial.datetime_complete for trial in trials if trial.datetime_complete]
    if not starts or not ends:
        return "-"
    seconds = round((max(ends) - min(starts)).total_seconds())
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds % 60:02d} s"


def _best(study: optuna.Study) -> list[str]:
    """The best recipe as a study file, and the table of the best trials."""
    rows = top_rows(study, TOP)
    if not rows:
        return []
    shown = METRICS[metric_of(study)]
    confirmed = read_confirmed(study)
    sections = write_recipe(winner_of(study)).strip().split("\n\n")
    recipe = "".join(f"<span>{escape(section)}\n\n</span>" for section in sections)
    table = data_table(
        ("rank", "trial", shown.title, "95 % interval", "seconds", "searched hyperparameters"),
        [
            (
                str(row.rank),
                str(row.number),
                row.estimate.figure().removesuffix(" %"),  # which stands in the heading
                row.estimate.bounds() or "-",
                f"{row.seconds:.0f}",
                _params(row.params),
            )
            for row in rows
        ],
        numbers=frozenset(range(5)),
    )
    which = "Best" if confirmed is None else "Confirmed"
    return [
        *([] if confirmed is None else [_race(confirmed)]),
        f"<section><h2>{which} recipe, as a study file</h2><pre>{recipe}</pre></section>",
        f"<section><h2>Best {len(rows)} trials</h2>{table}</section>",
    ]


def _race(confirmed: dict[str, Any]) -> str:
    """The recipes of the confirmation, the leader first."""
    shown = METRICS[confirmed["metric"]]
    cells = []
    for row in confirmed["recipes"]:
        mean = Estimate(row["mean"], row["n"], row["low"], row["high"], "seeds", is_share(confirmed["metric"]))
        state = "winner" if row["name"] == confirmed["winner"] else row["state"]
        cells.append((escape(row["name"]), str(mean), str(row["n"]), escape(state)))
    table = data_table(("recipe", f"{shown.label}, 95 % interval", "seeds", "verdict"), cells, frozenset({2}))
    return f"<section><h2>On fresh seeds</h2>{table}</section>"


def _params(params: dict[str, Any]) -> str:
    return ", ".join(f"{escape(path)} <b>{escape(value_text(value))}</b>" for path, value in params.items())


def _footer(study: optuna.Study) -> str:
    trials = complete_trials(study)
    if not trials:
        return "Written by lenet-search."
    run = run_of(trials[0])
    versions = ", ".join(f"{package} {version}" for package, version in run.versions.items())
    return escape(f"Written by lenet-search on {datetime.now():%Y-%m-%d}. Best trial on {run.device}, with {versions}.")
