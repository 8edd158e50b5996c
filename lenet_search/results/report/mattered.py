"""What mattered: ablations of the winner, then the importance of each hyperparameter."""

import shlex
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import optuna
import plotly.graph_objects as go

from lenet_search.look.page import card, data_table
from lenet_search.look.waterfall import COLUMNS, HOLM, ablation_figure, cells
from lenet_search.results.best import complete_trials
from lenet_search.results.figures import slices_figure
from lenet_search.results.finalists import winner_of
from lenet_search.results.importance_figure import importance_figure
from lenet_search.storage.ablated import read_ablated

EPOCHS = "train.epochs"


def mattered(study: optuna.Study, draw: Callable[..., str]) -> list[str]:
    """The cards of this part. `draw` makes a section of a name and a figure."""
    return [
        *_ablations(study, draw),
        draw("importance", importance_figure(study)),
        draw("slices", slices_figure(study)),
    ]


def _ablations(study: optuna.Study, draw: Callable[..., str]) -> list[str]:
    if not complete_trials(study):
        return []
    command = f"<code>{escape(shlex.join(['lenet-search', 'ablate', '--study', study.study_name]))}</code>"
    title, parts, found = "What each choice brings", [], read_ablated(study)
    winner = winner_of(study).values()
    for each in found:
        if not is_of(each, winner):
            kind = "along a path" if each["path"] else "one choice at a time"
            stale = f"The ablation {kind} is of an earlier winner and is not shown. To repeat it: {command}"
            parts.append(card(title, f"<p>{stale}{' --path' if each['path'] else ''}</p>"))
            continue
        parts.append(_ablation(each, winner[EPOCHS], draw))
    if not found:
        missing = f"The winner's choices have not been put back one at a time. To train what each brings: {command}"
        parts.append(card(title, f"<p>{missing}</p>"))
    return parts


def _ablation(found: dict[str, Any], epochs: Any, draw: Callable[..., str]) -> str:
    figure: go.Figure = ablation_figure(found)
    trained = f" Trained for {found['values'][EPOCHS]} epochs." if found["values"][EPOCHS] != epochs else ""
    table = data_table(COLUMNS, [map(escape, row) for row in cells(found)], frozenset({2}))
    verdict = f"<p><b>{escape(found['verdict'])}</b>{trained}</p>"
    return draw("path" if found["path"] else "ablation", figure, f'{verdict}{table}<p class="small">{HOLM}</p>')


def is_of(found: dict[str, Any], winner: Mapping[str, Any]) -> bool:
    """Whether a stored ablation is of the recipe with these values, not of an earlier winner."""
    return _without_epochs(found["values"]) == _without_epochs(winner)


def _without_epochs(values: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe as stored JSON, apart from its epochs, which an ablation may change."""
    return {path: list(v) if isinstance(v, tuple) else v for path, v in values.items() if path != EPOCHS}
