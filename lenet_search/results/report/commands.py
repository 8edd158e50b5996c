"""How to reproduce a study: commands, versions, digests, seeds, and its file."""

import shlex
from html import escape
from typing import Any

import optuna

from lenet_search.look.page import card, data_table, file_text
from lenet_search.results.best import complete_trials
from lenet_search.storage import shown
from lenet_search.storage.ablated import read_ablated
from lenet_search.storage.address import DEFAULT_STORAGE
from lenet_search.storage.confirmed import read_confirmed
from lenet_search.storage.definitions import definition_of
from lenet_search.storage.trials import run_of
from lenet_search.study import write_study
from lenet_search.whole import as_name

SAME = (
    "A run depends on its recipe, seed and clocks alone. Which trials a search draws also depends on the order in "
    "which others end."
)


def commands(study: optuna.Study, url: str | None) -> list[str]:
    """The cards of this part. `url` is the study's storage, None if unknown."""
    lines = [f"# {comment}\n{shlex.join(['lenet-search', *words])}" for comment, words in _commands(study, url)]
    text = file_text("\n\n".join(lines))
    facts = data_table((), [(name, escape(text)) for name, text in _facts(study)], facts=True)
    parts = [
        card("Commands", f'{text}<p class="small">{SAME}</p>'),
        card("Versions, digests and seeds", facts),
    ]
    if definition := definition_of(study):
        parts.append(card("study.toml: the whole study, defaults included", file_text(write_study(definition))))
    return parts


def _commands(study: optuna.Study, url: str | None) -> list[tuple[str, list[str]]]:
    """A comment and the words of each command."""
    name, confirmed = study.study_name, read_confirmed(study)
    where = [] if url in (None, DEFAULT_STORAGE) else ["--storage", shown(str(url))]
    here, folder = ["--study", name, *where], f"exports/{as_name(name)}"
    count = len(study.get_trials(deepcopy=False))
    found: list[tuple[str, list[str]]] = []
    if definition_of(study) is not None:
        run = ["run", "--study", "study.toml", "--name", name, "--trials", str(count), *where]
        found.append(("the search, with the file below", run))
    found.append(("the best recipes and the reference on fresh seeds", ["confirm", *here, *_race(confirmed)]))
    ablations = [["--path"] * each["path"] + ["--seeds", str(_seeds(each))] for each in read_ablated(study)]
    found += [("what each choice of the winner brings", ["ablate", *here, *options]) for options in ablations or [[]]]
    return [
        *found,
        ("recipe, model, script and this report", ["best", *here, "--export", folder]),
        ("the recipe with other seeds", ["train", f"{folder}/recipe.toml", "--seeds", "8"]),
        ("its accuracy on the test set, read once at the end", ["evaluate", f"{folder}/model.keras"]),
    ]


def _race(confirmed: dict[str, Any] | None) -> list[str]:
    """The options of the confirmation that there was."""
    if confirmed is None:
        return []
    racing = sum(row["name"] != "reference" for row in confirmed["recipes"])
    options = ["--finalists", str(racing), "--seeds", str(max(row["n"] for row in confirmed["recipes"]))]
    return options + ([] if confirmed["epochs"] is None else ["--epochs", str(confirmed["epochs"])])


def _seeds(ablated: dict[str, Any]) -> int:
    return max(int(ablated[each]["n"]) for each in ("winner", "reference"))


def _facts(study: optuna.Study) -> list[tuple[str, str]]:
    trials = complete_trials(study)
    if not trials:
        return []
    run = run_of(trials[0])
    facts = [
        ("Versions", ", ".join(f"{package} {version}" for package, version in run.versions.items())),
        ("Device", run.device),
        ("Images", f"{run.images['name']}, digest {run.images['digest']} of images, labels and split"),
        ("Best trial", f"trial {trials[0].number}, seed {run.seed}, {_clocks(run.clocks)}"),
    ]
    lines, confirmed = definition_of(study) or {}, read_confirmed(study)
    if "study.seed" in lines:
        facts.append(("Seed of the study", lines["study.seed"]))
    if confirmed is not None:
        row = next(each for each in confirmed["recipes"] if each["name"] == confirmed["winner"])
        seeds = sorted(map(int, row["seeds"]))
        exported = f"; the exported model is that of seed {row['model_seed']}" if row["model_seed"] is not None else ""
        facts.append(("Fresh seeds", f"{seeds[0]} to {seeds[-1]}{exported}" if seeds else "none"))
    return facts


def _clocks(clocks: list[tuple[int, int]]) -> str:
    """'clock 0', and where a run was interrupted each stretch."""
    if len(clocks) == 1:
        return f"clock {clocks[0][0]}"
    return "clocks " + ", ".join(f"{clock} ({epochs} epochs)" for clock, epochs in clocks)
