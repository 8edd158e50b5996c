"""The order in which a network is computed. That it computes the same is held by the parity tests."""

import pytest

from lenet_search.engine.forward import PooledConv, plan
from lenet_search.networks import network
from lenet_search.recipe.model import Model


def order(**model: object) -> list[str]:
    steps = plan(network(Model(**model), (32, 32, 1), 10)[1:], (32, 32, 1))  # type: ignore[arg-type]
    names = [("pooled " if isinstance(step.layer, PooledConv) else "") + step.layer.name for step in steps]
    return names[: names.index("spatial_dropout1")]


def test_max_pooling_goes_before_bias_and_rising_activation() -> None:
    assert order(activation="relu", pooling="max") == ["pooled conv1", "bias of conv1, conv1_activation"]


def test_max_pooling_stays_behind_an_activation_that_falls_somewhere() -> None:
    assert order(activation="gelu", pooling="max") == ["conv1", "bias of conv1, conv1_activation, pool1"]


def test_max_pooling_stays_behind_batch_norm_whose_scale_may_be_negative() -> None:
    expected = ["conv1", "bias of conv1", "conv1_norm", "pool1, conv1_activation"]
    assert order(activation="relu", pooling="max", batch_norm=True) == expected


def test_average_pooling_stays_where_it_is() -> None:
    assert order(activation="tanh", pooling="average") == ["conv1", "bias of conv1, conv1_activation, pool1"]


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_a_layers_random_stream_does_not_depend_on_the_order(pooling: str) -> None:
    layers = network(Model(activation="relu", pooling=pooling), (32, 32, 1), 10)
    streams = {step.layer.name: step.stream for step in plan(layers, (32, 32, 1)) if "dropout" in step.layer.name}
    assert streams == {layer.name: i for i, layer in enumerate(layers) if "dropout" in layer.name}
