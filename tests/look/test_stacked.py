from itertools import pairwise

import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from lenet_search.look.stacked import GAP, PANEL, stacked


def panels(count: int) -> go.Figure:
    """`count` panels in three columns, of which some may stay empty."""
    figure = make_subplots(-(-count // 3), 3, shared_yaxes=True)
    for place in range(count):
        figure.add_scatter(x=[0, 1], y=[0, 1], row=place // 3 + 1, col=place % 3 + 1)
        if place % 3 == 0:
            figure.update_yaxes(title_text="accuracy", row=place // 3 + 1, col=1)
    return figure


@pytest.mark.parametrize("count", [1, 3, 5, 17])
def test_panels_lie_below_each_other_in_their_order_and_fill_the_figure(count: int) -> None:
    figure = panels(count)
    narrow = stacked(figure)
    names = ["", *map(str, range(2, count + 1))]
    domains = [narrow[f"yaxis{name}.domain"] for name in names]
    assert all(above[0] > below[1] for above, below in pairwise(domains))
    assert (domains[0][1], domains[-1][0]) == (1.0, pytest.approx(0.0, abs=1e-9))
    assert f"yaxis{count + 1}.domain" not in narrow  # a place of the grid without a panel takes no room
    inside = narrow["height"] - narrow["margin.b"] - 60
    assert inside == count * (PANEL + GAP) - GAP
    assert all((high - low) * inside == pytest.approx(PANEL) for low, high in domains)


def test_a_shared_axis_shows_its_title_and_ticks_on_every_panel() -> None:
    narrow = stacked(panels(5))
    assert {narrow[f"yaxis{name}.title.text"] for name in ("", 2, 3, 4, 5)} == {"accuracy"}
    assert all(narrow[f"yaxis{name}.showticklabels"] for name in ("", 2, 3, 4, 5))


def test_every_property_has_a_value_in_the_wide_figure_to_go_back_to() -> None:
    figure = panels(5).update_layout(height=500)
    for path in stacked(figure):
        figure.layout[path]  # raises where plotly knows no such property
