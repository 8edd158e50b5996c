"""`lenet-search reproduce`: train published recipes again."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet_search.cli.options import DataFolder, FreezeEvery, Json, Ray, Results, Seeds, Workers, complete_recipe
from lenet_search.crew import FREEZE_EVERY

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.experiments.result import Result
    from lenet_search.experiments.task import Task

EXAMPLES = """Examples:

  lenet-search reproduce --list
  lenet-search reproduce lenet-basic custom-mlp
  lenet-search reproduce lenet-basic --seeds 10
  lenet-search reproduce --quick

Run the same command again to resume; only missing runs are trained."""


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Recipes, by name or file. Default: all in the package, small ones first.",
            show_default=False,
            autocompletion=complete_recipe,
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the recipes and exit.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Train one epoch of each on a few images, as a check.")
    ] = False,
    seeds: Seeds = None,
    out: Results = None,
    workers: Workers = None,
    data: DataFolder = None,
    freeze_every: FreezeEvery = FREEZE_EVERY,
    ray: Ray = None,
    json: Json = False,
) -> None:
    """Train published recipes and compare with the accuracy their authors report.

    Each recipe is trained from several initial weights, side by side. The test
    set is read once for each model. Writes reproduce.md, reproduce.json and
    reproduce.html (with plots) to DIR, and each model and learning curve as
    soon as its run is done. The all-cnn recipes need a GPU or another
    accelerator.
    Ctrl-C and SIGTERM freeze running work; run the same command to resume it.
    """
    from lenet_search import api
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.experiments.tables import summary
    from lenet_search.look.live import view_for

    if list_:
        _list(api.published(names or (), seeds, quick=quick), api.results_folder(out, quick=quick), json)
        return
    done = api.reproduce(
        names or (), seeds, quick=quick, out=out, data=data, workers=workers, freeze_every=freeze_every, ray=ray,
        view=view_for(console(stderr=True)),
    )  # fmt: skip
    if json:
        print_json(summary(done.results) | {"folder": str(done.folder), "files": [str(path) for path in done.files]})
    _conclude(done.results, done.folder, console(stderr=json))


def _list(tasks: "Sequence[Task]", folder: Path, json: bool) -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import console, print_json, show, table
    from lenet_search.errors import ResultError
    from lenet_search.storage.kept import Kept

    made = table(
        "name", "reported", "data", "epochs", "done", "title",
        right=("reported", "epochs", "done"), whole=("name", "data"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for task in tasks:
        kept = Kept(folder / task.name)
        try:
            runs = [run for run in map(kept.run, task.seeds) if run is not None]
            done = sum(run.is_of(task.recipe, run.seed) for run in runs)
            state = f"{done} of {len(task.seeds)}" if done == len(runs) else "another recipe"
        except ResultError:  # which `reproduce` tells in full
            done, state = 0, "damaged"
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
        made.add_row(Text(task.name, "bold cyan"), *cells, state, Text(task.title))
    if json:
        print_json({"recipes": rows})
    show(console(stderr=json), f"Recipes, with the accuracy their authors report; done: seeds in {folder}", made)


def _conclude(results: "Sequence[Result]", folder: Path, out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.experiments.compare import named
    from lenet_search.experiments.result import quick_of
    from lenet_search.experiments.tables import COLUMNS, PAIR_COLUMNS, RIGHT, points, row, verdict

    quick = quick_of(results)
    made = table(*COLUMNS, right=RIGHT, whole=(COLUMNS[0], COLUMNS[3]))
    for result in results:
        made.add_row(*map(Text, row(result)))
    show(out, quick.title("Reported accuracy, and ours"), made)
    if quick:
        out.print(quick.warning, style="yellow")
    out.print(" ".join(verdict(results)))
    for comparison in named(results, "test_accuracy"):
        made = table(*PAIR_COLUMNS, right=("n",), whole=PAIR_COLUMNS[:2])
        for cells in points(comparison):
            made.add_row(*map(Text, cells))
        show(out, quick.title(f"Comparison: {comparison.name}, test accuracy"), made)
        out.print(" ".join(comparison.verdict()))
    out.print(f"\nTables and plots: {folder}/reproduce.md, .json, .html", soft_wrap=True)
