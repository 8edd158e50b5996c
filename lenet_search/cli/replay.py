"""`lenet-search replay`: what another pruner would have done to a study's trials."""

from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import Json, Storage, StoredStudy

if TYPE_CHECKING:
    import optuna
    from rich.console import Console

    from lenet_search.results.replay import Replay
    from lenet_search.study import Component

SHOWN = 12  # epochs in the table of rank correlations
EXAMPLES = """Examples:

  lenet-search replay --study cifar
  lenet-search replay --pruner '{ kind = "MedianPruner", n_warmup_steps = 3 }'
  lenet-search replay --pruner '{ kind = "HyperbandPruner" }' --json"""


def complete_pruner(incomplete: str) -> list[str]:
    """Tables of Optuna's pruners that begin with `incomplete`."""
    from lenet_search.study import pruner_names

    tables = [f'{{ kind = "{name}" }}' for name in pruner_names()]
    return [text for text in tables if text.startswith(incomplete)]


def replay(
    study: StoredStudy = None,
    pruner: Annotated[
        list[str] | None,
        typer.Option(
            "--pruner",
            metavar="TABLE",
            help="An Optuna pruner, as in a study file; may be repeated.",
            show_default="five usual ones",
            autocompletion=complete_pruner,
        ),
    ] = None,
    storage: Storage = None,
    json: Json = False,
) -> None:
    """Replay the stored learning curves against other pruners, without training.

    Shows for each pruner how many epochs it would have saved, whether it would
    have kept the best trial, and the best value that would be left. Then how
    well each epoch's values predict the order of the last ones.
    """
    from lenet_search.cli.terminal import console, print_json, working
    from lenet_search.results.best import best_trial, metric_of, pick_study
    from lenet_search.results.replay import USUAL, agreement, pruned_trials, verdict
    from lenet_search.results.replay import replay as decide
    from lenet_search.storage import open_storage, resolve
    from lenet_search.study import read_pruner

    pruners = [read_pruner(text) for text in pruner] if pruner else list(USUAL)
    url = resolve(storage)
    found = pick_study(open_storage(url, create=False), study)
    best_trial(found)  # raises a readable error if there is none yet
    made = []
    for each in pruners:
        with working(f"Replaying {found.study_name} with {each}"):  # Wilcoxon's test takes a second where values tie
            made.append((each, decide(found, each)))
    _show(found, made, console(stderr=json))
    if json:
        print_json(
            {
                "study": found.study_name,
                "storage": url,
                "metric": metric_of(found),
                "verdict": verdict(made, best_trial(found).number),
                "already_pruned": pruned_trials(found),
                "pruners": [{"pruner": each.table(), **result.to_json()} for each, result in made],
                "rank_correlation": [vars(each) for each in agreement(found)],
            }
        )


def _show(study: "optuna.Study", made: "list[tuple[Component, Replay]]", out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.look.theme import METRICS
    from lenet_search.results.best import best_trial, metric_of
    from lenet_search.results.replay import agreement, pruned_trials, verdict

    metric, best = METRICS[metric_of(study)], best_trial(study)

    def lost(regret: float) -> str:
        return f"{regret * metric.factor:.{metric.digits}f} {'points' if metric.unit == '%' else metric.unit}"

    out.print(f"\n{verdict(made, best.number)}", style="bold")
    head = ("pruner", "epochs saved", "pruned", "best trial", "best left", "regret")
    shown = table(*head, right=head[1:3], whole=head[3:])
    for pruner, result in made:
        kept = "kept" if result.best_pruned_at is None else f"pruned after epoch {result.best_pruned_at}"
        left = ("-", "-") if result.left is None else (metric.text(result.left), lost(result.regret or 0.0))
        cells = (f"{100 * result.saved:.0f} %", f"{result.pruned} of {result.complete}", kept, *left)
        shown.add_row(Text(_in_words(pruner)), *cells)
    show(out, f"{study.study_name}: what other pruners would have done", shown)
    note = f"Of the complete trials, the best is trial {best.number} with {metric.text(float(best.value or 0.0))}."
    if ended := pruned_trials(study):
        note += f" The study itself pruned {ended} other trials, which are replayed up to their last epoch."
    out.print(note, style="dim")
    rows = agreement(study)
    step = max(1, -(-len(rows) // SHOWN))
    columns = ("epoch", "rank correlation", "95 % interval", "n")
    shown = table(*columns, right=columns)
    for row in rows[::-step][::-1]:
        value, low, high = ("-" if each is None else f"{each:.2f}" for each in (row.correlation, row.low, row.high))
        shown.add_row(str(row.epoch), value, "-" if low == high else f"{low} to {high}", str(row.n))
    show(out, "Agreement of each epoch with the last one (Spearman), over complete trials", shown)


def _in_words(pruner: "Component") -> str:
    """The kind, and its arguments in a line below."""
    return f"{pruner.kind}\n{', '.join(f'{name} {value}' for name, value in pruner.arguments.items())}".strip()
