"""An HTML page with interactive figures that works offline."""

import json
import re
from collections.abc import Iterable, Sequence
from html import escape, unescape
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from lenet_search.look.quick import Quick
from lenet_search.look.theme import FONT, GRID, INK, PALETTE, SOFT, TEMPLATE

CONFIG = {"responsive": True, "displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

TITLE = 40  # pixels of a figure's height that its title takes

STYLE = f"""
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: #f5f7fa; color: {INK}; font: 16px/1.55 {FONT}; }}
main {{ max-width: 1240px; margin: 0 auto; padding: 40px 24px 80px; }}
h1 {{ font-size: 34px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; overflow-wrap: anywhere; }}
h2, h3 {{ font-size: 19px; line-height: 1.3; margin: 0 0 14px; overflow-wrap: anywhere; }}
.part {{ margin: 44px 0 0; }}
.part > h2 {{ font-size: 26px; margin: 0 0 16px; }}
nav {{ margin: 0 0 22px; }}
nav a {{ color: {PALETTE[0]}; display: inline-block; margin: 0 18px 4px 0; }}
.lead {{ color: {SOFT}; margin: 0 0 22px; }}
.verdict {{ font-size: 18px; max-width: 900px; margin: 0 0 10px; overflow-wrap: anywhere; }}
.quick {{ background: #fff4d6; border: 1px solid {PALETTE[4]}; border-radius: 12px; padding: 10px 18px; }}
.reading {{ color: {SOFT}; font-size: 14px; margin: -10px 0 8px; overflow-wrap: anywhere; }}
.scrolls {{ display: none; margin: 0 0 8px; }}
.choice {{ font-size: 14px; }}
.choice summary {{ cursor: pointer; color: {PALETTE[0]}; }}
.choice label {{ display: inline-block; margin: 6px 18px 0 0; white-space: nowrap; }}
section {{ background: white; border: 1px solid {GRID}; border-radius: 12px; padding: 24px; margin: 0 0 22px; }}
.wide {{ overflow-x: auto; }}
.numbers {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px; margin: 0 0 22px; }}
.numbers div {{ background: white; border: 1px solid {GRID}; border-radius: 12px; padding: 16px 18px; }}
.numbers b {{ display: block; font-size: 25px; line-height: 1.25; font-weight: 650; }}
.numbers div:first-child b {{ color: {PALETTE[0]}; }}
.numbers span {{ display: block; color: {SOFT}; font-size: 14px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 14px; }}
th, td {{ text-align: left; padding: 7px 12px 7px 0; border-bottom: 1px solid {GRID}; vertical-align: top; }}
th {{ color: {SOFT}; font-weight: 600; white-space: nowrap; }}
th[scope=row] {{ width: 150px; }}
td {{ overflow-wrap: break-word; }}
section > :last-child, section > :last-child > :last-child {{ margin-bottom: 0; }}
.whole {{ white-space: nowrap; }}
.number {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
code, pre {{ font: 13px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
pre {{ margin: 0; columns: 2 480px; column-gap: 40px; white-space: pre-wrap; overflow-wrap: anywhere; }}
pre span {{ display: block; break-inside: avoid; }}
footer, .small {{ color: {SOFT}; font-size: 14px; }}
@media (max-width: 600px) {{ main {{ padding: 24px 12px 60px; }} section {{ padding: 16px 12px; }} }}
@media screen and (max-width: 600px) {{  /* a row of a table becomes a list of its cells */
  .scrolls {{ display: block; }} table {{ font-size: 13px; }}
  thead {{ display: none; }} tbody, tr, td, th[scope=row] {{ display: block; }} th[scope=row] {{ width: auto; }}
  tr {{ border-bottom: 1px solid {GRID}; padding: 7px 0; }} tr:last-child {{ border: 0; }}
  td, th[scope=row] {{ border: 0; padding: 2px 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }}
  .number {{ text-align: left; white-space: normal; }}
  td[data-label] {{ display: grid; grid-template-columns: 125px 1fr; gap: 12px; }}
  td[data-label]::before {{ content: attr(data-label); color: {SOFT}; }}
}}
@page {{ size: 1290px 1824px; margin: 24px; }}  /* fits `main`, with the shape of A4; browsers scale it to the paper */
@media print {{
  body {{ background: white; }} main {{ padding: 0; }}
  section, .numbers div {{ break-inside: avoid; }} .modebar, .choice, nav {{ display: none; }}
  section.long {{ break-inside: auto; }}
  .part {{ margin: 0; }} .part + .part {{ break-before: page; }} h2, h3 {{ break-after: avoid; }}
}}
"""

PAPER = 1190  # pixels of a figure's width on paper: the page, less its margins and those of a section

# A figure with another layout for narrow screens changes between the two. Before printing, all become as wide as paper.
_FIT = f"""<script>
(() => {{
  const draw = (plot, layout) => {{
    if (layout.height) plot.style.height = plot.parentElement.style.height = `${{layout.height}}px`;
    Plotly.relayout(plot, layout);
  }};
  const fit = paper => document.querySelectorAll(".plotly-graph-div").forEach(plot => {{
    const box = plot.closest(".wide"), layouts = box.dataset.narrow && JSON.parse(box.dataset.narrow);
    const narrow = Boolean(layouts) && !paper && box.clientWidth < layouts.below;
    const layout = layouts && narrow !== (box.isNarrow ?? false) ? layouts[narrow ? "narrow" : "wide"] : {{}};
    box.isNarrow = narrow;
    if (paper) draw(plot, {{...layout, width: {PAPER}}});
    else if (plot.layout.width) draw(plot, {{...layout, width: null, autosize: true}});
    else if (Object.keys(layout).length) draw(plot, layout);
  }});
  addEventListener("load", () => fit(false));
  addEventListener("resize", () => fit(false));
  addEventListener("beforeprint", () => fit(true));
  addEventListener("afterprint", () => fit(false));
}})();
</script>"""


def page(title: str, parts: Iterable[str]) -> str:
    """The complete page, with plotly's code embedded so that it works offline. `parts` are HTML.

    Bytes of a file's name that are not UTF-8 become question marks.
    """
    text = "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} · lenet-search</title><style>{STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body><main>",
            *parts,
            f"</main>{_FIT}</body></html>\n",
        ]
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def heading(title: str, quick: Quick, verdict: Sequence[str], lead: str) -> list[str]:
    """How a page begins: its title, whether it is only a quick check, the verdict, and what it is about. Texts."""
    return [*title_of(title, quick), *answer(verdict), f'<p class="lead">{escape(lead)}</p>']


