import pytest
from counts import counts

from lenet_search.errors import DataError
from lenet_search.networks import network, walk
from lenet_search.recipe.model import Model

COLOUR = (32, 32, 3)
BASE = {
    "conv1_1": 2_688,
    "conv1_2": 83_040,
    "conv2_1": 166_080,
    "conv2_2": 331_968,
    "conv3_1": 331_968,
    "conv3_2": 37_056,
    "conv3_3": 1_930,
}
THIRD = {"conv1_3": 83_040, "conv2_3": 331_968}


@pytest.mark.parametrize(
    ("name", "layers", "total"),
    [("all_cnn", BASE | THIRD, 1_369_738), ("all_cnn_pool", BASE | THIRD, 1_369_738), ("all_cnn_base", BASE, 954_730)],
)
def test_each_variant_has_its_parameters_layer_by_layer(name: str, layers: dict[str, int], total: int) -> None:
    found = counts(Model(name), COLOUR)
    assert found == layers
    assert sum(found.values()) == total


@pytest.mark.parametrize("name", ["all_cnn", "all_cnn_pool", "all_cnn_base"])
def test_the_mean_is_taken_over_6_by_6_positions(name: str) -> None:
    shapes = {layer.name: shape for layer, shape in walk(network(Model(name), COLOUR, 10), COLOUR)}
    assert shapes["global_pool"] == (6, 6, 10)
    assert shapes["dropout1"] == (16, 16, 96)
    assert shapes["dropout2"] == (8, 8, 192)


def test_images_that_would_vanish_are_refused() -> None:
    network(Model("all_cnn"), (9, 9, 3), 10)
    with pytest.raises(DataError, match="all_cnn needs images of at least 9x9"):
        network(Model("all_cnn"), (8, 8, 3), 10)
