"""`lenet-search studies`: the studies that can be run, and those in the storage."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lenet_search.cli.options import Json, Storage

if TYPE_CHECKING:
    from rich.console import Console

# Names of Optuna's states in the other commands
STATES = {"complete": "complete", "pruned": "pruned", "failed": "fail", "running": "running", "queued": "waiting"}


def studies(storage: Storage = None, json: Json = False) -> None:
    """List the studies that ship with the package, those in this folder, and those in the storage."""
    from lenet_search import study
    from lenet_search.cli.terminal import console, print_json
    from lenet_search.storage import resolve, shown

    url = resolve(storage)
    stored, confirmed = _stored(url, asked=storage is not None)
    local = study.local() | study.readable(Path())
    if json:
        print_json(
            {
                "shipped": {name: str(path) for name, path in study.shipped().items()},
                "local": {name: str(path) for name, path in local.items()},
                "storage": shown(url),
                "stored": stored,
                "confirmed": confirmed,
            }
        )
    out = console(stderr=json)
    shipped = study.shipped()
    copies = {name for name in local.keys() & shipped.keys() if local[name].read_bytes() == shipped[name].read_bytes()}
    _files("Studies in the package", shipped, out)
    _files("Studies in this folder", {name: path for name, path in local.items() if name not in copies}, out)
    _runs(shown(url), stored, out)
    _confirmed(confirmed, out)


def _files(heading: str, found: dict[str, Any], out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.study import title

    if not found:
        return
    made = table("name", "question", whole=("name",))
    for name, path in sorted(found.items()):
        made.add_row(Text(name, "bold cyan"), Text(title(path)))
    show(out, heading, made)


def _stored(url: str, *, asked: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The searches in the storage with the number of trials in each state, and the confirmations; both may be empty.

    Raises:
        ResultError: the storage was named explicitly and does not exist.
    """
    from optuna import load_study

    from lenet_search.cli.terminal import telling
    from lenet_search.errors import ResultError
    from lenet_search.results.best import complete_trials, metric_of, ranked_trials
    from lenet_search.storage import open_storage
    from lenet_search.storage.confirmed import is_beside, read_confirmed

    try:
        opened = open_storage(url, create=False, patience=telling())
    except ResultError:
        if asked:
            raise
        return [], []
    rows, confirmed = [], []
    for name in sorted(each.study_name for each in opened.get_all_studies()):
        study = load_study(study_name=name, storage=opened)
        if is_beside(study):
            continue
        try:
            found = read_confirmed(study)
            if found is not None:
                confirmed.append({"study": name, "winner": found["winner"], "verdict": found["verdict"]})
        except ResultError as error:
            confirmed.append({"study": name, "winner": None, "verdict": [str(error)]})
        states = Counter(trial.state.name.lower() for trial in study.get_trials(deepcopy=False))
        single = len(study.directions) == 1  # another tool's study may have several objectives
        try:
            metric, problem = metric_of(study) if single else None, "" if single else "several objectives"
        except ResultError as error:
            metric, problem = None, str(error)
        best = next(iter(complete_trials(study) or ranked_trials(study)), None) if metric else None
        rows.append(
            {
                "study": name,
                "metric": metric,
                "problem": problem or None,
                "trials": {name: states[state] for name, state in STATES.items()},
                "best": None if best is None else {"number": best.number, "value": best.value},
            }
        )
    return rows, confirmed


def _runs(url: str, stored: list[dict[str, Any]], out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table
    from lenet_search.look.intervals import figure

    if not stored:
        out.print(f"There are no studies in {url} yet. To run a first one:  lenet-search run --study digits")
        return
    made = table("name", *STATES, "best", "trial", right=(*STATES, "trial"), whole=("best",))
    for row in stored:
        counts = [str(row["trials"][state] or "·") for state in STATES]
        if row["best"] is None:
            shown, number = row["problem"] or "none yet", ""
        else:
            value, number = figure(row["best"]["value"], row["metric"]), str(row["best"]["number"])
            shown = f"{row['metric']} {value}"
        made.add_row(Text(row["study"], "bold cyan"), *counts, shown, number)
    show(out, f"Studies in {url}", made)


def _confirmed(confirmed: list[dict[str, Any]], out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table

    if not confirmed:
        return
    made = table("study", "result", whole=("study",))
    for row in confirmed:
        made.add_row(Text(row["study"], "bold cyan"), Text(row["verdict"][0]))
    show(out, "Confirmed on fresh seeds", made)
