"""`lenet-search report`: everything about a study in one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from lenet_search.cli.options import Json, Storage, StoredStudy

EXAMPLES = """Examples:

  lenet-search report
  lenet-search report --study cifar --out cifar.html
  lenet-search report --study cifar --out my/folder --json"""


def report(
    study: StoredStudy = None,
    storage: Storage = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE|FOLDER",
            help="A file that ends in .html, or a folder for STUDY.html.",
            show_default="reports",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write everything about a study to one HTML file, which works offline.

    In this order: what was asked; what is best, how sure that is, and how much
    better than the reference; what mattered; how the search went; learning
    curves; all trials in a table that sorts and filters; how to reproduce it.
    A confirmation and ablations are in it once the study has them.
    """
    from lenet_search import api
    from lenet_search.cli.terminal import console, print_json, telling, working
    from lenet_search.results.best import best_trial, metric_of, pick_study
    from lenet_search.results.verdict import quick_of, verdict
    from lenet_search.storage import open_storage, resolve, shown

    url = resolve(storage)
    found = pick_study(open_storage(url, create=False, patience=telling()), study)
    best_trial(found)  # raises a readable error if there is none yet
    with working(f"Writing the report of {found.study_name}"):
        path = api.report(found, url, out)
    sentences = verdict(found)
    if json:
        print_json(
            {
                "study": found.study_name,
                "storage": shown(url),
                "metric": metric_of(found),
                "quick": quick_of(found).why or None,
                "verdict": sentences,
                "file": str(path),
            }
        )
    shown_to = console(stderr=json)
    shown_to.print(sentences[0], style="bold")
    shown_to.print(f"Written to {path}", soft_wrap=True)
