"""The engine benchmark's table: throughput of every cell and its limit, compile time, start-up, memory."""

import argparse
import statistics
import time
from itertools import product
from typing import Any

from rich.console import Console

from lenet_search.crew.places import Place
from measure import limits, shown, surroundings
from measure.cells import AUGMENT, IMAGE, OPTIMIZERS, PRECISIONS, STUDY, Cell, layers_of
from measure.crew import Crew, WorkerFailed
from measure.measuring import Settings

CPU_SIZES, GPU_SIZES = (1, 2, 4, 8, 16), (1, 2, 4, 8, 16, 32, 64, 128, 256)
COMPILING_SHARE = 0.6  # of --budget


def table(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Throughput of every cell, the machine's rates, compile time, start-up and memory."""
    began = time.monotonic()
    where = surroundings.chosen_places(options)
    with Crew(where, surroundings.settings(options)) as crew, surroundings.progress(out) as bar:
        about = crew.ask("about")[0]
        wanted = cells_of(options, about["gpu"])
        task = bar.add_task("compiling", total=len(wanted))
        found: dict[Cell, dict[str, Any]] = {}
        for cell in wanted:
            bar.update(task, description=f"compiling {shown.described(cell)}")
            late = found and options.budget and time.monotonic() - began > COMPILING_SHARE * options.budget
            found[cell] = {"failed": "left out: no time left"} if late else compiled(crew, cell)
            bar.advance(task)
        running = [cell for cell in wanted if "failed" not in found[cell]]
        if not running:
            raise WorkerFailed(f"no cell could be measured; {shown.described(wanted[0])}: {found[wanted[0]]['failed']}")
        precisions = list(dict.fromkeys(cell.precision for cell in running))
        rates: dict[str, list[limits.Rates]] = {precision: [] for precision in precisions}
        done = 0
        task = bar.add_task("measuring", total=options.repeat * len(running))
        for turn in range(options.repeat):
            if turn and options.budget and (time.monotonic() - began) * (turn + 1) / turn > options.budget:
                break  # at the pace so far, another turn would not fit
            for precision in precisions:
                rates[precision].append(together(crew.ask("rates", precision)))
            for cell in running if turn % 2 == 0 else reversed(running):
                bar.update(task, description=f"measuring {shown.described(cell)}")
                epochs = options.epochs or max(1, round(options.seconds / found[cell]["epoch"]))
                answers = crew.ask("train", cell, epochs)
                found[cell]["each"].append(sum(each["images"] / each["seconds"] for each in answers))
                bar.advance(task)
            done = turn + 1
    settled = {
        precision: {
            "flops": statistics.median(rate.flops for rate in each),
            "bandwidth": statistics.median(rate.bandwidth for rate in each),
            "flops_each": [rate.flops for rate in each],
            "bandwidth_each": [rate.bandwidth for rate in each],
        }
        for precision, each in rates.items()
    }
    result = {
        "benchmark": "engine",
        "machine": surroundings.machine(about, where),
        "settings": surroundings.noted(options, about) | {"repeat": done},
        "network": {"name": "lenet5", "image": IMAGE, "flops_per_image": limits.flops(layers_of(), IMAGE)},
        "rates": settled,
        "start_up_seconds": crew.start_up,
        "memory": memory(options, where[:1], found, out),
        "cells": [finished(cell, found[cell], settled, options.batch) for cell in in_order(wanted)],
    }
    out.print(shown.limits_table(result))
    out.print(shown.throughput_table(result))
    return result


def compiled(crew: Crew, cell: Cell) -> dict[str, Any]:
    """A cell's first two epochs; compile time is the difference between them."""
    try:
        answers = crew.ask("compile", cell)
    except WorkerFailed as error:  # too large for the memory, for example; other cells can still be measured
        return {"failed": str(error)}
    epoch = max(answer["epoch"] for answer in answers)
    first = max(answer["first"] for answer in answers)
    return {**answers[0], "epoch": epoch, "first": first, "each": []}


def finished(cell: Cell, found: dict[str, Any], rates: dict[str, Any], batch: int) -> dict[str, Any]:
    """A cell's row: its throughput and its limit."""
    row: dict[str, Any] = {
        "slots": cell.slots, "augment": cell.augment, "optimizers": cell.optimizers, "precision": cell.precision
    }  # fmt: skip
    if "failed" in found:
        return row | {"failed": found["failed"]}
    itemsize = limits.FLOAT32 if cell.precision == "float32" else limits.BFLOAT16
    moved = limits.traffic(layers_of(), IMAGE, batch, found["moments"], found["own_images"], itemsize)
    rate = limits.Rates(rates[cell.precision]["flops"], rates[cell.precision]["bandwidth"])
    bound = limits.limit(rate, limits.flops(layers_of(), IMAGE), moved)
    middle = statistics.median(found["each"])
    return row | {
        "images_per_second": middle, "each": found["each"], "limit": bound.images_per_second,
        "limit_by_flops": bound.by_flops, "limit_by_bytes": bound.by_bytes, "bytes_per_image": moved,
        "share": middle / bound.images_per_second, "bound_by": bound.bound_by,
        "compile_seconds": max(0.0, found["first"] - found["epoch"]),
    }  # fmt: skip


def memory(
    options: argparse.Namespace, where: list[Place], cells: dict[Cell, dict[str, Any]], out: Console
) -> dict[str, Any]:
    """Bytes per slot: those of its weights and moments, and the growth of a process with its stack.

    The growth compares two fresh processes, with the smallest and the largest stack of the most demanding series;
    --quick and --budget omit it.
    """
    running = [cell for cell in cells if "failed" not in cells[cell]]
    if not running:
        return {}
    heaviest = max(running, key=lambda cell: (len(AUGMENT.get(cell.augment, ())), cell.optimizers == "mixed"))
    found: dict[str, Any] = {
        "state_bytes": limits.state_bytes(layers_of(), IMAGE, cells[heaviest]["moments"]),
        "augment": heaviest.augment,
        "optimizers": heaviest.optimizers,
    }
    sizes = sorted(cell.slots for cell in running if cell.series == heaviest.series)
    if options.quick or options.budget or len(sizes) < 2:
        return found
    peaks = {}
    with out.status("measuring memory in fresh processes"):
        for size in (sizes[0], sizes[-1]):
            small = Settings(options.batch, 4 * options.batch)
            with Crew(where, small) as crew:
                try:
                    peaks[size] = crew.ask("memory", Cell(size, *heaviest.series))[0]
                except WorkerFailed as error:
                    return found | {"failed": str(error)}
    found["peak_bytes"] = {str(size): peak for size, peak in peaks.items()}
    return found | {"bytes_per_slot": (peaks[sizes[-1]] - peaks[sizes[0]]) / (sizes[-1] - sizes[0])}


def together(rates: list[limits.Rates]) -> limits.Rates:
    """The rates of all workers together."""
    return limits.Rates(sum(rate.flops for rate in rates), sum(rate.bandwidth for rate in rates))


def cells_of(options: argparse.Namespace, gpu: bool) -> list[Cell]:
    """The table's cells, in the order in which they are compiled.

    When a budget runs out, the first series should lack few points, and every series should have some. So cells are
    ordered by the position of their series in the list plus the position of their size in `spread`.
    """
    sizes = spread(sorted(set(options.sizes or (GPU_SIZES if gpu else CPU_SIZES))))
    series = [
        (augment, optimizers, precision)
        for augment in options.augment or (*AUGMENT, STUDY)
        for optimizers in ([STUDY] if augment == STUDY else options.optimizers or OPTIMIZERS)
        for precision in options.precision or PRECISIONS
    ]
    places = sorted(product(range(len(sizes)), range(len(series))), key=lambda place: (sum(place), place))
    return [Cell(sizes[size], *series[which]) for size, which in places]


def spread(values: list[int]) -> list[int]:
    """The same values, reordered: the largest, the smallest, then always the middle of the widest gap."""
    left = list(range(len(values)))
    taken = [left.pop(), *([left.pop(0)] if left else [])]
    while left:
        next_one = max(left, key=lambda place: (min(abs(place - other) for other in taken), place))
        left.remove(next_one)
        taken.append(next_one)
    return [values[place] for place in taken]


def in_order(cells: list[Cell]) -> list[Cell]:
    """Cells ordered by series, in order of appearance, then by size."""
    series = list(dict.fromkeys(cell.series for cell in cells))
    return sorted(cells, key=lambda cell: (series.index(cell.series), cell.slots))
