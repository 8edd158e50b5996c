"""A study as one HTML page that works offline: what was asked, what is best, what mattered, how to reproduce it."""

from datetime import datetime

import optuna
import plotly.graph_objects as go

from lenet_search.look.page import answer, contents, page, part, picture, title_of
from lenet_search.results.chosen import confirmed_runs
from lenet_search.results.curves import confirmed_curves_figure, curves_figure
from lenet_search.results.report.commands import commands
from lenet_search.results.report.mattered import mattered
from lenet_search.results.report.question import question
from lenet_search.results.report.searched import searched_part
from lenet_search.results.report.trials_table import trials_table
from lenet_search.results.report.winner import winner
from lenet_search.results.verdict import quick_of, verdict
from lenet_search.storage.confirmed import read_confirmed

__all__ = ["report_page"]


def report_page(study: optuna.Study, url: str | None = None) -> str:
    """The complete page.

    Args:
        study: a study, perhaps without trials yet
        url: its storage, beside which the runs of a confirmation lie; None: these runs are not shown
    """
    quick = quick_of(study)

    def draw(name: str, figure: go.Figure, after: str = "") -> str:
        return picture(name, quick.figure(figure), after, rank="h3")

    runs = {} if url is None else confirmed_runs(study, url)
    confirmed = [draw("confirmed-curves", confirmed_curves_figure(study, runs))] if runs else []
    if not runs and url is not None and read_confirmed(study) is not None:
        confirmed = ["<p>The runs of the confirmation are not on this machine, so their curves are not shown.</p>"]
    parts = {
        "What was asked": question(study),
        "What is best, and how sure": winner(study),
        "What mattered": mattered(study, draw),
        "How the search went": searched_part(study, draw),
        "Curves": [draw("curves", curves_figure(study)), *confirmed],
        "All trials": trials_table(study),
        "How to reproduce it": commands(study, url),
    }
    written = f"Written by lenet-search on {datetime.now():%Y-%m-%d}."
    return page(
        quick.title(study.study_name),
        [
            *title_of(f"Study {study.study_name}", quick),
            *answer(verdict(study)[:1]),
            contents(parts),
            *(part(number, title, inner) for number, (title, inner) in enumerate(parts.items(), 1)),
            f"<footer>{written}</footer>",
        ],
    )
