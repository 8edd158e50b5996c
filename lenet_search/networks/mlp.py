"""A multilayer perceptron, 784-60-30-10 on 28x28x1: 49,240 parameters. What LeNet-5 is held against."""

from lenet_search.networks.layers import Dense, Dropout, Flatten, Layer, Shape
from lenet_search.networks.lenet5 import hidden, scaled
from lenet_search.recipe.model import Model


def mlp(model: Model, image_shape: Shape, classes: int) -> list[Layer]:
    """The layers for a recipe's `[model]`, for images of any size."""
    layers: list[Layer] = [Flatten("flatten")]
    for number, units in ((1, 60), (2, 30)):
        layers += [*hidden(Dense(f"dense{number}", scaled(units, model)), model), Dropout(f"dropout{number}")]
    return [*layers, Dense("logits", classes)]
