"""Parallel coordinates of a search: a line per trial through the hyperparameters that vary most, or those chosen."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import optuna
import plotly.graph_objects as go
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from lenet_search.look.page import anchor
from lenet_search.look.theme import METRICS, axis_label, log_ticks, name_text, note, tick_text, titled, value_text
from lenet_search.look.words import counted
from lenet_search.results.best import NOTHING_SEARCHED, NOTHING_YET, complete_trials, metric_of, searched

ABSENT = "none"  # marks trials without this hyperparameter
MOST_AXES = 10  # hyperparameters shown at first: names are legible on axes `WIDTH` apart, and 1,142 pixels are there
WIDTH = 100  # pixels from axis to axis
LETTERS = 17  # of a name, in one line
MARGIN = 140  # pixels left and right of the axes
PARTS = 5  # of a range, to tell how evenly trials spread over it


def axes_to_choose(study: optuna.Study) -> str:
    """A box to tick for each hyperparameter, as HTML to follow the figure; "" if the figure shows all of them."""
    trials = complete_trials(study)
    paths = list(searched(trials))
    if len(paths) <= MOST_AXES:
        return ""
    shown = most_varied(trials, MOST_AXES)
    boxes = "".join(
        f'<label><input type="checkbox" value="{place}"{" checked" if path in shown else ""}> {escape(path)}</label>'
        for place, path in enumerate(paths)
    )
    return f'<details class="choice"><summary>Choose axes</summary>{boxes}</details>{_SCRIPT}'


_SCRIPT = f"""<script>
document.querySelectorAll(".choice input").forEach(box => box.addEventListener("change", () => {{
  const plot = document.getElementById({json.dumps(anchor("parallel"))});
  const shown = document.querySelectorAll(".choice input:checked").length + 1;
  plot.closest(".wide").firstElementChild.style.minWidth = `${{shown * {WIDTH} + {MARGIN - WIDTH}}}px`;
  Plotly.restyle(plot, {{[`dimensions[${{box.value}}].visible`]: box.checked}}).then(() => Plotly.Plots.resize(plot));
}}));
</script>"""


def parallel_figure(study: optuna.Study) -> go.Figure:
    """Parallel coordinates: one line per complete trial, through its hyperparameters to its value; dark is best.

    Of more than `MOST_AXES` hyperparameters, those that vary most are visible.
    """
    metric, title = METRICS[metric_of(study)], "Parallel coordinates"
    trials = complete_trials(study)
    if not trials:
        return note(title, NOTHING_YET)
    spreads, shown = searched(trials), most_varied(trials, MOST_AXES)
    if not spreads:
        return note(title, NOTHING_SEARCHED)
    values = np.array([trial.value for trial in trials]) * metric.factor
    maximize = study.direction == StudyDirection.MAXIMIZE
    dimensions = [
        _dimension(path, spread, [trial.params.get(path) for trial in trials]) | {"visible": path in shown}
        for path, spread in spreads.items()
    ]
    dimensions.append({"label": f"<b>{name_text(metric.title, LETTERS)}</b>", "values": values})
    worst, best = np.quantile(values, [0.1, 1.0] if maximize else [0.9, 0.0])  # one bad trial must not set the scale
    lines = go.Parcoords(
        dimensions=dimensions,
        labelside="bottom",  # where there is room for several lines
        labelfont={"size": 11},
        tickfont={"size": 11},
        rangefont={"size": 1, "color": "rgba(0,0,0,0)"},  # redundant with the ticks
        line={
            "color": values,
            "colorscale": "Viridis_r" if maximize else "Viridis",
            "cmin": min(worst, best),
            "cmax": max(worst, best),
            "showscale": True,
            "colorbar": {"title": {"text": metric.unit}, "thickness": 14, "len": 0.9},
        },
    )
    subtitle = counted(len(trials), "complete trial")
    subtitle += f"; drag along an axis to select lines; '{ABSENT}': not part of the recipe"
    if len(shown) < len(spreads):
        subtitle += f"; axes: the {len(shown)} of {len(spreads)} hyperparameters that vary most"
    figure = titled(go.Figure(lines), title, subtitle, height=560)
    return figure.update_layout(
        margin={"l": 90, "r": 50, "t": 110, "b": 90}, meta={"min_width": len(shown) * WIDTH + MARGIN}
    )


def most_varied(trials: Sequence[FrozenTrial], most: int) -> list[str]:
    """The `most` hyperparameters over whose values the trials spread most evenly, in the order of `FIELDS`.

    Evenness is Shannon's entropy as a share of its maximum (Pielou 1966). A choice counts by its values, a range by
    `PARTS` parts of equal width on its scale; trials without the hyperparameter count as one more value.
    """
    spreads = searched(trials)
    evenness = {
        path: _evenness(spread, [trial.params.get(path) for trial in trials]) for path, spread in spreads.items()
    }
    ranked = sorted(spreads, key=lambda path: -evenness[path])[:most]
    return [path for path in spreads if path in ranked]


def _evenness(spread: BaseDistribution, values: Sequence[Any]) -> float:
    """From 0, where all trials have one value, to 1, where all values are equally frequent."""
    places, _, _ = _places(spread, values)
    if isinstance(spread, CategoricalDistribution):
        parts: list[float | None] = list(places)
        possible = len(spread.choices)
    else:
        low, high = _ends(spread)
        width = (high - low) / PARTS or 1.0
        parts = [None if place is None else min((place - low) // width, PARTS - 1) for place in places]
        possible = PARTS
    counts = Counter(parts).values()
    entropy = -sum(count / len(values) * math.log(count / len(values)) for count in counts)
    return entropy / math.log(max(2, possible + (None in parts)))


def _dimension(path: str, spread: BaseDistribution, values: Sequence[Any]) -> dict[str, Any]:
    """One axis. Trials without this hyperparameter pass through a mark below the smallest value."""
    places, ticks, texts = _places(spread, values)
    known = [place for place in places if place is not None]
    low, high = min([*known, *ticks]), max([*known, *ticks])
    if len(known) < len(places):
        below = low - 0.15 * ((high - low) or 1.0)
        ticks, texts, low = [below, *ticks], [ABSENT, *texts], below
        places = [below if place is None else place for place in places]
    return {
        "label": name_text(axis_label(path), LETTERS),
        "values": places,
        "tickvals": ticks,
        "ticktext": texts,
        "range": [low, high if high > low else low + 1.0],
    }


def _ends(spread: BaseDistribution) -> tuple[float, float]:
    """The ends of a range on its axis."""
    low, high = float(spread.low), float(spread.high)  # type: ignore[attr-defined]
    return (math.log10(low), math.log10(high)) if spread.log else (low, high)  # type: ignore[attr-defined]


def _places(spread: BaseDistribution, values: Sequence[Any]) -> tuple[list[float | None], list[float], list[str]]:
    """Positions of values on a linear axis (logarithms, or the index of a choice), with ticks and their labels."""
    if isinstance(spread, CategoricalDistribution):
        names = list(spread.choices)
        places = [None if value is None else float(names.index(value)) for value in values]
        return places, [float(i) for i in range(len(names))], [name_text(value_text(name)) for name in names]
    low, high = float(spread.low), float(spread.high)  # type: ignore[attr-defined]
    if spread.log:  # type: ignore[attr-defined]
        marks = log_ticks(low, high)
        places = [None if value is None else math.log10(value) for value in values]
        return places, [math.log10(mark) for mark in marks], [tick_text(mark) for mark in marks]
    marks = [low + (high - low) * i / 4 for i in range(5)]
    if spread.step is not None:  # type: ignore[attr-defined]
        steps = round((high - low) / spread.step)  # type: ignore[attr-defined]
        marks = [low + spread.step * i for i in range(0, steps + 1, math.ceil((steps + 1) / 6))]  # type: ignore[attr-defined]
    return [None if value is None else float(value) for value in values], marks, [tick_text(mark) for mark in marks]
