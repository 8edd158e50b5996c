"""What each network says of itself, held against its layers and the document that describes it."""

from pathlib import Path

import pytest
from counts import counts

from lenet_search.errors import DataError
from lenet_search.networks import NETWORKS, Layer, network
from lenet_search.networks.layers import Conv, Dropout, Pool, SpatialTransformer
from lenet_search.networks.table import table
from lenet_search.recipe import FIELDS
from lenet_search.recipe.model import Model

DOCUMENT = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
OTHER = {"width": 2.0, "activation": "relu", "pooling": "max", "batch_norm": True}
COUNTS = [(name, shape) for name, each in NETWORKS.items() for shape in each.counts]


def layers_of(name: str, classes: int = 10, **more: object) -> list[Layer]:
    side = NETWORKS[name].side or 32
    return network(Model(name, **more), (side, side, 1), classes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "shape"), COUNTS)
def test_a_network_has_as_many_parameters_as_it_says(name: str, shape: tuple[int, ...]) -> None:
    assert sum(counts(Model(name), shape).values()) == NETWORKS[name].counts[shape]


def test_the_table_in_the_docs_is_the_one_that_the_networks_give() -> None:
    inside = DOCUMENT.partition("<!-- networks -->")[2].partition("<!-- end of networks -->")[0]
    assert inside.strip() == table(), "put the output of `python -m lenet_search.networks.table` into docs/networks.md"
    assert all(each.counts for each in NETWORKS.values())


@pytest.mark.parametrize("field", OTHER)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_hyperparameter_changes_the_layers_unless_it_is_without_effect(name: str, field: str) -> None:
    changed = layers_of(name, **{field: OTHER[field]}) != layers_of(name)
    assert changed == (f"model.{field}" not in NETWORKS[name].without_effect)


@pytest.mark.parametrize("rate", [path.split(".")[1] for path in FIELDS if path.endswith("dropout")])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_dropout_has_a_layer_unless_it_is_without_effect(name: str, rate: str) -> None:
    there = any(isinstance(layer, Dropout) and layer.rate == rate for layer in layers_of(name))
    assert there == (f"regularize.{rate}" not in NETWORKS[name].without_effect)


@pytest.mark.parametrize("name", NETWORKS)
def test_images_that_are_too_small_or_of_another_size_are_refused(name: str) -> None:
    side = NETWORKS[name].side or NETWORKS[name].smallest
    network(Model(name), (side, side, 1), 10)
    if side > 1:
        with pytest.raises(DataError, match=f"{name} needs images of .*{side}x{side}"):
            network(Model(name), (side - 1, side - 1, 1), 10)


@pytest.mark.parametrize("name", NETWORKS)
def test_curvature_is_known_where_every_layer_has_one_and_exact_where_windows_do_not_overlap(name: str) -> None:
    layers, curvature = layers_of(name), NETWORKS[name].curvature
    assert curvature in ("exact", "approximate", "")
    assert bool(curvature) != any(isinstance(layer, SpatialTransformer) for layer in layers)
    if curvature == "exact":
        assert all(layer.stride == 1 and layer.padding == "valid" for layer in layers if isinstance(layer, Conv))
        assert all(layer.halves for layer in layers if isinstance(layer, Pool))
