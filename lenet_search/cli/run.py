"""`lenet-search run`: search the space of a study."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, FreezeEvery, Json, Ray, Set, Storage, Workers, complete_study
from lenet_search.crew import FREEZE_EVERY

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.search import Summary
    from lenet_search.study import Confirming

EXAMPLES = """Examples:

  lenet-search run --study digits
  lenet-search run --study cifar --trials 100 \\
      --timeout 30m
  lenet-search run --study cifar --slots auto
  lenet-search run --study my/study.toml \\
      --storage sqlite:///results.db
  lenet-search run --study cifar --set train.epochs=2 \\
      --name quick

Run the same command again to resume; only missing trials are trained.
Run it on another machine with the same database to share the work."""


def run(
    study: Annotated[
        str,
        typer.Option(
            "--study",
            metavar="NAME|FILE",
            help="A study file, or the name of a study in studies/ or in the package.",
            autocompletion=complete_study,
        ),
    ],
    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            metavar="N",
            min=1,
            help="Total number of trials, including those of earlier runs.",
            show_default="as in the study",
        ),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout", metavar="TIME", help="Stop after this time: 90s, 30m or 2h, say.", show_default=False
        ),
    ] = None,
    storage: Storage = None,
    set_: Set = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="Name of the study in the storage.", show_default="the name of the file"
        ),
    ] = None,
    workers: Workers = None,
    slots: Annotated[
        str | None,
        typer.Option(
            "--slots",
            metavar="N|auto",
            help='Trials side by side in each worker; "auto" measures the best number and remembers it.',
            show_default="4 on a CPU; 16 on a GPU, or a third of a short search's trials",
        ),
    ] = None,
    data: DataFolder = None,
    freeze_every: FreezeEvery = FREEZE_EVERY,
    ray: Ray = None,
    no_confirm: Annotated[
        bool, typer.Option("--no-confirm", help="Do not end with the race of the study's confirm table.")
    ] = False,
    json: Json = False,
) -> None:
    """Search the space of a study, and store every trial.

    Ctrl-C, SIGTERM, SIGUSR1 and --timeout stop the search within seconds.
    Running trials are frozen; run the same command again to resume them.
    A study with a `confirm` table ends with the race of `lenet-search confirm`, the shipped ones among them.
    """
    from lenet_search.api import Study
    from lenet_search.cli.confirm import conclude
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.crew.places import slots_of
    from lenet_search.errors import ResultError
    from lenet_search.look.live import view_for
    from lenet_search.search import Interrupted
    from lenet_search.study import duration

    try:
        seconds = None if timeout is None else duration(timeout)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--timeout'") from None
    try:
        size = slots_of(slots)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="'--slots'") from None
    chosen = Study.read(study, overrides=set_ or (), name=name)
    out = console(stderr=json)
    try:
        view = view_for(out)
        summary = chosen.run(trials, seconds, storage, workers, size, data, view, freeze_every, ray)
    except Interrupted as interrupted:
        if json and interrupted.summary is not None:
            print_json(interrupted.summary.to_json())
        raise
    confirmation, refused, stated = None, None, chosen.definition.confirm
    if stated is not None and not no_confirm and summary.ended == "done" and summary.best is not None:
        race = chosen.race_size()
        if race is not None:
            view = view_for(out)
            view.opening("Race", _race_in_words(race, stated))
            try:
                confirmation = chosen.confirm(
                    *race, data=data, workers=workers, freeze_every=freeze_every, ray=ray, view=view
                )
            except Interrupted:
                if json:  # the search itself has ended
                    print_json(summary.to_json() | {"confirmation": None})
                raise
            except ResultError as error:  # said last: the search itself has ended well
                refused = error
        else:
            out.print(
                f"\nNot confirmed: even a small race would train more than {stated.share:g} of the search's epochs "
                "(share, under [confirm]). `lenet-search confirm` races without that limit."
            )
    if json:
        confirmed = {} if confirmation is None else {"confirmation": confirmation.summary()}
        print_json(summary.to_json() | confirmed)
    if confirmation is not None:
        conclude(confirmation, out)
    _conclude(summary, out, confirmed=confirmation is not None)
    if refused is not None:
        raise refused


def _race_in_words(size: tuple[int, int], stated: "Confirming") -> str:
    asked = (stated.finalists, stated.seeds)
    shown = f"the best {size[0]} recipes and the reference on up to {size[1]} fresh seeds"
    if size == asked:
        return shown
    return f"{shown} (instead of {asked[0]} on {asked[1]}, to train at most {stated.share:g} of the search's epochs)"


def _study_of(summary: "Summary") -> str:
    """The options that name a study and its storage."""
    from lenet_search.storage import resolve, shown

    where = "" if summary.storage == shown(resolve(None)) else f" --storage {shlex.quote(summary.storage)}"
    return f"--study {shlex.quote(summary.study)}{where}"


def _conclude(summary: "Summary", out: "Console", *, confirmed: bool = False) -> None:
    """Print the result, and what to do next. If it is `confirmed`, the confirmation is the result."""
    from lenet_search.look.intervals import figure
    from lenet_search.look.lines import recipe_in_short
    from lenet_search.results.best import ordered
    from lenet_search.storage import dashboard_command
    from lenet_search.storage.address import HIDDEN, HOW_TO_GIVE_THE_PASSWORD

    if summary.ended == "timeout":
        interrupted = summary.trials["interrupted"]
        trials = "trial is" if interrupted == 1 else "trials are"
        frozen = f"; {interrupted} running {trials} frozen" if interrupted else ""
        none = "" if summary.best else ", and no trial is complete yet"
        out.print(f"\nThe time is up{frozen}{none}. Run the same command again to resume.")
    elif summary.best is None:
        out.print("\nNo trial is complete. Run the same command again with a larger --trials.")
    if summary.best is None:
        return
    best = figure(float(summary.best["value"]), summary.metric)
    where = " in the search" if confirmed else ""
    out.print(f"\nBest{where}: trial {summary.best['number']} with {best}", style="dim" if confirmed else "bold")
    out.print(f"  {recipe_in_short(ordered(summary.best['params']))}")
    out.print("\nNext:", style="bold")
    if not confirmed:
        out.print(f"  lenet-search confirm {_study_of(summary)}", soft_wrap=True)
    out.print(f"  lenet-search best {_study_of(summary)} --export", soft_wrap=True)
    out.print(f"  {dashboard_command(summary.storage)}", soft_wrap=True)
    if HIDDEN in _study_of(summary):
        out.print(f"  ({HOW_TO_GIVE_THE_PASSWORD})", style="dim", soft_wrap=True)
