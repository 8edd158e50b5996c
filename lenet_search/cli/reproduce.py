"""`lenet-search reproduce`: recipes with a claim, trained again."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet_search.cli.options import DataFolder, Json, Results, Seeds, Workers, complete_recipe

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.experiments.result import Result
    from lenet_search.experiments.task import Task

SEEDS = 5
FOLDER = Path("results")
# One epoch on few images, and few of the test set: all parts work, and no figure means anything.
QUICK = ("train.epochs=1", "data.limit=2000", "data.validation=500")
QUICK_TEST = 500
EXAMPLES = """Examples:

  lenet-search reproduce --list
  lenet-search reproduce lenet-basic custom-mlp
  lenet-search reproduce lenet-basic --seeds 10
  lenet-search reproduce --quick

Running the same command again trains only what is missing."""


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Recipes, by name or file. None given: all that ship, the small ones first.",
            show_default=False,
            autocompletion=complete_recipe,
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Say what there is, and train nothing.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="One epoch of each on few images, to see that all is in order.")
    ] = False,
    seeds: Seeds = None,
    out: Results = None,
    workers: Workers = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Train recipes that somebody has claimed a figure for, and hold the figure against what comes out.

    Each recipe is trained from several initial weights, side by side, and the test set is read once for each model.
    Written to the folder: reproduce.md, reproduce.json, reproduce.html with pictures; and models and curves of each
    recipe as soon as it is done. Ctrl-C loses nothing that was finished. The all-cnn recipes want
    an accelerator.
    """
    from lenet_search import study
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.experiments.task import read_tasks

    chosen = names or sorted(study.shipped("recipes"))
    count = seeds or (1 if quick else SEEDS)
    folder = out or (FOLDER / "quick" if quick else FOLDER)
    tasks = read_tasks(chosen, count, QUICK if quick else ())
    if quick:  # there is nothing to hold against a claim
        tasks = [replace(task, claim=task.claim and replace(task.claim, test_accuracy=None)) for task in tasks]
    if list_:
        _list(tasks, folder, json)
        return
    from lenet_search.cli.progress import Progress
    from lenet_search.experiments.jobs import finish
    from lenet_search.experiments.reproduce import row, summary, write_page, write_tables

    done: dict[str, Result] = {}

    def in_order() -> "list[Result]":
        return [done[task.name] for task in tasks if task.name in done]

    with Progress() as view:
        view.note(f"{len(tasks)} recipe{'' if len(tasks) == 1 else 's'}, seeds 1 to {count}; results in {folder}")

        def on_result(result: "Result") -> None:
            done[result.name] = result
            cells = row(result)
            view.note(f"{cells[0]}: {cells[3]}" + (f"; claim {cells[2]}: {cells[5]}" if cells[5] else ""))
            write_tables(in_order(), folder)

        try:
            finish(
                tasks, folder, test=True, view=view, data_folder=data, workers=workers,
                test_limit=QUICK_TEST if quick else None, on_result=on_result,
            )  # fmt: skip
        finally:  # a signal or a worker's death takes nothing of what is done
            results = in_order()
            page = write_page(results, folder) if results else folder
    if json:
        print_json(
            summary(results) | {"folder": str(folder), "files": [*map(str, write_tables(results, folder)), str(page)]}
        )
    _conclude(results, folder, console(stderr=json))


def _list(tasks: "list[Task]", folder: Path, json: bool) -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import console, print_json, show, table
    from lenet_search.experiments.kept import Kept

    made = table(
        "name", "claim", "data", "epochs", "done", "what it is",
        right=("claim", "epochs", "done"), whole=("name", "data"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for task in tasks:
        kept = Kept(folder / task.name)
        done = sum(kept.run(seed) is not None for seed in task.seeds)
        claim = None if task.claim is None else task.claim.test_accuracy
        recipe = task.recipe
        rows.append(
            {
                "name": task.name,
                "title": task.title,
                "claim": claim,
                "source": None if task.claim is None else task.claim.source,
                "data": recipe.data.name,
                "network": recipe.model.network,
                "epochs": recipe.train.epochs,
                "done": done,
            }
        )
        cells = ("" if claim is None else f"{100 * claim:.2f} %", recipe.data.name, str(recipe.train.epochs))
        made.add_row(Text(task.name, "bold cyan"), *cells, f"{done} of {len(task.seeds)}", Text(task.title))
    if json:
        print_json({"recipes": rows})
    show(console(stderr=json), f"Recipes; 'done' counts the seeds that lie in {folder}", made)


def _conclude(results: "list[Result]", folder: Path, out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.experiments.compare import named
    from lenet_search.experiments.reproduce import COLUMNS, PAIR_COLUMNS, RIGHT, points, row

    made = table(*COLUMNS, right=RIGHT, whole=(COLUMNS[0], COLUMNS[3]))
    for result in results:
        made.add_row(*map(Text, row(result)))
    show(out, "What was claimed, and what came out", made)
    for comparison in named(results, "test_accuracy"):
        made = table(*PAIR_COLUMNS, right=("n",), whole=PAIR_COLUMNS[:2])
        for cells in points(comparison):
            made.add_row(*map(Text, cells))
        show(out, f"Comparison: {comparison.name} (test accuracy)", made)
    out.print(f"\nTables and pictures: {folder}/reproduce.md, .json, .html", soft_wrap=True)
