"""`lenet-search train`: one recipe, from several initial weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet_search.cli.options import DataFolder, Json, Set, complete_recipe

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.experiments import Training

EXAMPLES = """Examples:

  lenet-search train lenet-basic
  lenet-search train exports/cifar/recipe.toml
  lenet-search train exports/cifar/recipe.toml --seeds 8 --out trained/best
  lenet-search train lenet-augmented --seeds 5 --set augment.flip=0.1"""


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
        typer.Option("--out", metavar="DIR", help="Where curves and model go.", show_default="trained/NAME"),
    ] = None,
    json: Json = False,
) -> None:
    """Train one recipe, side by side from several initial weights, and say how good it is.

    Prints the mean over the seeds with its 95 % interval, and writes the curves and the first seed's model.
    Seeds count up from the one after the file's own: a seed that helped to choose a recipe would flatter it.
    """
    from lenet_search.cli.backend import start_backend
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.experiments import prepared, write
    from lenet_search.experiments import train as train_recipe
    from lenet_search.study import read_recipe

    definition, whole = read_recipe(recipe, overrides=set_ or ())
    name = definition.recipe_name
    folder = out or Path("trained", name)
    fresh = definition.seed + 1  # the file's own seed is the one that the recipe was chosen with
    with prepared(folder):
        start_backend()
        with _Progress(definition.metric, seeds * whole.train.epochs) as progress:
            training = train_recipe(whole, seeds=seeds, first_seed=fresh, data_folder=data, on_epoch=progress.show)
        written = write(training, folder, title=", ".join([name, _runs(seeds), *(set_ or ())]))
    if json:
        print_json({"name": name} | training.summary() | {"files": [str(path) for path in written]})
    _conclude(training, written, console(stderr=json))


class _Progress:
    """A bar on stderr where a person watches, a line per epoch of the stack where nobody does."""

    def __init__(self, metric: str, total: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from lenet_search.cli.terminal import console, on_terminal

        self._metric = metric
        self._console = console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"),
            TimeRemainingColumn(), console=self._console, disable=not on_terminal(),
        )  # fmt: skip
        self._task = self._bar.add_task("compiling", total=total)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def show(self, courses: tuple[Any, ...], epochs: int) -> None:
        """Take in the state after one epoch of the stack."""
        latest = [course.curve[self._metric][-1] for course in courses if not course.diverged]
        mean = sum(latest) / len(latest) if latest else float("nan")
        text = f"{self._metric} {mean:.4f}, mean of {len(latest)}"
        self._bar.update(self._task, description=text, completed=epochs)
        if self._bar.disable:
            self._console.print(f"{epochs} of {self._bar.tasks[0].total:.0f} epochs: {text}")


def _runs(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def _conclude(training: "Training", written: list[Path], out: "Console") -> None:
    from lenet_search.cli.terminal import interval

    summary = training.summary()
    diverged = sum(course.diverged for course in training.courses)
    for metric, found in summary["metrics"].items():
        if found["n"]:
            bounds = [float("nan") if found[end] is None else found[end] for end in ("low", "high")]
            shown = interval(found["mean"], *bounds, share=metric == "val_accuracy")
            out.print(f"{metric} {shown}, mean of {_runs(found['n'])}" + (", 95 % interval" if found["n"] > 1 else ""))
    if diverged:
        out.print(f"{diverged} of {len(training.courses)} runs diverged and are left out of the mean", style="yellow")
    out.print(f"{training.seconds:.0f} s on {training.device}; written:", style="dim")
    for path in written:
        out.print(f"  {path}" + (f"   (seed {training.kept})" if path.suffix == ".keras" else ""), soft_wrap=True)
    model = next((path for path in written if path.suffix == ".keras"), None)
    if model is not None:
        out.print(
            f"The test set, once you are done choosing:  lenet-search evaluate {model}", style="dim", soft_wrap=True
        )
