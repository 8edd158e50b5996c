"""`lenet-search best`: the best trials, the hyperparameter importances, and the best trial as files."""

import shlex
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from lenet_search.cli.importance import show_importance
from lenet_search.cli.options import DataFolder, Json, Ray, Storage, StoredStudy

if TYPE_CHECKING:
    import optuna
    from rich.console import Console

    from lenet_search.results.export import Export

EXAMPLES = """Examples:

  lenet-search best
  lenet-search best --study cifar --top 5
  lenet-search best --export
  lenet-search best --export my/folder --json
  lenet-search best --study cifar --export --refit"""


class Pick(StrEnum):
    """Which seed of a confirmed recipe is exported."""

    MEAN = "mean"
    BEST = "best"


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
    model: Annotated[
        Pick,
        typer.Option(
            "--model",
            metavar="mean|best",
            help="Of a confirmed recipe: export the seed nearest the mean, or the best one, which is lucky.",
        ),
    ] = Pick.MEAN,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            help="With --export: train the winner once more, on training and validation images together (refit.keras).",
        ),
    ] = False,
    storage: Storage = None,
    data: DataFolder = None,
    ray: Ray = None,
    json: Json = False,
) -> None:
    """Show the best trials and the importance of each hyperparameter; export the best trial.

    --export writes the recipe as TOML and JSON, a plain Keras model, a script
    that trains it, and plots.
    """
    from lenet_search.cli.terminal import console, print_json, telling, working
    from lenet_search.results.best import best_trial, foreign_trials, metric_of, pick_study, top_rows
    from lenet_search.results.expected_best import since_best
    from lenet_search.results.importance import importance
    from lenet_search.results.optimism import shrunk_values
    from lenet_search.results.verdict import quick_of
    from lenet_search.storage import open_storage, resolve, shown
    from lenet_search.storage.confirmed import read_confirmed

    if refit and export is None:
        raise typer.BadParameter("expected --export beside it", param_hint="'--refit'")
    if ray is not None and not refit:
        raise typer.BadParameter("expected --refit beside it: nothing else is trained", param_hint="'--ray'")
    url = resolve(storage)
    opened = open_storage(url, create=False, patience=telling())
    found = pick_study(opened, study)
    best_trial(found)  # raises a readable error if there is none yet
    out = console(stderr=json)
    _show(found, top, out)
    written: Export | None = None
    if export is not None:
        from lenet_search.results.export import REFIT
        from lenet_search.results.export import export as write
        from lenet_search.starting import start_backend
        from lenet_search.whole import as_name

        folder = Path("exports", as_name(found.study_name)) if export == DEFAULT_FOLDER else Path(export).expanduser()
        again = _refit(found, url, data, ray) if refit else None
        with working(f"Exporting to {folder}"):
            start_backend()
            written = write(found, url, folder, data_folder=data, best_seed=model == Pick.BEST, refit=again)
        out.print(f"\nWritten to {folder}:", style="bold")
        for path in written.files:
            out.print(f"  {path}")
        if again is not None:
            out.print(
                f"{REFIT} was trained on all {again['images']:,} training and validation images. "
                "No figure goes with it but the test set's:\n"
                f"  lenet-search evaluate {shlex.quote(str(folder / REFIT))}",
                soft_wrap=True,
            )
        if written.not_measured:
            out.print(f"The model was not measured again: {written.not_measured}", style="yellow", soft_wrap=True)
    if json:
        rows, shrunk = top_rows(found, top), shrunk_values(found)
        print_json(
            {
                "study": found.study_name,
                "storage": shown(url),
                "metric": metric_of(found),
                "quick": quick_of(found).why or None,
                "best": [
                    {
                        "number": row.number,
                        **row.estimate.named("value"),
                        "over": row.estimate.over,
                        "shrunk": shrunk.get(row.number),
                        "params": row.params,
                    }
                    for row in rows
                ],
                "passed_over": [trial.number for trial in foreign_trials(found)],
                "since_best": since_best(found),
                "importance": importance(found).to_json(),
                "confirmed": read_confirmed(found),
                "exported": [] if written is None else [str(path) for path in written.files],
                "not_measured": None if written is None else written.not_measured,
            }
        )
    elif export is None:
        where = "" if storage is None else f" --storage {shlex.quote(shown(url))}"
        command = f"lenet-search best --study {shlex.quote(found.study_name)}{where} --export"
        out.print(f"\nTo export its recipe, model, script and plots:  {command}", style="dim", soft_wrap=True)


def _refit(study: "optuna.Study", url: str, data: Path | None, ray: str | None) -> dict[str, Any]:
    from lenet_search import api
    from lenet_search.cli.terminal import console
    from lenet_search.look.live import view_for

    return api.refit(study, url, data=data, ray=ray, view=view_for(console(stderr=True))).to_json()


def _show(study: "optuna.Study", top: int, out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.look.lines import recipe_in_short
    from lenet_search.results.best import complete_trials, metric_of, passed_over, top_rows
    from lenet_search.results.chosen import confirmed_means
    from lenet_search.results.expected_best import since_best
    from lenet_search.results.optimism import shrunk_values
    from lenet_search.results.verdict import quick_of

    _show_confirmed(study, out)
    metric, rows, quick = metric_of(study), top_rows(study, top), quick_of(study)
    heading = f"{metric}, 95 % interval" if rows[0].estimate.bounds() else metric
    shrunk, confirmed = shrunk_values(study), confirmed_means(study)
    more = [*(["shrunk"] if shrunk else []), *(["on fresh seeds"] if confirmed else [])]
    columns = ("rank", "trial", heading, *more, "seconds", "searched hyperparameters")
    made = table(*columns, right=("rank", "trial", "shrunk", "seconds"), whole=(heading, "on fresh seeds"))
    for row in rows:
        expected = [f"{100 * shrunk[row.number]:.2f} %"] if shrunk else []
        expected += [confirmed.get(row.number, "")] if confirmed else []
        cells = (str(row.rank), str(row.number), str(row.estimate), *expected, f"{row.seconds:.0f}")
        made.add_row(*cells, Text(recipe_in_short(row.params)))
    show(
        out, quick.title(f"{study.study_name}: best {len(rows)} of {len(complete_trials(study))} complete trials"), made
    )
    if foreign := passed_over(study):
        out.print(foreign, style="dim")
    if quick:
        out.print(quick.warning, style="yellow")
    if rows[0].estimate.bounds():
        by_seed = rows[0].estimate.over == "seeds"
        what = "over the seeds of a trial" if by_seed else f"for {rows[0].estimate.n:,} validation images"
        corrected = (
            f"; shrunk values correct for that{'' if by_seed else ', but not for a lucky seed'}" if shrunk else ""
        )
        out.print(f"Intervals are {what}. The best trial looks better than it is,"
                  f" because it was selected on these images{corrected}.", style="dim")  # fmt: skip
    if later := since_best(study):
        trials = "the last trial to end" if later == 1 else f"the last {later} trials to end"
        out.print(f"No improvement in {trials}: the best is trial {rows[0].number}.", style="dim")
    show_importance(study, out)


def _show_confirmed(study: "optuna.Study", out: "Console") -> None:
    from lenet_search.storage.confirmed import read_confirmed

    confirmed = read_confirmed(study)
    if confirmed is None:
        out.print(f"Not confirmed on fresh seeds: lenet-search confirm --study {shlex.quote(study.study_name)}")
        return
    for place, line in enumerate(confirmed["verdict"]):
        out.print(line, style="dim" if place else "bold")
