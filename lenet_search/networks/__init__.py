"""Architectures, one file each, from a small set of layers; each also as an ordinary `keras.Model`."""

from lenet_search.networks.all_cnn import all_cnn
from lenet_search.networks.layers import Dropout, Layer, Parameter, Shape, parameters, walk
from lenet_search.networks.lenet5 import lenet5, lenet5_28
from lenet_search.networks.lenet5_1998 import lenet5_1998
from lenet_search.networks.lenet5_stn import lenet5_stn
from lenet_search.networks.mlp import mlp
from lenet_search.recipe.model import Model

__all__ = ["Layer", "Parameter", "Shape", "network", "parameters", "walk"]

NETWORKS = {
    "lenet5": lenet5,
    "lenet5_28": lenet5_28,
    "lenet5_1998": lenet5_1998,
    "lenet5_stn": lenet5_stn,
    "mlp": mlp,
    "all_cnn": all_cnn,
    "all_cnn_pool": all_cnn,
    "all_cnn_base": all_cnn,
}


def network(model: Model, image_shape: Shape, classes: int) -> list[Layer]:
    """The layers of a recipe's `[model]`, for images of `image_shape` (H, W, C).

    Raises:
        DataError: when the images or their classes do not go with the network.
    """
    return [Dropout("input_dropout", "input_dropout"), *NETWORKS[model.network](model, image_shape, classes)]
