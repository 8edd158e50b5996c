"""Options that several commands share, and what the shell completes for them."""

from pathlib import Path
from typing import Annotated

import typer


def complete_study(incomplete: str) -> list[tuple[str, str]]:
    """Names of study files that begin with `incomplete`, each with its title."""
    from lenet_search import study

    found = {**study.shipped(), **study.local()}  # the folder's own come first where both have a name
    return [(name, title(path)) for name, path in sorted(found.items()) if name.startswith(incomplete)]


def title(path: Path) -> str:
    """The first comment line of a study file: what it asks. Empty where there is none."""
    try:
        with path.open(encoding="utf-8") as lines:
            first = next(lines, "").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return first.lstrip("# ") if first.startswith("#") else ""


StoredStudy = Annotated[
    str | None,
    typer.Option(
        "--study",
        metavar="NAME",
        help="Name of the study. Not given: the only or the most recent one of the storage.",
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
        help="A journal file or any Optuna URL. Not given: lenet-search.journal in this folder.",
    ),
]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        envvar="LENET_SEARCH_DATA",
        show_default=False,
        help="Folder that is looked at first for NAME.npz, so that nothing needs to be downloaded.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")]
