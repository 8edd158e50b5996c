"""`lenet-search train`: train one recipe from several initial weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, FreezeEvery, Json, Ray, Set, Workers, complete_recipe
from lenet_search.crew import FREEZE_EVERY

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.experiments.train import Training

EXAMPLES = """Examples:

  lenet-search train lenet-basic
  lenet-search train exports/cifar/recipe.toml
  lenet-search train exports/cifar/recipe.toml \\
      --seeds 8 --out trained/best
  lenet-search train lenet-augmented --seeds 5 \\
      --set augment.flip=0.1

Run the same command again to resume; only missing runs are trained."""


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A recipe (a study file without ranges), or its name.",
            show_default=False,
            autocompletion=complete_recipe,
        ),
    ],
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds", metavar="N", min=1, max=1024, help="Number of runs, each from different initial weights."
        ),
    ] = 1,
    set_: Set = None,
    data: DataFolder = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder for runs, curves and model.", show_default="trained/NAME"),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Discard the runs in DIR, even another recipe's, and train all again.")
    ] = False,
    workers: Workers = None,
    freeze_every: FreezeEvery = FREEZE_EVERY,
    ray: Ray = None,
    json: Json = False,
) -> None:
    """Train one recipe from several initial weights, side by side.

    Prints the mean over the seeds with its 95 % interval, and writes the
    learning curves and the first seed's model. The seeds start after the one
    in the file: a seed that helped to choose the recipe would flatter it.
    Ctrl-C and SIGTERM freeze running work; run the same command to resume it.
    """
    from lenet_search import api
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.look.live import view_for

    training = api.train(
        recipe, seeds, overrides=set_ or (), out=out, data=data, restart=restart, workers=workers,
        freeze_every=freeze_every, ray=ray, view=view_for(console(stderr=True)),
    )  # fmt: skip
    if json:
        name = {"name": training.result.name}
        print_json(name | training.summary() | {"files": [str(path) for path in training.files]})
    _conclude(training, console(stderr=json))


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def _conclude(training: "Training", out: "Console") -> None:
    summary, result = training.summary(), training.result
    if result.quick:
        out.print(result.quick.warning, style="yellow")
    for metric in summary["metrics"]:
        mean = result.mean(metric)
        if mean.n:
            over = ", 95 % interval" + (" over the images" if mean.over == "images" else "") if mean.bounds() else ""
            out.print(f"{metric} {mean}, mean of {_seeds(mean.n)}{over}")
    if result.diverged:
        count = f"{result.diverged} of {len(result.runs)} runs"
        out.print(f"{count} diverged; the mean leaves {'it' if result.diverged == 1 else 'them'} out", style="yellow")
    out.print(f"{training.seconds:.0f} s on {summary['device']}; files written:", style="dim")
    for path in training.files:
        seed = f"   (seed {training.model_seed})" if path.suffix == ".keras" else ""
        out.print(f"  {path}{seed}", soft_wrap=True)
    model = next((path for path in training.files if path.suffix == ".keras"), None)
    if model is not None:
        out.print(f"To measure it on the test set, once:  lenet-search evaluate {model}", style="dim", soft_wrap=True)
