"""`lenet-search best`: the best trials, the hyperparameter importances, and the best trial as files."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from lenet_search.cli.options import DataFolder, Json, Storage, StoredStudy

if TYPE_CHECKING:
    import optuna
    from rich.console import Console

    from lenet_search.results.export import Export

EXAMPLES = """Examples:

  lenet-search best
  lenet-search best --study cifar --top 5
  lenet-search best --export
  lenet-search best --export my/folder --json"""

DEFAULT_FOLDER = ""  # the value of a bare --export


class OptionalFolder(TyperCommand):
    """A command whose `--export` may omit its value, which Typer does not support."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a bare `--export` (at the end, or before another option) the value for the default folder."""
        given = [
            f"--export={DEFAULT_FOLDER}" if arg == "--export" and after.startswith("-") else arg
            for arg, after in pairwise([*args, "-"])
        ]
        return super().parse_args(ctx, given)


def best(
    study: StoredStudy = None,
    top: Annotated[int, typer.Option("--top", min=1, metavar="N", help="Number of trials to show.")] = 10,
    export: Annotated[
        str | None,
        typer.Option(
            "--export",
            metavar="[DIR]",
            help="Write the best recipe, its model, a training script and plots to DIR.",
            show_default="exports/STUDY",
        ),
    ] = None,
    storage: Storage = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Show the best trials and the importance of each hyperparameter; export the best trial.

    --export writes the recipe as TOML and JSON, a plain Keras model, a script
    that trains it, and plots.
    """
    from lenet_search.cli.terminal import console, print_json, telling, working
    from lenet_search.results.best import best_trial, foreign_trials, importance, metric_of, pick_study, top_rows
    from lenet_search.results.verdict import quick_of
    from lenet_search.storage import open_storage, resolve, shown

    url = resolve(storage)
    opened = open_storage(url, create=False, patience=telling())
    found = pick_study(opened, study)
    best_trial(found)  # raises a readable error if there is none yet
    out = console(stderr=json)
    _show(found, top, out)
    written: Export | None = None
    if export is not None:
        from lenet_search.cli.backend import start_backend
        from lenet_search.results.export import export as write

        folder = Path("exports", found.study_name) if export == DEFAULT_FOLDER else Path(export).expanduser()
        with working(f"Exporting to {folder}"):
            start_backend()
            written = write(found, url, folder, data_folder=data)
        out.print(f"\nWritten to {folder}:", style="bold")
        for path in written.files:
            out.print(f"  {path}")
        if written.not_measured:
            out.print(f"The model was not measured again: {written.not_measured}", style="yellow", soft_wrap=True)
    if json:
        rows = top_rows(found, top)
        print_json(
            {
                "study": found.study_name,
                "storage": shown(url),
                "metric": metric_of(found),
                "quick": quick_of(found).why or None,
                "best": [{"number": row.number, **row.estimate.named("value"), "params": row.params} for row in rows],
                "passed_over": [trial.number for trial in foreign_trials(found)],
                "importance": importance(found),
                "exported": [] if written is None else [str(path) for path in written.files],
                "not_measured": None if written is None else written.not_measured,
            }
        )
    elif export is None:
        out.print("\nTo export its recipe, model, script and plots:  lenet-search best --export", style="dim")


def _show(study: "optuna.Study", top: int, out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.look.lines import recipe_in_short
    from lenet_search.results.best import (
        complete_trials,
        importance,
        metric_of,
        no_importance,
        passed_over,
        top_rows,
    )
    from lenet_search.results.verdict import quick_of

    metric, rows, quick = metric_of(study), top_rows(study, top), quick_of(study)
    heading = f"{metric}, 95 % interval" if rows[0].estimate.bounds() else metric
    columns = ("rank", "trial", heading, "seconds", "searched hyperparameters")
    made = table(*columns, right=("rank", "trial", "seconds"), whole=(heading,))
    for row in rows:
        cells = (str(row.rank), str(row.number), str(row.estimate), f"{row.seconds:.0f}")
        made.add_row(*cells, Text(recipe_in_short(row.params)))
    show(
        out, quick.title(f"{study.study_name}: best {len(rows)} of {len(complete_trials(study))} complete trials"), made
    )
    if foreign := passed_over(study):
        out.print(foreign, style="dim")
    if quick:
        out.print(quick.warning, style="yellow")
    if rows[0].estimate.bounds():
        out.print(f"Intervals are for {rows[0].estimate.n:,} validation images. The best trial looks better than it is,"
                  " because it was selected on these images.", style="dim")  # fmt: skip
    shares = importance(study)
    if not shares:
        out.print(no_importance(study), style="dim")
        return
    made = table("hyperparameter", "importance", "", right=("importance",), whole=("hyperparameter", ""))
    largest = max(shares.values())
    for path, part in shares.items():
        made.add_row(Text(path), f"{100 * part:.1f} %", Text("█" * round(30 * part / largest), "cyan"))
    show(out, "Hyperparameter importance for reaching the best tenth of the trials", made)
