"""`lenet-search compare`: test which recipes differ."""

from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, FreezeEvery, Json, Ray, Results, Seeds, Workers, complete_recipe
from lenet_search.crew import FREEZE_EVERY

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from lenet_search.experiments.compare import Comparison

EXAMPLES = """Examples:

  lenet-search compare lenet5-cifar lenet5-cifar-l1 \\
      lenet5-cifar-l2
  lenet-search compare mine.toml yours.toml --seeds 10
  lenet-search compare lenet-basic lenet-regularized \\
      --test

Run the same command again to resume; only missing runs are trained."""


def compare(
    recipes: Annotated[
        list[str],
        typer.Argument(
            metavar="RECIPE...",
            help="Two or more recipes, by name or file.",
            show_default=False,
            autocompletion=complete_recipe,
        ),
    ],
    seeds: Seeds = None,
    test: Annotated[
        bool, typer.Option("--test", help="Compare on the test set, read once per model. Not for choosing a recipe.")
    ] = False,
    out: Results = None,
    workers: Workers = None,
    data: DataFolder = None,
    freeze_every: FreezeEvery = FREEZE_EVERY,
    ray: Ray = None,
    json: Json = False,
) -> None:
    """Train recipes on the same seeds, and test which of them differ.

    Runs with the same seed are paired: they see the same images in the same
    order, and identical networks start from the same weights. Verdicts hold at
    5 % over all pairs together. Runs trained by `reproduce` are used again.
    Ctrl-C and SIGTERM freeze running work; run the same command to resume it.
    """
    from lenet_search import api
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.look.live import view_for

    comparison, written = api.compare(
        recipes, seeds, test=test, out=out, data=data, workers=workers, freeze_every=freeze_every, ray=ray,
        view=view_for(console(stderr=True)),
    )  # fmt: skip
    if json:
        print_json(comparison.summary() | {"files": [str(path) for path in written]})
    _conclude(comparison, written, console(stderr=json))


def _conclude(comparison: "Comparison", written: "list[Path]", out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.experiments.pictures import ACCURACY
    from lenet_search.experiments.result import quick_of
    from lenet_search.experiments.tables import PAIR_COLUMNS, points

    quick = quick_of(comparison.results)
    label = ACCURACY[comparison.metric].label
    head = ("recipe", f"{label}, 95 % interval", "n", "diverged")
    made = table(*head, right=("n", "diverged"), whole=head[:2])
    for result in comparison.results:
        mean = result.mean(comparison.metric)
        made.add_row(Text(result.name, "bold"), str(mean), str(mean.n), str(result.diverged or "·"))
    show(out, quick.title("Means over seeds"), made)
    made = table(*PAIR_COLUMNS, right=("n",), whole=PAIR_COLUMNS[:2])
    for cells in points(comparison):
        made.add_row(*map(Text, cells))
    show(out, quick.title("Paired differences"), made)
    if quick:
        out.print(quick.warning, style="yellow")
    out.print(" ".join(comparison.verdict()))
    out.print("Each interval is for its pair alone; verdicts hold at 5 % over all pairs together (Holm).", style="dim")
    for path in written:
        out.print(f"  {path}", soft_wrap=True)
