"""An HTML page with interactive figures that works offline."""

from collections.abc import Iterable
from html import escape

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from lenet_search.look.theme import FONT, GRID, INK, PALETTE, SOFT

CONFIG = {"responsive": True, "displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

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


def page(title: str, parts: Iterable[str]) -> str:
    """The complete page, with plotly's code embedded so that it works offline. `parts` are HTML."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} · lenet-search</title><style>{STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body><main>",
            *parts,
            "</main></body></html>\n",
        ]
    )


def picture(name: str, figure: go.Figure) -> str:
    """A figure as a section with the id `name`. `meta.min_width` of its layout also holds on narrow screens."""
    meta = figure.layout.meta or {}
    inner = figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=CONFIG)
    return f'<section class="wide"><div style="min-width: {meta.get("min_width", 320)}px">{inner}</div></section>'


def data_table(head: Iterable[str], rows: Iterable[Iterable[str]], numbers: frozenset[int] = frozenset()) -> str:
    """A table. Cells are HTML; the columns with indices in `numbers` are right-aligned."""

    def kind(place: int) -> str:
        return ' class="number"' if place in numbers else ""

    titles = "".join(f"<th{kind(place)}>{escape(title)}</th>" for place, title in enumerate(head))
    lines = ["<tr>" + "".join(f"<td{kind(i)}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>" for row in rows]
    inside = f"<thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<div class="wide"><table>{inside}</table></div>'
