from dataclasses import replace

import pytest

from lenet_search.experiments.courses import course_figure, errors_figure
from lenet_search.experiments.result import Result
from lenet_search.run import Curve
from tests.experiments.made import result, unvalidated


def trained(name: str, epochs: int, seeds: int = 3, diverged: tuple[int, ...] = ()) -> Result:
    """A result of `seeds` runs of so many epochs."""
    whole = result(name, (900, 920, 910, 905, 915)[:seeds])
    runs = tuple(
        replace(
            run, curve=Curve.constant([0.5 + 0.01 * run.seed + 0.4 * e / epochs for e in range(epochs)]),
            diverged=run.seed in diverged,
        )
        for run in whole.runs
    )  # fmt: skip
    return replace(whole, runs=runs)


@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 30, 150])
def test_epochs_have_ticks_at_whole_numbers_only(epochs: int) -> None:
    made = trained("a", epochs)
    for figure in (course_figure(made), errors_figure("mnist", [made])):
        for axis in figure.select_xaxes():
            assert axis.title.text == "epoch"
            assert isinstance(axis.dtick, int) and axis.tick0 == 0
            assert axis.range[0] < 1 and axis.range[1] > epochs


def test_every_panel_has_a_title_with_its_unit() -> None:
    titles = [axis.title.text for axis in course_figure(trained("a", 3)).select_yaxes()]
    assert titles == ["accuracy (%)", "cross-entropy (nats)", "validation error (%)"]


def test_the_subtitle_tells_seeds_bands_and_what_diverged() -> None:
    def subtitle(made: Result) -> str:
        return str(course_figure(made).layout.title.subtitle.text)

    assert subtitle(trained("a", 3, seeds=1)) == "What a is; 1 seed"
    several = subtitle(trained("a", 3, seeds=5, diverged=(2,)))
    assert "5 seeds" in several and "bands their 95 % intervals" in several
    assert "1 diverged: dotted, and not in the means" in several


def test_each_recipes_error_has_a_band() -> None:
    figure = errors_figure("mnist", [trained("a", 4), trained("b", 4), trained("c", 4, seeds=1)])
    assert [trace.name for trace in figure.data if trace.fill != "toself"] == ["a", "b", "c"]
    assert sum(trace.fill == "toself" for trace in figure.data) == 2


def test_a_recipe_without_runs_and_one_whose_runs_all_diverged_still_make_a_picture() -> None:
    none = replace(trained("a", 3), runs=())
    lost = trained("a", 3, diverged=(1, 2, 3))
    assert "No run is complete" in course_figure(none).layout.annotations[0].text
    assert "No run is complete" in errors_figure("mnist", [none, lost]).layout.annotations[0].text
    course_figure(lost).to_json()


def test_a_name_is_text_and_not_markup() -> None:
    made = course_figure(trained("<b>a</b>", 2))
    assert made.layout.title.text == "&lt;b&gt;a&lt;/b&gt;"
    assert "&lt;b&gt;a" in errors_figure("<i>x</i>", [trained("<b>a</b>", 2)]).data[-1].name


def test_without_validation_images_the_curves_are_those_of_training() -> None:
    made = unvalidated("a")
    figure = course_figure(made)
    assert {trace.name for trace in figure.data if trace.name} == {"training"}
    assert figure.layout.yaxis3.title.text == "training error (%)"
    assert "none for validation" in errors_figure("mnist", [made]).layout.annotations[0].text
    beside = errors_figure("mnist", [made, trained("b", 3)])
    assert {trace.name for trace in beside.data if trace.showlegend} == {"b"}
