from collections.abc import Callable

import numpy as np
import optuna
import plotly.graph_objects as go
import pytest

from lenet_search.results.best import complete_trials
from lenet_search.results.curves import curves_figure, curves_table
from lenet_search.results.figures import history_figure, parallel_figure, slices_figure
from lenet_search.results.importance_figure import importance_figure
from lenet_search.run import Curve
from lenet_search.storage.trials import run_of
from tests.results.conftest import SPACE

Make = Callable[..., optuna.Study]
ALL = (importance_figure, history_figure, parallel_figure, slices_figure, curves_figure)


@pytest.mark.parametrize("draw", ALL)
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_every_figure_has_a_title_and_says_how_to_read_it(
    made_study: Make, draw: Callable[[optuna.Study], go.Figure], direction: str
) -> None:
    figure = draw(made_study(60, direction=direction))
    assert figure.layout.title.text
    assert figure.layout.title.subtitle.text
    assert len(figure.data) > 0


@pytest.mark.parametrize("draw", ALL)
def test_a_study_without_trials_gives_a_note_in_each_pictures_place(
    made_study: Make, draw: Callable[[optuna.Study], go.Figure]
) -> None:
    figure = draw(made_study(0))
    assert len(figure.data) == 0
    assert "complete" in figure.layout.annotations[0].text


@pytest.mark.parametrize("draw", ALL)
def test_one_complete_trial_is_enough_to_draw_without_an_error(
    made_study: Make, draw: Callable[[optuna.Study], go.Figure]
) -> None:
    draw(made_study(1)).to_json()


def test_the_best_so_far_never_gets_worse(made_study: Make) -> None:
    for direction, sign in (("maximize", 1), ("minimize", -1)):
        line = history_figure(made_study(60, direction=direction)).data[2]
        assert np.all(np.diff(np.array(line.y)) * sign >= 0)


def test_pruned_trials_are_marked_at_their_last_epoch(made_study: Make) -> None:
    study = made_study(9)
    pruned = history_figure(study).data[0]
    trial = study.trials[2]
    assert list(pruned.x) == [2, 5, 8]
    assert pruned.customdata[0] == trial.last_step
    assert pruned.y[0] == pytest.approx(100 * trial.intermediate_values[trial.last_step])


def test_accuracies_are_shown_in_percent_and_losses_in_nats(made_study: Make) -> None:
    accuracy, loss = history_figure(made_study(6)), history_figure(made_study(6, direction="minimize"))
    assert accuracy.layout.yaxis.title.text == "validation accuracy (%)"
    assert loss.layout.yaxis.title.text == "validation cross-entropy (nats)"
    assert max(accuracy.data[1].y) > 1.0


def test_a_logarithmic_hyperparameter_has_a_logarithmic_axis(made_study: Make) -> None:
    figure = slices_figure(made_study(60))
    names = {axis.title.text: axis.type for axis in figure.select_xaxes()}
    assert names["optimizer.sgd.learning_rate"] == "log"
    assert names["regularize.dropout"] is None
    assert "augment.shift (pixels)" in names


def test_there_is_one_slice_for_each_searched_hyperparameter(made_study: Make) -> None:
    assert len(slices_figure(made_study(60)).data) == len(SPACE)


def test_a_slice_shows_only_the_trials_that_had_the_hyperparameter(made_study: Make) -> None:
    study = made_study(60)
    shown = slices_figure(study).data[list(SPACE).index("optimizer.sgd.momentum")]
    assert len(shown.x) == sum(trial.params["optimizer.kind"] == "sgd" for trial in complete_trials(study))


def test_in_parallel_coordinates_a_trial_without_a_hyperparameter_passes_below_its_range(made_study: Make) -> None:
    study = made_study(60)
    (lines,) = parallel_figure(study).data
    axis = next(each for each in lines.dimensions if each.label.startswith("optimizer.sgd.<br>learning_rate"))
    assert axis.ticktext[0] == "none"
    for trial, place in zip(complete_trials(study), axis.values, strict=True):
        rate = trial.params.get("optimizer.sgd.learning_rate")
        expected = axis.tickvals[0] if rate is None else np.log10(rate)
        assert place == pytest.approx(expected)


def test_the_last_parallel_axis_is_the_value(made_study: Make) -> None:
    study = made_study(60)
    (lines,) = parallel_figure(study).data
    assert list(lines.dimensions[-1]["values"]) == pytest.approx([100 * (t.value or 0) for t in complete_trials(study)])


def test_learning_curves_show_the_best_five_by_epoch(made_study: Make) -> None:
    study = made_study(60)
    figure = curves_figure(study)
    names = [line.name for line in figure.data if line.showlegend]
    assert [name.split(":")[0] for name in names] == [f"trial {trial.number}" for trial in complete_trials(study)[:5]]
    best = run_of(complete_trials(study)[0]).curve["val_accuracy"]
    assert list(figure.data[0].y) == pytest.approx([100 * value for value in best])
    assert list(figure.data[0].x) == list(range(1, len(best) + 1))


def test_pointing_at_a_curve_tells_its_recipe(made_study: Make) -> None:
    study = made_study(60)
    kind = complete_trials(study)[0].params["optimizer.kind"]
    assert f"optimizer.kind = {kind}" in curves_figure(study).data[0].hovertemplate


def test_the_curves_as_a_table_hold_every_epoch(made_study: Make) -> None:
    study = made_study(60)
    lines = curves_table(study, top=2).splitlines()
    assert lines[0] == ",".join(("trial", "epoch", *Curve.NAMES))
    assert len(lines) == 1 + 2 * 8
    assert float(lines[8].split(",")[5]) == complete_trials(study)[0].value