def title_of(title: str, quick: Quick) -> list[str]:
    """The title of a page, and whether it is only a quick check."""
    warning = f'<p class="quick">{escape(quick.warning)}</p>' if quick.warning else ""
    return [f"<h1>{escape(quick.title(title))}</h1>", warning]


def answer(verdict: Sequence[str]) -> list[str]:
    """Sentences, the most important first."""
    return [
        f'<p class="verdict"><b>{escape(verdict[0])}</b></p>',
        f'<p class="verdict">{escape(" ".join(verdict[1:]))}</p>' if verdict[1:] else "",
    ]


def file_text(text: str) -> str:
    """A text in paragraphs, in a font of fixed width, in columns where there is room; long lines wrap."""
    paragraphs = "".join(f"<span>{escape(each)}\n\n</span>" for each in text.strip().split("\n\n"))
    return f"<pre>{paragraphs}</pre>"


def key_figures(figures: Iterable[tuple[str, str, str]]) -> str:
    """Figures in large print, the most important first: each a value, its title, and what else belongs to it."""
    cards = "".join(
        f"<div><b>{escape(value)}</b><span>{escape(title)}</span><span>{escape(more)}</span></div>"
        for value, title, more in figures
    )
    return f'<div class="numbers">{cards}</div>'


def contents(titles: Iterable[str]) -> str:
    """Links to the numbered parts of a page."""
    links = [f'<a href="#part-{number}">{number}. {escape(title)}</a>' for number, title in enumerate(titles, 1)]
    return f'<nav aria-label="Contents">{"".join(links)}</nav>'


