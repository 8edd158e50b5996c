"""Two more measurements: where an epoch's time goes, and the comparison with Keras's `fit`."""

import argparse
import statistics
from typing import Any

from rich.console import Console

from measure import shown, surroundings
from measure.cells import STUDY, Cell
from measure.crew import Crew


def breakdown(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Where an epoch's time goes, for one cell: the largest of --sizes, else the device's default."""
    where = surroundings.chosen_places(options)
    with Crew(where, surroundings.settings(options)) as crew:
        about = crew.ask("about")[0]
        augment, optimizers = (options.augment or [STUDY])[-1], (options.optimizers or ["mixed"])[-1]
        series = augment, STUDY if augment == STUDY else optimizers
        cell = Cell(max(options.sizes or [about["default_slots"]]), *series, (options.precision or ["float32"])[-1])
        with out.status(f"breaking down an epoch of {shown.described(cell)}"):
            answers = crew.ask("breakdown", cell, options.repeat)
        with out.status("profiling an epoch with TensorFlow's profiler"):
            operations = [] if about["gpu"] else crew.ask("operations", cell)[0]
    steps = about["images"] // options.batch
    result = {
        "benchmark": "breakdown", "machine": surroundings.machine(about, where),
        "settings": surroundings.noted(options, about),
        "cell": {"slots": cell.slots, "augment": cell.augment, "optimizers": cell.optimizers}, "steps": steps,
        "seconds": {name: statistics.mean(answer[name] for answer in answers) for name in answers[0]},
        "operations": operations,
    }  # fmt: skip
    out.print(shown.breakdown_table(result))
    if operations:
        out.print(shown.operations_table(operations, steps))
    return result


def against_keras(options: argparse.Namespace, out: Console) -> dict[str, Any]:
    """Stacks compared with Keras's `fit` on the same images in the same workers, in turns."""
    where = surroundings.chosen_places(options)
    with Crew(where, surroundings.settings(options)) as crew, surroundings.progress(out) as bar:
        about = crew.ask("about")[0]
        sizes = options.sizes or [about["default_slots"]]
        augments = [name for name in options.augment or ["none", "flip"] if name != STUDY]
        optimizers = (options.optimizers or ["one"])[0]
        rows = [Cell(size, augment, optimizers) for augment in augments for size in sizes]
        task = bar.add_task("compiling", total=len(rows) + len(augments))
        first = {}
        for augment in augments:
            crew.ask("fit", augment, 1)
            first[augment] = max(answer["seconds"] for answer in crew.ask("fit", augment, 1))
            bar.advance(task)
        epoch = {}
        for cell in rows:
            epoch[cell] = max(answer["epoch"] for answer in crew.ask("compile", cell))
            bar.advance(task)
        task = bar.add_task("measuring", total=options.repeat * len(rows))
        fits: dict[Cell, list[float]] = {cell: [] for cell in rows}
        stacks: dict[Cell, list[float]] = {cell: [] for cell in rows}
        for _ in range(options.repeat):
            for cell in rows:
                for what, named, seconds, taken in (
                    ("fit", cell.augment, first[cell.augment], fits[cell]),
                    ("train", cell, epoch[cell], stacks[cell]),
                ):
                    answers = crew.ask(what, named, options.epochs or max(1, round(options.seconds / seconds)))
                    taken.append(sum(answer["images"] / answer["seconds"] for answer in answers))
                bar.advance(task)
    result = {
        "benchmark": "against-keras", "machine": surroundings.machine(about, where),
        "settings": surroundings.noted(options, about),
        "rows": [
            {
                "augment": cell.augment, "slots": cell.slots, "fit": statistics.median(fits[cell]),
                "stack": statistics.median(stacks[cell]),
                "each": (each := [stack / fit for stack, fit in zip(stacks[cell], fits[cell], strict=True)]),
                "ratio": statistics.median(each),
            }
            for cell in rows
        ],
    }  # fmt: skip
    out.print(shown.keras_table(result))
    return result
