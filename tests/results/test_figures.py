from collections.abc import Callable
from dataclasses import replace

import numpy as np
import optuna
import plotly.graph_objects as go
import pytest
from optuna.trial import FrozenTrial, TrialState

from lenet_search.look.intervals import share_of
from lenet_search.results import curves
from lenet_search.results.best import complete_trials
from lenet_search.results.curves import curves_figure, curves_table
from lenet_search.results.figures import MOST_BARS, history_figure, slices_figure
from lenet_search.results.importance_figure import importance_figure
from lenet_search.results.parallel import parallel_figure
from lenet_search.run import Curve, Run
from lenet_search.storage.trials import run_of
from tests.results.conftest import SPACE, drawn, trial_of

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


@pytest.mark.parametrize("draw", [parallel_figure, slices_figure])
def test_a_study_that_searched_nothing_says_so(made_study: Make, draw: Callable[[optuna.Study], go.Figure]) -> None:
    study = made_study(0)
    study.add_trial(trial_of({}, 0.5, 0))
    assert draw(study).layout.annotations[0].text == "This study searched no hyperparameters."


def test_the_best_so_far_never_gets_worse(made_study: Make) -> None:
    for direction, sign in (("maximize", 1), ("minimize", -1)):
        line = history_figure(made_study(60, direction=direction)).data[-1]
        assert np.all(np.diff(np.array(line.y)) * sign >= 0)


def test_pruned_trials_are_marked_at_their_last_epoch(made_study: Make) -> None:
    study = made_study(9)
    pruned = history_figure(study).data[0]
    trial = study.trials[2]
    assert list(pruned.x) == [2, 5, 8]
    assert pruned.text[0] == f"pruned after epoch {trial.last_step}"
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


def test_all_slices_have_one_scale_of_values_so_that_they_can_be_compared(made_study: Make) -> None:
    axes = list(slices_figure(made_study(60)).select_yaxes())
    assert len(axes) >= len(SPACE) > 3
    followed = [axis.matches for axis in axes if axis.matches]  # all but one follow that one
    assert len(followed) == len(axes) - 1 and len(set(followed)) == 1


def test_a_slice_shows_only_the_trials_that_had_the_hyperparameter(made_study: Make) -> None:
    study = made_study(60)
    shown = slices_figure(study).data[list(SPACE).index("optimizer.sgd.momentum")]
    assert len(shown.x) == sum(trial.params["optimizer.kind"] == "sgd" for trial in complete_trials(study))


@pytest.mark.parametrize("place", [0, 1])  # pruned and complete trials
def test_the_history_shows_each_trials_wilson_interval(made_study: Make, place: int) -> None:
    dots = history_figure(made_study(30)).data[place]
    assert len(dots.y) == (10, 20)[place]
    for y, above, below in zip(dots.y, dots.error_y.array, dots.error_y.arrayminus, strict=True):
        wilson = share_of(y / 100, 5000)
        assert (y - below, y + above) == pytest.approx((100 * wilson.low, 100 * wilson.high))


def test_a_slice_shows_each_trials_wilson_interval(made_study: Make) -> None:
    for dots in slices_figure(made_study(30)).data:
        for y, above, bounds in zip(dots.y, dots.error_y.array, dots.customdata, strict=True):
            wilson = share_of(float(y) / 100, 5000)
            assert y + above == pytest.approx(100 * wilson.high)
            assert bounds == pytest.approx((100 * wilson.low, 100 * wilson.high))
        assert "%{y:.2f} % (%{customdata[0]:.2f} to %{customdata[1]:.2f})" in dots.hovertemplate


def test_more_trials_than_bars_are_legible_have_a_band_and_their_intervals_on_hovering(made_study: Make) -> None:
    study = made_study(MOST_BARS + 1, pruned=False)
    dots, low, high, best = history_figure(study).data[1:]
    assert dots.error_y.array is None
    assert dots.customdata[0] == str(share_of(dots.y[0] / 100, 5000))
    wilson = share_of(best.y[-1] / 100, 5000)
    assert (low.y[-1], high.y[-1]) == pytest.approx((100 * wilson.low, 100 * wilson.high))
    assert all(dots.error_y.array is None for dots in slices_figure(study).data)


@pytest.mark.parametrize("n", [30, MOST_BARS + 1])
def test_a_loss_has_neither_bars_nor_band(made_study: Make, n: int) -> None:
    study = made_study(n, direction="minimize", pruned=False)
    history, slices = history_figure(study).data, slices_figure(study).data
    assert all(trace.error_y.array is None for trace in (*history, *slices))
    assert all(trace.customdata is None for trace in slices)
    assert [trace.name for trace in history if trace.showlegend is not False] == ["complete", "best so far"]


def test_trials_that_cannot_be_shown_are_counted(made_study: Make) -> None:
    study = made_study(9)
    study.add_trial(trial_of(study.trials[0].params, 0.5, 9, TrialState.FAIL))
    assert "1 failed or were pruned without a value" in history_figure(study).layout.title.subtitle.text


@pytest.mark.parametrize("epochs", [1, 2, 3, 8, 12, 15, 100, 237])
def test_epochs_have_ticks_at_whole_numbers_only(made_study: Make, epochs: int) -> None:
    study = made_study(0)
    trial = trial_of(drawn(np.random.default_rng(0)), 0.5, 0)
    curve = {name: [0.5] * epochs for name in Curve.NAMES}
    study.add_trial(create_trial_with(trial, curve))
    axes = [axis for axis in curves_figure(study).select_xaxes() if axis.title.text == "epoch"]
    assert len(axes) == 5
    for axis in axes:
        assert isinstance(axis.dtick, int) and axis.tick0 == 0
        assert axis.range[0] < 1 and axis.range[1] > epochs
        assert 1 <= epochs // axis.dtick <= 9


@pytest.mark.parametrize("n", [1, 2, 30])
def test_trials_are_counted_in_whole_numbers(made_study: Make, n: int) -> None:
    study = made_study(n)
    assert isinstance(history_figure(study).layout.xaxis.dtick, int)
    assert isinstance(slices_figure(study).layout.coloraxis.colorbar.dtick, int)


def create_trial_with(trial: FrozenTrial, curve: dict[str, list[float]]) -> FrozenTrial:
    epochs = len(curve["val_loss"])
    trial.user_attrs = trial.user_attrs | {"curve": curve, "clocks": [[0, epochs]]}
    return trial


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


def test_a_trial_of_several_seeds_has_a_mean_and_a_band(made_study: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    study = made_study(3, pruned=False)

    def three(trial: optuna.trial.FrozenTrial) -> list[Run]:
        run = run_of(trial)
        lower = Curve.from_json({name: [0.5 * value for value in run.curve[name]] for name in Curve.NAMES})
        return [run, run, replace(run, curve=lower)]

    monkeypatch.setattr(curves, "runs_of", three)
    figure = curves.curves_figure(study)
    assert "means of 3 seeds with 95 % intervals" in figure.layout.title.subtitle.text
    bands = [line for line in figure.data if line.fill == "toself"]
    assert len(bands) == 3 * 5
    best = complete_trials(study)[0]
    means = next(line for line in figure.data if line.name and line.showlegend)
    assert means.y[-1] == pytest.approx(100 * (best.value or 0) * 2.5 / 3)
