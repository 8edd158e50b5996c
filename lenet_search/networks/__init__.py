"""Architectures, one file each, from a small set of layers; each also as an ordinary `keras.Model`."""

from lenet_search.errors import DataError
from lenet_search.networks.layers import Layer, Parameter, Shape, parameters, walk
from lenet_search.networks.lenet5 import SMALLEST_SIDE, lenet5
from lenet_search.recipe.model import Model

__all__ = ["Layer", "Parameter", "Shape", "network", "parameters", "walk"]


def network(model: Model, image_shape: Shape, classes: int) -> list[Layer]:
    """The layers of a recipe's `[model]`, for images of `image_shape` (H, W, C).

    Raises:
        DataError: when the images are too small for the network.
    """
    if min(image_shape[:2]) < SMALLEST_SIDE:
        raise DataError(
            f"{model.network} needs images of at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels; "
            f"received {image_shape[0]}x{image_shape[1]}: enlarge them, or pad them with background"
        )
    return lenet5(model, classes)
