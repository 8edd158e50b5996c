"""A multilayer perceptron, 784-60-30-10 on 28x28x1: what LeNet-5 is held against."""

from lenet_search.networks.layers import Dense, Dropout, Flatten, Layer
from lenet_search.networks.network import Model, Network, hidden, scaled


def _layers(model: Model, classes: int) -> list[Layer]:
    layers: list[Layer] = [Flatten("flatten")]
    for number, units in ((1, 60), (2, 30)):
        layers += [*hidden(Dense(f"dense{number}", scaled(units, model)), model), Dropout(f"dropout{number}")]
    return [*layers, Dense("logits", classes)]


MLP = Network(
    "Dense layers of 60 and 30 units.",
    _layers,
    counts={(28, 28, 1): 49_240},
    padded=False,
    curvature="exact",
    without_effect=frozenset({"model.pooling", "regularize.spatial_dropout"}),
)
