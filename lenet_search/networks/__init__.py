"""Architectures, one file each, from a small set of layers; each also as an ordinary `keras.Model`."""

from lenet_search.networks.all_cnn import ALL_CNN, ALL_CNN_BASE, ALL_CNN_POOL
from lenet_search.networks.layers import Dropout, Layer, parameters, walk
from lenet_search.networks.lenet5 import LENET5, LENET5_28
from lenet_search.networks.lenet5_1998 import LENET5_1998
from lenet_search.networks.lenet5_stn import LENET5_STN
from lenet_search.networks.mlp import MLP
from lenet_search.networks.network import Model, Network
from lenet_search.networks.parameter import Parameter, Shape

__all__ = ["NETWORKS", "Layer", "Network", "Parameter", "Shape", "network", "parameters", "walk"]

NETWORKS: dict[str, Network] = {
    "lenet5": LENET5,
    "lenet5_28": LENET5_28,
    "lenet5_1998": LENET5_1998,
    "lenet5_stn": LENET5_STN,
    "mlp": MLP,
    "all_cnn": ALL_CNN,
    "all_cnn_pool": ALL_CNN_POOL,
    "all_cnn_base": ALL_CNN_BASE,
}


def network(model: Model, image_shape: Shape, classes: int) -> list[Layer]:
    """The layers of a recipe's `[model]`, for images of `image_shape` (H, W, C).

    Raises:
        DataError: when the images or their classes do not go with the network.
    """
    chosen = NETWORKS[model.network]
    chosen.check(model.network, image_shape, classes)
    return [Dropout("input_dropout", "input_dropout"), *chosen.layers(model, classes)]
