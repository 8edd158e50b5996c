"""`lenet-search confirm`: the best recipes of a study race on fresh seeds."""

from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, FreezeEvery, Json, Ray, Storage, StoredStudy, Workers
from lenet_search.crew import FREEZE_EVERY

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.experiments.confirm import Confirmation

EXAMPLES = """Examples:

  lenet-search confirm --study cifar
  lenet-search confirm --study cifar --finalists 4 --seeds 8
  lenet-search confirm --study cifar --epochs 40

Run the same command again to resume; only missing runs are trained."""


def confirm(
    study: StoredStudy = None,
    finalists: Annotated[
        int, typer.Option("--finalists", min=1, max=1024, metavar="N", help="Number of recipes that race.")
    ] = 8,
    seeds: Annotated[
        int,
        typer.Option("--seeds", min=2, max=1024, metavar="N", help="Seeds of the recipes that stay to the end."),
    ] = 16,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, metavar="N", help="Epochs of every recipe.", show_default="as in the search"),
    ] = None,
    indifference: Annotated[
        float | None,
        typer.Option(
            "--indifference",
            min=0.0,
            metavar="X",
            help="Smallest difference that counts, in the metric's unit.",
            show_default="0.002 for an accuracy, 0 for a loss",
        ),
    ] = None,
    storage: Storage = None,
    workers: Workers = None,
    data: DataFolder = None,
    freeze_every: FreezeEvery = FREEZE_EVERY,
    ray: Ray = None,
    json: Json = False,
) -> None:
    """Race the best recipes of a study on fresh seeds, against its reference.

    The best of many trials looks better than it is. So the best recipes and the
    reference (the study's first start, else the defaults) train again from new
    initial weights, the same seeds for all. In each round, a recipe leaves when
    it is surely worse than the leader, or when better ones take its place. The
    leader is called worse by mistake in at most 5 of 100 races.
    Ctrl-C and SIGTERM freeze running work; run the same command to resume it.
    """
    from lenet_search import api
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.look.live import view_for
    from lenet_search.results.best import pick_study
    from lenet_search.storage import open_storage, resolve

    url = resolve(storage)
    found = api.confirm(
        pick_study(open_storage(url, create=False), study), url, finalists, seeds, epochs=epochs,
        indifference=indifference, data=data, workers=workers, freeze_every=freeze_every, ray=ray,
        view=view_for(console(stderr=True)),
    )  # fmt: skip
    if json:
        print_json(found.summary())
    conclude(found, console(stderr=json))


def conclude(found: "Confirmation", out: "Console") -> None:
    """Print the verdict and the table behind it."""
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.look.intervals import is_share
    from lenet_search.storage.confirmed import place_of

    out.print()
    for line in found.verdict():
        out.print(line, style="bold" if line == found.verdict()[0] else None)
    heading = f"{found.metric}, 95 % interval"
    columns = ("recipe", heading, "n", "against the leader", "verdict")
    made = table(*columns, right=("n",), whole=(columns[0], heading, columns[3]))
    summary = found.summary()
    for row, stored in zip(found.rows, summary["recipes"], strict=True):
        cells = (str(row.mean), str(row.mean.n), found.behind(row), place_of(summary, stored))
        made.add_row(Text(row.finalist.name, "bold" if row is found.winner else ""), *cells)
    show(out, f"{found.study}: {len(found.rows)} recipes on fresh seeds", made)
    out.print(
        f"Differences are paired{', in points' if is_share(found.metric) else ''}. Each interval has "
        f"{100 * found.inside:.4g} %, so that the best recipe is called worse in at most 5 of 100 races, and one that "
        "is no better than the reference better in at most 5, over all rivals and rounds together. Nothing is claimed "
        "of recipes that were set aside.",
        style="dim",
    )
