"""The engine benchmark's results for people: tables and a plot."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from rich.table import Table

from lenet_search.look.theme import PALETTE, SOFT, log_ticks, titled
from measure.cells import LABELS, Cell

DASHES = {"one": "dash", "mixed": "solid"}
LOGARITHMIC = 12.0  # the axis is logarithmic if rates span more than this factor


def label(name: str) -> str:
    """A cell's augmentation or optimizers in words."""
    return LABELS.get(name, name)


def described(cell: Cell) -> str:
    """A cell in few words."""
    return f"{cell.slots} slots, {label(cell.augment)}, {label(cell.optimizers)}, {cell.precision}"


def throughput_table(result: Mapping[str, Any]) -> Table:
    """One row per cell."""
    made = Table(
        title=f"Training throughput of lenet5 on 32x32x3, {result['machine']['where']}",
        caption=f"medians of {result['settings']['repeat']} alternating repeats; share: of the limit",
    )
    for heading in ("augmentation", "optimizers", "precision"):
        made.add_column(heading)
    for heading in ("slots", "trial-images/s", "lowest to highest", "limit", "share", "first epoch, extra s"):
        made.add_column(heading, justify="right")
    made.add_column("bound by")
    before = None
    for cell in result["cells"]:
        series = [label(cell["augment"]), label(cell["optimizers"]), cell["precision"]]
        if before not in (None, series):
            made.add_section()
        shown = series if series != before else [""] * 3
        before = series
        if "failed" in cell:
            made.add_row(*shown, str(cell["slots"]), cell["failed"], "", "", "", "", "")
            continue
        made.add_row(
            *shown, str(cell["slots"]), f"{cell['images_per_second']:,.0f}",
            f"{min(cell['each']):,.0f} to {max(cell['each']):,.0f}", f"{cell['limit']:,.0f}", f"{cell['share']:.0%}",
            f"{cell['compile_seconds']:.1f}", cell["bound_by"],
        )  # fmt: skip
    return made


def limits_table(result: Mapping[str, Any]) -> Table:
    """The rates of the machine, and the demands of the network."""
    made = Table(title="The machine and the network", show_header=False)
    made.add_column()
    made.add_column(justify="right")
    for precision, rate in result["rates"].items():
        spread = f"{min(rate['flops_each']) / 1e9:,.0f} to {max(rate['flops_each']) / 1e9:,.0f}"
        made.add_row(f"matrix products, {precision}", f"{rate['flops'] / 1e9:,.0f} GFLOP/s ({spread})")
        made.add_row("memory bandwidth", f"{rate['bandwidth'] / 1e9:,.1f} GB/s")
    made.add_row("training on one image", f"{result['network']['flops_per_image'] / 1e6:.2f} MFLOP")
    start_up = result["start_up_seconds"]
    made.add_row("start-up of a worker", f"{min(start_up):.1f} to {max(start_up):.1f} s")
    memory = result["memory"]
    if "state_bytes" in memory:
        made.add_row("a slot's weights and moments", f"{memory['state_bytes'] / 1e6:.2f} MB")
    if "bytes_per_slot" in memory:
        made.add_row("memory per slot while training", f"{memory['bytes_per_slot'] / 1e6:.1f} MB")
    return made


def breakdown_table(result: Mapping[str, Any]) -> Table:
    """Where an epoch's time goes."""
    cell = result["cell"]
    made = Table(
        title=f"An epoch of {cell['slots']} slots; augmentation: {label(cell['augment'])}; {result['machine']['where']}"
    )
    made.add_column("part")
    for heading in ("seconds", "ms per step", "share"):
        made.add_column(heading, justify="right")
    whole = sum(result["seconds"].values())
    for name, seconds in result["seconds"].items():
        made.add_row(name, f"{seconds:.3f}", f"{1e3 * seconds / result['steps']:.2f}", f"{seconds / whole:.1%}")
    made.add_section()
    made.add_row("whole epoch", f"{whole:.3f}", f"{1e3 * whole / result['steps']:.2f}", "100 %")
    return made


def operations_table(operations: Sequence[tuple[str, float]], steps: int) -> Table:
    """TensorFlow's operations by self time."""
    made = Table(title="TensorFlow's operations in one epoch, by self time")
    made.add_column("operation")
    for heading in ("seconds", "ms per step"):
        made.add_column(heading, justify="right")
    for name, seconds in operations:
        made.add_row(name[:70], f"{seconds:.3f}", f"{1e3 * seconds / steps:.2f}")
    return made


def keras_table(result: Mapping[str, Any]) -> Table:
    """Stacks compared with Keras's `fit`."""
    made = Table(title=f"Stacks compared with keras.Model.fit, {result['machine']['where']}")
    made.add_column("augmentation")
    for heading in ("fit, images/s", "slots", "stack, trial-images/s", "speedup", "lowest to highest"):
        made.add_column(heading, justify="right")
    for row in result["rows"]:
        made.add_row(
            label(row["augment"]), f"{row['fit']:,.0f}", str(row["slots"]), f"{row['stack']:,.0f}",
            f"{row['ratio']:.1f}", f"{min(row['each']):.1f} to {max(row['each']):.1f}",
        )  # fmt: skip
    return made