def part(number: int, title: str, parts: Iterable[str]) -> str:
    """A numbered part of a long page, which begins on a new page of paper. `parts` are HTML."""
    inner = "\n".join(parts)
    return f'<div class="part" id="part-{number}"><h2>{number}. {escape(title)}</h2>\n{inner}</div>'


def card(title: str, inner: str, *, long: bool = False) -> str:
    """A section of a part: its heading (text) and what is in it (HTML). Paper may divide a `long` one."""
    opening = '<section class="long">' if long else "<section>"
    return f"{opening}<h3>{escape(title)}</h3>{inner}</section>"


def picture(name: str, figure: go.Figure, after: str = "", *, rank: str = "h2") -> str:
    """A figure as a section, `after` (HTML) at its end.

    Its title and subtitle become text of the page, which wraps; `rank` is the heading's. `meta.min_width` of its layout
    also holds on narrow screens: the figure then scrolls inside its section. With `meta.narrow`, properties of a layout
    for one that is narrower than that, it does not need to.
    """
    layout, meta, place = figure.layout, figure.layout.meta or {}, anchor(name)
    top = (layout.margin.t or TEMPLATE.layout.margin.t) - TITLE
    shown = go.Figure(figure).update_layout(title=None, height=layout.height - TITLE, margin_t=top)
    config: dict[str, Any] = CONFIG | {"toImageButtonOptions": {"filename": place}}
    narrow, width = "", meta.get("min_width", 300)
    if "narrow" in meta:
        wide = {path: shown.layout[path] for path in meta["narrow"]}
        narrow = _attribute("narrow", {"below": width, "narrow": meta["narrow"], "wide": wide})
        width, shown.layout.meta = 300, None
    inner = shown.to_html(full_html=False, include_plotlyjs=False, div_id=place, config=config)
    subtitle = layout.title.subtitle.text
    reading = f'<p class="reading">{_as_html(subtitle)}</p>' if subtitle else ""
    if width > 400:
        reading += '<p class="reading scrolls">On a narrow screen, the plot scrolls sideways.</p>'
    return (
        f"<section><{rank}>{_as_html(layout.title.text)}</{rank}>{reading}"
        f'<div class="wide"{narrow}><div style="min-width: {width}px">{inner}</div></div>{after}</section>'
    )


def _attribute(name: str, value: Any) -> str:
    """Data for a script, as an attribute of an element."""
    return f' data-{name}="{escape(json.dumps(value))}"'


def _as_html(text: str) -> str:
    """A text of a figure, in which plotly reads entities, as HTML that holds no markup and breaks its lines itself."""
    return escape(unescape(text.replace("<br>", " ")))


def anchor(name: str) -> str:
    """`name` as an id of HTML and as a file name: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "figure"


def label(title: str) -> str:
    """The attribute of a cell with the title of its column, which narrow screens show before it."""
    return f' data-label="{escape(title)}"'


def data_table(
    head: Iterable[str], rows: Iterable[Iterable[str]], numbers: frozenset[int] = frozenset(), *, facts: bool = False
) -> str:
    """A table. Cells are HTML; the columns with indices in `numbers` are right-aligned.

    In one of `facts`, the first cell of a row is its heading, and columns have none.
    """

    def kind(place: int) -> str:
        return ' class="number"' if place in numbers else ""

    head = list(head)

    def cell(place: int, inner: str) -> str:
        if facts:
            return f"<td>{inner}</td>" if place else f'<th scope="row">{inner}</th>'
        return f"<td{kind(place)}{label(head[place])}><div>{inner}</div></td>"

    titles = "".join(f"<th{kind(place)}>{escape(title)}</th>" for place, title in enumerate(head))
    lines = ["<tr>" + "".join(cell(i, inner) for i, inner in enumerate(row)) + "</tr>" for row in rows]
    inside = f"{'' if facts else f'<thead><tr>{titles}</tr></thead>'}<tbody>{''.join(lines)}</tbody>"
    return f'<div class="wide"><table>{inside}</table></div>'
