"""Options that several commands share, with their shell completion."""

from pathlib import Path
from typing import Annotated

import typer


def complete_study(incomplete: str) -> list[tuple[str, str]]:
    """Names of study files that begin with `incomplete`, with their titles."""
    from lenet_search import study

    return _titled({**study.shipped(), **study.local()}, incomplete)


def complete_recipe(incomplete: str) -> list[tuple[str, str]]:
    """Names of recipes that begin with `incomplete`, with their titles."""
    from lenet_search import study

    return _titled({**study.shipped("recipes"), **study.local("recipes")}, incomplete)


def complete_both(incomplete: str) -> list[tuple[str, str]]:
    """Names of studies, then of recipes."""
    return complete_study(incomplete) + complete_recipe(incomplete)


def complete_set(incomplete: str) -> list[tuple[str, str]]:
    """Keys that `--set` takes, with their meanings; after the equals sign, the values, where they are a few words."""
    from lenet_search.recipe import FIELDS
    from lenet_search.study import METRICS
    from lenet_search.study.settings import KEYS

    key, equals, _ = incomplete.partition("=")
    if not equals:
        meanings = {path: field.legal.meaning for path, field in FIELDS.items()}
        meanings |= {f"study.{name}": meaning for name, meaning in KEYS.items()}
        return [(f"{path}=", meaning) for path, meaning in meanings.items() if path.startswith(key)]
    known: dict[str, tuple[str, ...]] = {
        "study.metric": tuple(METRICS),
        "study.direction": ("maximize", "minimize"),
        "study.repeat": ("true", "false"),
    }
    if key in FIELDS:
        legal = FIELDS[key].legal
        known[key] = ("true", "false") if legal.type is bool else legal.choices
    values = [f"{key}={value}" for value in known.get(key, ())]
    return [(value, "") for value in values if value.startswith(incomplete)]


def _titled(files: dict[str, Path], incomplete: str) -> list[tuple[str, str]]:
    from lenet_search.study import title

    return [(name, title(path)) for name, path in sorted(files.items()) if name.startswith(incomplete)]


StoredStudy = Annotated[
    str | None,
    typer.Option(
        "--study",
        metavar="NAME",
        help="Name of the study. Default: the only or most recent one in the storage.",
        autocompletion=complete_study,
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="URL",
        envvar="LENET_SEARCH_STORAGE",
        show_default=False,
        help="A journal file or any Optuna URL. Default: lenet-search.journal in this folder.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a value of the file; may be repeated.",
        show_default=False,
        autocompletion=complete_set,
    ),
]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        envvar="LENET_SEARCH_DATA",
        show_default=False,
        help="Folder searched for NAME.npz or NAME/ before downloading.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout and everything else to stderr.")]
Seeds = Annotated[
    int | None,
    typer.Option(
        "--seeds",
        metavar="N",
        min=1,
        max=1024,
        help="Runs per recipe, each from different initial weights.",
        show_default="5",
    ),
]
Results = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder of results.", show_default="results"),
]
FreezeEvery = Annotated[
    float,
    typer.Option(
        "--freeze-every",
        metavar="SECONDS",
        min=0.1,
        help="Save running work this often, in case the process is killed; takes at most 2 % of the time.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        max=1024,
        help="Number of worker processes.",
        show_default="one per GPU, else one per core",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="auto|HOST:PORT",
        show_default="this machine",
        help="Train on all nodes of a Ray cluster; auto finds the one that runs on this machine.",
    ),
]
