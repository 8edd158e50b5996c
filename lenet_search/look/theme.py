"""The look of all plots: one template, one palette, one format per metric."""

import math
import re
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from lenet_search.look.intervals import Estimate
from lenet_search.recipe import FIELDS

# Okabe & Ito 2008: distinguishable with any form of color blindness
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
INK, SOFT, GRAY, GRID = "#1f2933", "#616e7c", "#9aa5b1", "#e4e7eb"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"

_AXIS = {
    "gridcolor": GRID,
    "linecolor": GRAY,
    "zeroline": False,
    "showline": True,
    "ticks": "outside",
    "tickcolor": GRAY,
    "ticklen": 4,
    "automargin": True,
    "title": {"font": {"size": 13, "color": SOFT}, "standoff": 10},
}
TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": FONT, "size": 13, "color": INK},
        "title": {
            "x": 0.0,
            "xref": "container",
            "xanchor": "left",
            "y": 1.0,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 18, "l": 4},
            "font": {"size": 19, "weight": 600},
            "subtitle": {"font": {"size": 13, "color": SOFT}},
        },
        "colorway": list(PALETTE),
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 70, "r": 30, "t": 90, "b": 60},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {
            "bgcolor": "white",
            "bordercolor": GRAY,
            "font": {"color": INK, "size": 12},
            "align": "left",
        },
        "legend": {"bgcolor": "rgba(255,255,255,0.8)"},
    }
)


@dataclass(frozen=True)
class Shown:
    """How a metric is displayed: its label, the factor on the stored value, the unit and the digits."""

    label: str
    factor: float
    unit: str
    digits: int

    @property
    def title(self) -> str:
        """The name with its unit, for an axis."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    def number(self, value: float) -> str:
        """The value without its unit, for a table whose heading has it: "61.24"."""
        return f"{value * self.factor:.{self.digits}f}"

    def text(self, value: float) -> str:
        """The value with its unit: "61.24 %"."""
        return self.number(value) + (f" {self.unit}" if self.unit else "")

    def interval(self, found: Estimate) -> str:
        """The value with its unit and, where there is one, its 95 % interval: "61.24 % (60.12 to 62.36)"."""
        bounds = found.bounds()
        return "-" if found.value is None else self.text(found.value) + (f" ({bounds})" if bounds else "")


METRICS = {
    "val_accuracy": Shown("validation accuracy", 100.0, "%", 2),
    "val_balanced_accuracy": Shown("balanced validation accuracy", 100.0, "%", 2),
    "train_accuracy": Shown("training accuracy", 100.0, "%", 2),
    "val_loss": Shown("validation cross-entropy", 1.0, "nats", 4),
    "train_loss": Shown("training cross-entropy", 1.0, "nats", 4),
    "learning_rate": Shown("learning rate", 1.0, "", 6),
}


def axis_label(path: str) -> str:
    """A hyperparameter's name with its unit: "augment.shift (pixels)"."""
    unit = FIELDS[path].legal.unit if path in FIELDS else ""
    return f"{path} ({unit})" if unit else path


def name_text(name: str, width: int = 26) -> str:
    """A name as plotly shows it: markup escaped, in lines of at most `width` characters that end with -, _, . or space.

    plotly reads a few HTML tags in every text.
    """
    lines = [""]
    for part in re.findall(r"[^-_.\s]*[-_.\s]*", name):
        for piece in (part[start : start + width] for start in range(0, len(part), width)):
            if len(lines[-1]) + len(piece) > width:
                lines.append("")
            lines[-1] += piece
    return "<br>".join(escape(" ".join(line.split()), quote=False) for line in lines)


def faded(color: str, opacity: float) -> str:
    """A color of the palette, partly transparent."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def value_text(value: object) -> str:
    """A short text for a hyperparameter's value: 0.00123, not 0.0012304981."""
    if isinstance(value, bool):
        return str(value).lower()
    return tick_text(value) if isinstance(value, float) else str(value)


def log_ticks(low: float, high: float) -> list[float]:
    """Tick values for a logarithmic axis: powers of ten, and their multiples by 2 and 5 if the range is short."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if math.log10(high / low) > 2.5 else (1, 2, 5)
    return [s * 10.0**e for e in range(first, last + 1) for s in steps if low <= s * 10.0**e <= high] or [low, high]


def whole_axis(first: int, last: int, most: int = 8) -> dict[str, Any]:
    """An axis of epochs, or of whatever else is counted from `first` to `last`: at most `most` + 1 ticks, all whole."""
    step, span = 1, last - first
    while span / step > most:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2  # 1, 2, 5, 10, 20, 50, ...
    margin = 0.03 * span or 0.5
    return {"tick0": 0, "dtick": step, "range": [first - margin, last + margin], "tickformat": "d"}


def tick_text(value: float) -> str:
    """A short tick label, as in a study file: 0.05, 1e-5."""
    return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e")


def titled(figure: go.Figure, title: str, subtitle: str, height: int = 460) -> go.Figure:
    """The figure with the common template, a title, and a subtitle that explains how to read it."""
    return figure.update_layout(
        template=TEMPLATE, title={"text": title, "subtitle": {"text": subtitle}}, height=height, autosize=True
    )


def note(title: str, reason: str) -> go.Figure:
    """A placeholder figure for when there is nothing to draw."""
    figure = titled(go.Figure(), title, "", height=220)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure.add_annotation(
        text=reason, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 15, "color": SOFT}
    )