def structures_table(result: Mapping[str, Any]) -> Table:
    """Studies with structural choices compared with one without."""
    made = Table(title=f"Structural choices: {result['trials']} trials of {result['epochs']} epochs")
    made.add_column("study")
    for heading in ("trial-images/s", "lowest to highest", "share"):
        made.add_column(heading, justify="right")
    fixed = result["images_per_second"]["fixed"]
    for name, rate in result["images_per_second"].items():
        each = result["each"][name]
        made.add_row(name, f"{rate:,.0f}", f"{min(each):,.0f} to {max(each):,.0f}", f"{rate / fixed:.0%}")
    return made


def picture(result: Mapping[str, Any], path: Path) -> None:
    """Plot throughput by stack size, with the limit as a line, to a self-contained HTML file."""
    figure(result).write_html(path, include_plotlyjs=True)


def figure(result: Mapping[str, Any]) -> go.Figure:
    """One panel per precision; colors: augmentations, dashes: optimizers, whiskers: lowest to highest."""
    cells = [cell for cell in result["cells"] if "failed" not in cell]
    precisions = list(dict.fromkeys(cell["precision"] for cell in cells))
    augmentations = list(dict.fromkeys(cell["augment"] for cell in cells))
    made = make_subplots(1, len(precisions), shared_yaxes=True, subplot_titles=precisions if precisions[1:] else None)
    seen: set[str] = set()
    for column, precision in enumerate(precisions, 1):
        panel = [cell for cell in cells if cell["precision"] == precision]
        for series in dict.fromkeys((cell["augment"], cell["optimizers"]) for cell in panel):
            points = [cell for cell in panel if (cell["augment"], cell["optimizers"]) == series]
            name = f"{label(series[0])}; {label(series[1])}" if series[0] != series[1] else label(series[0])
            made.add_trace(_line(points, name, PALETTE[augmentations.index(series[0])], name not in seen), 1, column)
            seen.add(name)
        sizes = sorted({cell["slots"] for cell in panel})
        made.update_xaxes(type="log", tickvals=sizes, ticktext=[str(size) for size in sizes], row=1, col=column)
        made.update_xaxes(title_text="slots per stack", row=1, col=column)
        for name, bound in _limits(panel).items():
            made.add_trace(_limit_line(sizes, bound, name), 1, column)
    settings, machine = result["settings"], result["machine"]
    subtitle = (
        f"lenet5 on 32x32x3, batch {settings['batch']}, {machine['where']}, {machine['date']}; "
        f"whiskers: lowest to highest of {settings['repeat']}"
    )
    titled(made, "Throughput by stack size", subtitle, height=560)
    rates = [cell["images_per_second"] for cell in cells]
    top = max(cell["limit"] for cell in cells)
    if max(rates) > LOGARITHMIC * min(rates):
        low, high = min(rates) / 1.5, 1.6 * top
        ticks = log_ticks(low, high)
        made.update_yaxes(type="log", range=[math.log10(low), math.log10(high)], tickvals=ticks)
        made.update_yaxes(ticktext=[f"{tick:,.0f}" for tick in ticks])
    else:
        made.update_yaxes(range=[0, 1.12 * top], tickformat=",")
    made.update_yaxes(title_text="trial-images per second", col=1)
    return made.update_layout(
        legend={
            "orientation": "h",
            "x": 0,
            "y": -0.16,
            "yanchor": "top",
            "title": {"text": "augmentation; optimizers  "},
        },
        margin={"t": 110, "b": 120},
    )


def _line(points: Sequence[Mapping[str, Any]], name: str, color: str, legend: bool) -> go.Scatter:
    y = [cell["images_per_second"] for cell in points]
    return go.Scatter(
        x=[cell["slots"] for cell in points], y=y, name=name, legendgroup=name, showlegend=legend,
        mode="lines+markers", marker={"size": 8},
        line={"color": color, "width": 2.5, "dash": DASHES.get(points[0]["optimizers"], "solid")},
        error_y={
            "symmetric": False, "thickness": 1, "width": 3,
            "array": [max(cell["each"]) - middle for cell, middle in zip(points, y, strict=True)],
            "arrayminus": [middle - min(cell["each"]) for cell, middle in zip(points, y, strict=True)],
        },
        customdata=[[cell["share"], cell["compile_seconds"]] for cell in points],
        hovertemplate="%{x} slots: %{y:,.0f} trial-images/s, %{customdata[0]:.0%} of the limit, "
        "compiled in %{customdata[1]:.1f} s<extra>" + name + "</extra>",
    )  # fmt: skip


def _limits(panel: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The limits for shared images and for separate images; a single one if they agree within a percent."""
    found: dict[str, float] = {}
    for cell in panel:
        name = "limit, shared images" if cell["augment"] == "none" else "limit, separate images"
        found[name] = max(found.get(name, 0.0), cell["limit"])
    return found if max(found.values()) > 1.01 * min(found.values()) else {"limit": max(found.values())}


def _limit_line(sizes: Sequence[int], bound: float, name: str) -> go.Scatter:
    return go.Scatter(
        x=[sizes[0], sizes[-1]], y=[bound, bound], mode="lines+text", showlegend=False, hoverinfo="skip",
        text=["", f"{name}: {bound:,.0f}"], textposition="top left", textfont={"size": 12, "color": SOFT},
        line={"color": SOFT, "width": 1.5, "dash": "dot"},
    )  # fmt: skip
