"""The look of all plots: one template, one palette, one format per metric."""

import math
from dataclasses import dataclass

import plotly.graph_objects as go

from lenet_search.recipe import FIELDS

# Okabe & Ito 2008: distinguishable with any form of color blindness
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
INK, SOFT, GRID = "#1f2933", "#616e7c", "#e4e7eb"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"

_AXIS = {
    "gridcolor": GRID,
    "linecolor": "#9aa5b1",
    "zeroline": False,
    "showline": True,
    "ticks": "outside",
    "tickcolor": "#9aa5b1",
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
            "bordercolor": "#9aa5b1",
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

    def text(self, value: float) -> str:
        """The value with its unit: "61.24 %"."""
        return f"{value * self.factor:.{self.digits}f}" + (f" {self.unit}" if self.unit else "")


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
