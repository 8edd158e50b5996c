"""What a study shows in optuna-dashboard: notes for the study and its trials, the report's figures, the best models."""

from collections.abc import Callable, Iterator
from textwrap import wrap

import optuna
import plotly.graph_objects as go
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState

from lenet_search.errors import LenetSearchError
from lenet_search.look.theme import TEMPLATE
from lenet_search.look.waterfall import ablation_figure
from lenet_search.results.best import complete_trials
from lenet_search.results.chosen import confirmed_means
from lenet_search.results.expected_best_figure import expected_best_figure
from lenet_search.results.figures import history_figure
from lenet_search.results.finalists import winner_of
from lenet_search.results.importance_figure import importance_figure
from lenet_search.results.kept_models import keep_models
from lenet_search.results.notes import confirmation_note, recipe_note, study_note, trial_note
from lenet_search.results.report.mattered import is_of
from lenet_search.results.verdict import quick_of
from lenet_search.storage.ablated import read_ablated
from lenet_search.storage.board import Board
from lenet_search.storage.confirmed import SUFFIX, read_confirmed
from lenet_search.storage.trials import REASON, carries_run

FAILED = "optuna-dashboard does not show all of the results"
SHARE = 0.01  # of a search's time that writing for the dashboard may take
LEAST_SECONDS, MOST_SECONDS = 1.0, 10.0  # for the notes of trials: a journal takes 2 ms for each, a database 10 ms
MODELS = 10.0  # seconds that this takes, for a worker has to start (2 busy cores, measured 2026-11)
LINE = 88  # characters of a subtitle in half of a page that is 1,400 pixels wide
MOST_NOTES = 1000  # of trials; the dashboard looks through all of them for each trial that it shows

# The figures of every study, by their names in the dashboard.
FIGURES: dict[str, Callable[[optuna.Study], go.Figure]] = {
    "lenet-search-importance": importance_figure,
    "lenet-search-history": history_figure,
    "lenet-search-expected-best": expected_best_figure,
}


def show(
    study: optuna.Study,
    url: str,
    tell: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
    *,
    seconds: float = MOST_SECONDS,
    figures: bool = True,
    models: bool = True,
) -> None:
    """Write what has changed. If that fails, the results are safe, and the person is told.

    Args:
        study: in the storage `url`
        url: of the storage
        tell: called with a sentence for the person
        stopped: whether to leave the rest to the next time
        seconds: time for notes of trials; those that do not fit are left to the next time
        figures: whether to draw the figures, too
        models: whether to write the models of the best trials, too
    """
    try:
        write_texts(study, url, seconds, figures=figures)
        if models:
            keep_models(study, url, tell, stopped)
    except (LenetSearchError, OSError, StorageInternalError) as error:
        tell(f"{FAILED}: {error}")


def time_for_notes(seconds: float) -> float:
    """Seconds for the notes of trials at the end of a search that took `seconds`."""
    return min(MOST_SECONDS, max(LEAST_SECONDS, SHARE * seconds))


def has_time_for_models(seconds: float) -> bool:
    """Whether a search of this length lets its models be written at its end; else `lenet-search confirm` does it."""
    return SHARE * seconds >= MODELS


def write_texts(study: optuna.Study, url: str, seconds: float = MOST_SECONDS, *, figures: bool = True) -> int:
    """Write the notes and, if asked, the figures; returns the number of attributes written."""
    board = Board(study)
    board.put_note(study_note(study, url))
    if figures:
        _put_figures(board, study)
    confirmed = confirmed_means(study)
    for trial in _to_note(study, board):
        board.put_note(trial_note(study, trial, confirmed.get(trial.number, "").replace("\n", ", ")), trial)
    return board.write(seconds) + _write_confirmation(study)


def show_figures(study: optuna.Study, tell: Callable[[str], None]) -> None:
    """Write the figures that have changed. If that fails, the person is told."""
    try:
        board = Board(study)
        _put_figures(board, study)
        board.write()
    except (LenetSearchError, OSError, StorageInternalError) as error:
        tell(f"{FAILED}: {error}")


def _put_figures(board: Board, study: optuna.Study) -> None:
    """Draw them. Those of earlier winners' ablations stay: the dashboard's functions can remove none."""
    quick = quick_of(study)
    drawn = {name: draw(study) for name, draw in FIGURES.items()}
    winner = winner_of(study).values() if complete_trials(study) else {}
    for found in read_ablated(study):
        if is_of(found, winner):
            drawn[f"lenet-search-{'path' if found['path'] else 'ablation'}"] = ablation_figure(found)
    for name, figure in drawn.items():
        if figure.data:  # else it only says that there is nothing to draw yet
            board.put_figure(name, _fitted(quick.figure(figure)))


def _fitted(figure: go.Figure) -> go.Figure:
    """A figure as it fits the dashboard, which has heights of its own, and of which two stand side by side."""
    lines = wrap((figure.layout.title.subtitle.text or "").replace("<br>", " "), LINE)
    top = figure.layout.margin.t or TEMPLATE.layout.margin.t
    return figure.update_layout(
        height=None, title_subtitle_text="<br>".join(lines), margin_t=top + 18 * max(0, len(lines) - 1)
    )


def _to_note(study: optuna.Study, board: Board) -> Iterator[FrozenTrial]:
    """The trials that have a note or get one, the best first."""
    noted = board.noted()
    best = complete_trials(study)
    ended = study.get_trials(deepcopy=False, states=(TrialState.PRUNED, TrialState.FAIL))
    room = MOST_NOTES - len(noted)
    for trial in (*best, *(each for each in ended if carries_run(each) or REASON in each.user_attrs)):
        if trial._trial_id in noted:
            yield trial
        elif room > 0:
            yield trial
            room -= 1


def _write_confirmation(study: optuna.Study) -> int:
    confirmed = read_confirmed(study)
    if confirmed is None:
        return 0
    try:
        beside = optuna.load_study(study_name=study.study_name + SUFFIX, storage=study._storage)
    except KeyError:  # the confirmation was killed before it could write it, or somebody has deleted it
        return 0
    board = Board(beside)
    board.put_note(confirmation_note(study, confirmed))
    rows = {row["name"]: row for row in confirmed["recipes"]}
    for trial in beside.get_trials(deepcopy=False):
        if (row := rows.get(trial.user_attrs.get("name"))) is not None:  # else an earlier confirmation is still there
            board.put_note(recipe_note(confirmed, row), trial)
    return board.write()
