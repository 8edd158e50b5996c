"""A study as one page of HTML: what came out, the best recipe, and the pictures. It needs no network."""

from datetime import datetime
from html import escape
from typing import Any

import optuna
import plotly.graph_objects as go
from optuna.trial import FrozenTrial
from plotly.offline import get_plotlyjs

from lenet_search.results.best import Row, complete_trials, metric_of, top_rows
from lenet_search.results.curves import curves_figure
from lenet_search.results.figures import history_figure, importance_figure, parallel_figure, slices_figure
from lenet_search.results.theme import FONT, GRID, INK, METRICS, PALETTE, SOFT, Shown, value_text
from lenet_search.storage import Record
from lenet_search.study import write_recipe

CONFIG = {"responsive": True, "displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
TOP = 10  # rows of the table of the best trials

STYLE = f"""
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #f5f7fa; color: {INK}; font: 16px/1.55 {FONT}; }}
main {{ max-width: 1240px; margin: 0 auto; padding: 40px 24px 80px; }}
h1 {{ font-size: 34px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; overflow-wrap: anywhere; }}
h2 {{ font-size: 19px; margin: 0 0 14px; }}
.lead {{ color: {SOFT}; margin: 0 0 28px; }}
section {{ background: white; border: 1px solid {GRID}; border-radius: 12px; padding: 24px; margin: 0 0 22px; }}
.wide {{ overflow-x: auto; }}
.numbers {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px; margin: 0 0 22px; }}
.numbers div {{ background: white; border: 1px solid {GRID}; border-radius: 12px; padding: 16px 18px; }}
.numbers b {{ display: block; font-size: 25px; line-height: 1.25; font-weight: 650; }}
.numbers .best b {{ color: {PALETTE[0]}; }}
.numbers span {{ display: block; color: {SOFT}; font-size: 14px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; }}
th, td {{ text-align: left; padding: 7px 12px 7px 0; border-bottom: 1px solid {GRID}; vertical-align: top; }}
th {{ color: {SOFT}; font-weight: 600; white-space: nowrap; }}
.number {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
code, pre {{ font: 13px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
pre {{ margin: 0; overflow-x: auto; columns: 3 260px; column-gap: 40px; }}
pre span {{ display: block; break-inside: avoid; }}
footer, .small {{ color: {SOFT}; font-size: 14px; }}
"""


def report_page(study: optuna.Study) -> str:
    """The whole page; plotly's code is in it once, so it works from a file, offline."""
    figures = [
        ("importance", importance_figure(study)),
        ("history", history_figure(study)),
        ("parallel", parallel_figure(study)),
        ("slices", slices_figure(study)),
        ("curves", curves_figure(study)),
    ]
    name = escape(study.study_name)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{name} · lenet-search</title><style>{STYLE}</style>",
        f"<script>{get_plotlyjs()}</script></head><body><main>",
        f"<h1>Study {name}</h1>",
        f'<p class="lead">{_lead(study)}</p>',
        _numbers(study),
        *_best(study),
        *(_figure(each, figure) for each, figure in figures),
        f"<footer>{_footer(study)}</footer>",
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _lead(study: optuna.Study) -> str:
    trials = complete_trials(study)
    if not trials:
        return "No trial is complete yet: the pictures fill up as the search goes on."
    images = Record.of(trials[0]).images
    height, width, channels = images["image_shape"]
    return (
        f"{escape(str(images['name']))}: {images['train']:,} training and {images['validation']:,} validation images, "
        f"{height}x{width} pixels, {'grey' if channels == 1 else 'color'}, {images['classes']} classes. "
        "The test set was not looked at."
    )


def _numbers(study: optuna.Study) -> str:
    """The figures that a reader looks for first."""
    every = study.get_trials(deepcopy=False)
    states = {
        state: sum(trial.state.name == state for trial in every) for state in ("COMPLETE", "PRUNED", "FAIL", "RUNNING")
    }
    counts = f"{states['COMPLETE']} complete, {states['PRUNED']} pruned, {states['FAIL']} failed"
    if states["RUNNING"]:
        counts += f", {states['RUNNING']} running"
    shown = METRICS[metric_of(study)]
    cards = [("", str(len(every)), "trials", counts), ("", _span(every), "from the first trial to the last", "")]
    for row in top_rows(study, 1):
        cards.insert(
            0, ("best", shown.text(row.value), f"best {shown.label}, trial {row.number}", _interval(row, shown))
        )
    return (
        '<div class="numbers">'
        + "".join(
            f'<div class="{kind}"><b>{escape(value)}</b><span>{escape(label)}</span><span>{escape(more)}</span></div>'
            for kind, value, label, more in cards
        )
        + "</div>"
    )


def _interval(row: Row, shown: Shown) -> str:
    if row.low is None or row.high is None:
        return f"n = {row.images:,}"
    low, high = row.low * shown.factor, row.high * shown.factor
    return f"95 % interval {low:.{shown.digits}f} to {high:.{shown.digits}f} {shown.unit}, n = {row.images:,}"


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
    record = Record.of(complete_trials(study)[0])
    sections = write_recipe(record.recipe).strip().split("\n\n")
    recipe = "".join(f"<span>{escape(section)}\n\n</span>" for section in sections)
    head = ("rank", "trial", shown.title, "95 % interval", "seconds", "what was searched")
    lines = [
        f'<tr><td class="number">{row.rank}</td><td class="number">{row.number}</td>'
        f'<td class="number">{row.value * shown.factor:.{shown.digits}f}</td>'
        f'<td class="number">{_bounds(row, shown)}</td><td class="number">{row.seconds:.0f}</td>'
        f"<td>{_params(row.params)}</td></tr>"
        for row in rows
    ]
    titles = "".join(
        f'<th class="{"number" if place < 5 else ""}">{escape(title)}</th>' for place, title in enumerate(head)
    )
    note = "The best of many trials looks better than it is, since the same images chose it: the test set tells."
    return [
        f"<section><h2>The best recipe, as a study file</h2><pre>{recipe}</pre></section>",
        f'<section><h2>The best {len(rows)} trials</h2><div class="wide"><table>',
        f"<thead><tr>{titles}</tr></thead><tbody>",
        *lines,
        f'</tbody></table></div><p class="small">{note}</p></section>',
    ]


def _bounds(row: Row, shown: Shown) -> str:
    if row.low is None or row.high is None:
        return "-"
    return f"{row.low * shown.factor:.1f} to {row.high * shown.factor:.1f}"


def _params(params: dict[str, Any]) -> str:
    return ", ".join(f"{escape(path)} <b>{escape(value_text(value))}</b>" for path, value in params.items())


def _figure(name: str, figure: go.Figure) -> str:
    meta = figure.layout.meta or {}
    inner = figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=CONFIG)
    return f'<section class="wide"><div style="min-width: {meta.get("min_width", 320)}px">{inner}</div></section>'


def _footer(study: optuna.Study) -> str:
    trials = complete_trials(study)
    if not trials:
        return "Written by lenet-search."
    record = Record.of(trials[0])
    versions = ", ".join(f"{package} {version}" for package, version in record.versions.items())
    return escape(
        f"Written by lenet-search on {datetime.now():%Y-%m-%d}. Best trial on {record.device}, with {versions}."
    )
