"""The panels of a figure below each other, for screens on which they do not fit side by side."""

from typing import Any

import plotly.graph_objects as go

PANEL, GAP = 210, 90  # pixels of a panel's height, and below it for its axis


def stacked(figure: go.Figure, *, below: int = 0) -> dict[str, Any]:
    """The properties of a layout that has all panels in one column, and `below` pixels left at the bottom.

    Panels keep their order. Each shows its own ticks; panels that share an axis show its title once more.
    """
    axes = sorted({(trace.xaxis or "x").removeprefix("x") for trace in figure.data}, key=lambda name: int(name or 1))
    inside = len(axes) * (PANEL + GAP) - GAP
    found: dict[str, Any] = {"margin.l": 58, "margin.r": 12, "margin.b": GAP + below}
    title = ""
    for place, name in enumerate(axes):
        top = 1.0 - place * (PANEL + GAP) / inside
        title = figure.layout[f"yaxis{name}"].title.text or title
        found |= {
            f"xaxis{name}.domain": [0.0, 1.0],
            f"yaxis{name}.domain": [max(0.0, top - PANEL / inside), top],
            f"yaxis{name}.showticklabels": True,
            f"yaxis{name}.title.text": title,
        }
    return found | {"height": inside + GAP + below + 60}
