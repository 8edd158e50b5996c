"""`lenet-search train`: one recipe, from several initial weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, FreezeEvery, Json, Set, Workers, complete_recipe

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.experiments.train import Training

EXAMPLES = """Examples:

  lenet-search train lenet-basic
  lenet-search train exports/cifar/recipe.toml
  lenet-search train exports/cifar/recipe.toml --seeds 8 --out trained/best
  lenet-search train lenet-augmented --seeds 5 --set augment.flip=0.1

Run the same command again to resume; only what is missing is trained."""


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="A study file with no ranges left, or the name of a recipe.",
            show_default=False,
            autocompletion=complete_recipe,
        ),
    ],
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1024, help="Runs, each from other initial weights.")] = 1,
    set_: Set = None,
    data: DataFolder = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Where runs, curves and models go.", show_default="trained/NAME"),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Train everything again; replaces what DIR holds, even another recipe.")
    ] = False,
    workers: Workers = None,
    freeze_every: FreezeEvery = 60.0,
    json: Json = False,
) -> None:
    """Train one recipe, side by side from several initial weights, and say how good it is.

    Prints the mean over the seeds with its 95 % interval, and writes the curves and the first seed's model.
    Seeds count up from the one after the file's own: a seed that helped to choose a recipe would flatter it.
    Ctrl-C and SIGTERM freeze what is running; the same command resumes it.
    """
    from lenet_search import api
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.look.live import view_for

    training = api.train(
        recipe, seeds, overrides=set_ or (), out=out, data=data, restart=restart, workers=workers,
        freeze_every=freeze_every, view=view_for(console(stderr=True)),
    )  # fmt: skip
    if json:
        name = {"name": training.result.name}
        print_json(name | training.summary() | {"files": [str(path) for path in training.files]})
    _conclude(training, console(stderr=json))


def _runs(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def _conclude(training: "Training", out: "Console") -> None:
    summary, result = training.summary(), training.result
    for metric in summary["metrics"]:
        found = result.mean(metric)
        if found.n:
            over = ", 95 % interval" + (" over the images" if found.over == "images" else "") if found.bounds() else ""
            out.print(f"{metric} {found}, mean of {_runs(found.n)}{over}")
    if result.diverged:
        out.print(f"{result.diverged} of {len(result.runs)} runs diverged and are left out of the mean", style="yellow")
    out.print(f"{training.seconds:.0f} s on {summary['device']}; written:", style="dim")
    for path in training.files:
        seed = f"   (seed {training.model_seed})" if path.suffix == ".keras" else ""
        out.print(f"  {path}{seed}", soft_wrap=True)
    model = next((path for path in training.files if path.suffix == ".keras"), None)
    if model is not None:
        out.print(
            f"The test set, once you are done choosing:  lenet-search evaluate {model}", style="dim", soft_wrap=True
        )
