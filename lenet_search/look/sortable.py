"""A table for an HTML page that sorts by a click or a key on a heading, and shows the rows that contain given words."""

from collections.abc import Iterable, Sequence
from html import escape

from lenet_search.look.page import anchor
from lenet_search.look.theme import GRAY, GRID, PALETTE, SOFT

STYLE = f"""<style>
.filter {{ display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin: 0 0 12px; font-size: 14px; }}
.filter input {{ font: inherit; padding: 7px 10px; border: 1px solid {GRAY}; border-radius: 8px; width: 320px;
  max-width: 100%; }}
.filter output {{ color: {SOFT}; }}
.rows {{ max-height: 640px; overflow: auto; }}
.rows th {{ position: sticky; top: 0; background: white; box-shadow: inset 0 -1px {GRID}; padding: 0 12px 0 0; }}
.rows th button {{ all: unset; cursor: pointer; padding: 7px 0; }}
.rows th button:focus-visible {{ outline: 2px solid {PALETTE[0]}; outline-offset: 2px; }}
.rows th button::after {{ content: " \\2195"; color: {GRAY}; }}
.rows th[aria-sort=ascending] button::after {{ content: " \\2191"; color: {PALETTE[0]}; }}
.rows th[aria-sort=descending] button::after {{ content: " \\2193"; color: {PALETTE[0]}; }}
.rows td:last-child {{ width: 50%; }}
@media screen and (max-width: 600px) {{
  .rows thead, .rows thead tr {{ display: block; }} .rows thead th {{ display: inline-block; margin-right: 6px; }}
  .rows thead {{ position: sticky; top: 0; background: white; border-bottom: 1px solid {GRID}; }}
  .rows td:last-child {{ width: auto; }} .rows th {{ position: static; box-shadow: none; }}
  .rows tr[hidden] {{ display: none; }}
  .rows td {{ display: flow-root; padding: 2px 0 2px 137px; }}  /* as high as its label */
  .rows td::before {{ float: left; width: 125px; margin-left: -137px; color: {SOFT}; overflow-wrap: anywhere; }}
}}
@media print {{
  .filter {{ display: none; }} .rows {{ max-height: none; overflow: visible; }}
  .rows tr[hidden] {{ display: table-row; }} .rows tr {{ break-inside: avoid; }}
  .rows th button::after {{ content: "" !important; }}
}}
</style>"""

# Columns of numbers sort by the number with which a cell begins; those without one come last in both directions.
SCRIPT = """<script>
document.querySelectorAll(".rows").forEach(box => {
  const table = box.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells], output = box.parentElement.querySelector("output");
  const texts = row => [...row.cells].map(cell => cell.textContent);
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const falls = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(each => each.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", falls ? "descending" : "ascending");
    const number = head.className === "number", sign = falls ? -1 : 1;
    const keyOf = row => number ? parseFloat(texts(row)[column]) : texts(row)[column];
    const compare = (a, b) => number ? isNaN(a) - isNaN(b) || sign * (a - b || 0) : sign * a.localeCompare(b);
    const keyed = rows.map((row, place) => [keyOf(row), place, row]);
    keyed.sort(([a, i], [b, j]) => compare(a, b) || i - j);
    body.append(...keyed.map(([, , row]) => row));
  }));
  const searched = rows.map(row => texts(row).join(" ").toLowerCase());
  box.parentElement.querySelector("input").addEventListener("input", event => {
    const words = event.target.value.toLowerCase().split(/\\s+/);
    rows.forEach((row, place) => { row.hidden = !words.every(word => searched[place].includes(word)); });
    output.value = `${rows.filter(row => !row.hidden).length} of ${rows.length}`;
  });
});
</script>"""


def sortable_table(name: str, head: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int]) -> str:
    """The table, its filter and their script; one on a page. Rows are in the order of the first column.

    Args:
        name: what the rows are, for people: "trials"
        head: titles of the columns
        rows: their cells, as HTML
        numbers: places of the columns that sort as numbers, and are aligned on the right
    """
    titles = "".join(
        f'<th scope="col" aria-sort="{"none" if place else "ascending"}"{_kind(place in numbers)}>'
        f'<button type="button">{escape(title)}</button></th>'
        for place, title in enumerate(head)
    )
    lines = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows]
    place = f"filter-{anchor(name)}"
    return (
        f"{STYLE}{_columns(head, numbers)}"
        f'<div class="filter"><label for="{place}">Show {escape(name)} that contain</label>'
        f'<input id="{place}" type="search" autocomplete="off" placeholder="for example: adam complete">'
        f'<output for="{place}" aria-live="polite">{len(lines)} of {len(lines)}</output></div>'
        f'<div class="rows" tabindex="0" role="region" aria-label="All {escape(name)}"><table>'
        f"<thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>{SCRIPT}"
    )


def _columns(head: Sequence[str], numbers: frozenset[int]) -> str:
    """What distinguishes the columns, once for all rows: there may be thousands."""
    rules = []
    for place, title in enumerate(head):
        cell = f".rows td:nth-child({place + 1})"
        if place in numbers:
            rules.append(f"@media (min-width: 601px), print {{ {cell} {{ text-align: right; white-space: nowrap; }} }}")
        rules.append(f"@media screen and (max-width: 600px) {{ {cell}::before {{ content: {_css(title)}; }} }}")
    return f"<style>{''.join(rules)}</style>"


def _css(text: str) -> str:
    """A text as a string of CSS: all but letters, digits and spaces as escapes."""
    return '"' + "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):x} " for c in text) + '"'


def _kind(number: bool) -> str:
    return ' class="number"' if number else ""
