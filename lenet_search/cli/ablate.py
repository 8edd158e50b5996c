"""`lenet-search ablate`: what each choice of a study's winner brings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, FreezeEvery, Json, Ray, Storage, StoredStudy, Workers
from lenet_search.crew import FREEZE_EVERY

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.experiments.ablate import Ablation

EXAMPLES = """Examples:

  lenet-search ablate --study cifar
  lenet-search ablate --study cifar --path --seeds 4

Run the same command again to resume; only missing runs are trained."""


def ablate(
    study: StoredStudy = None,
    path: Annotated[
        bool, typer.Option("--path", help="Go from the reference to the winner, one choice after the other.")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=2, max=1024, metavar="N", help="Runs per variant.")] = 8,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, metavar="N", help="Epochs of every recipe.", show_default="as in the search"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of results.", show_default="ablations/STUDY")
    ] = None,
    storage: Storage = None,
    workers: Workers = None,
    data: DataFolder = None,
    freeze_every: FreezeEvery = FREEZE_EVERY,
    ray: Ray = None,
    json: Json = False,
) -> None:
    """Train what each choice of a study's winner brings.

    The winner is the confirmed recipe, else the best trial. Each of its choices
    is put back to the reference's value (a branch as a whole), and the variants
    train on the same seeds. Verdicts hold at 5 % over all choices together.
    With --path, the choices are made one after the other, from the reference to
    the winner, each time the one that brings most; this trains more variants.
    Ctrl-C and SIGTERM freeze running work; run the same command to resume it.
    """
    from lenet_search import api
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.look.live import view_for
    from lenet_search.results.best import pick_study
    from lenet_search.storage import open_storage, resolve

    found, files = api.ablate(
        pick_study(open_storage(resolve(storage), create=False), study), seeds, path=path, epochs=epochs, out=out,
        data=data, workers=workers, freeze_every=freeze_every, ray=ray, view=view_for(console(stderr=True)),
    )  # fmt: skip
    if json:
        print_json(found.summary() | {"files": [str(each) for each in files]})
    _conclude(found, files, console(stderr=json))


def _conclude(found: "Ablation", files: list[Path], out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.look.waterfall import COLUMNS, HOLM, cells

    out.print()
    out.print(found.verdict(), style="bold")
    made = table(*COLUMNS, right=("n",), whole=COLUMNS[1:2])
    for row in cells(found.summary()):
        made.add_row(*map(Text, row))
    show(out, f"{found.study}: winner {found.winner}, reference {found.reference}", made)
    out.print(HOLM, style="dim")
    for each in files:
        out.print(f"  {each}", soft_wrap=True)
