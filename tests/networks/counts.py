"""How many parameters a network has, layer by layer."""

from lenet_search.networks import network, parameters
from lenet_search.recipe.model import Model


def counts(model: Model, shape: tuple[int, int, int]) -> dict[str, int]:
    """Trainable parameters by layer, for images of `shape` and ten classes."""
    found: dict[str, int] = {}
    for parameter in parameters(network(model, shape, 10), shape):
        if parameter.trainable:
            layer = parameter.name.rsplit(".", 1)[0]
            found[layer] = found.get(layer, 0) + parameter.size
    return found
