"""How commands show which hyperparameters matter."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna
    from rich.console import Console

WIDTH, SHORTEST = 30, 6  # characters of the longest bar: where there is room, and the least that is worth showing


def show_importance(study: "optuna.Study", out: "Console") -> None:
    """Print the verdict, and a table with both importances of each hyperparameter and the interval."""
    from rich.text import Text

    from lenet_search.cli.columns import GAP
    from lenet_search.cli.terminal import show, table
    from lenet_search.results.importance import importance

    found = importance(study)
    if not found.rows:
        out.print(found.verdict, style="dim")
        return
    numbers = ("PED-ANOVA", "90 % interval", "fANOVA")
    beside = sum(len(each) + GAP for each in (max((row.path for row in found.rows), key=len), *numbers))
    room = min(WIDTH, out.width - beside)
    bars = ("",) if room >= SHORTEST else ()
    made = table("hyperparameter", *numbers, *bars, right=numbers, whole=("hyperparameter", *bars))
    largest = max(row.share for row in found.rows)
    for row in found.rows:
        forest = "-" if row.fanova is None else f"{100 * row.fanova:.0f} %"
        cells = (f"{100 * row.share:.0f} %", f"{100 * row.low:.0f} to {100 * row.high:.0f}", forest)
        bar = Text("█" * round(room * row.share / largest), "cyan" if row.named else "dim")
        made.add_row(Text(row.path, "bold" if row.named else ""), *cells, *([bar] if bars else []))
    show(out, "Importance: for reaching the best tenth of the trials (PED-ANOVA), for the value of any (fANOVA)", made)
    out.print(found.verdict, style="bold")
