"""LeNet-5 behind a spatial transformer (Jaderberg, Simonyan, Zisserman & Kavukcuoglu 2015).

Before LeNet-5 sees an image, the transformer turns, moves and scales it as it sees fit: an affine transformation with
bilinear sampling, which begins at the identity.

The localization network is after the one that the paper's appendix gives ST-CNN for MNIST: two 5x5 convolutions of 20
maps with 2x2 max pooling, a dense layer of 20, and six numbers. ReLU, whatever the recipe's activation; width does
not touch it. It has 20,686 parameters on 32x32x1, 21,686 on 32x32x3.
"""

from lenet_search.networks.layers import (
    Activation,
    Affine,
    Conv,
    Dense,
    Flatten,
    Layer,
    Pool,
    SpatialTransformer,
)
from lenet_search.networks.lenet5 import LENET5
from lenet_search.networks.network import Model, Network

LOCALIZATION: tuple[Layer, ...] = (
    Conv("localization_conv1", 20, 5),
    Activation("localization_conv1_activation", "relu"),
    Pool("localization_pool1", "max"),
    Conv("localization_conv2", 20, 5),
    Activation("localization_conv2_activation", "relu"),
    Pool("localization_pool2", "max"),
    Flatten("localization_flatten"),
    Dense("localization_dense", 20),
    Activation("localization_dense_activation", "relu"),
    Affine("localization_affine"),
)


def _layers(model: Model, classes: int) -> list[Layer]:
    return [SpatialTransformer("transformer", LOCALIZATION), *LENET5.layers(model, classes)]


LENET5_STN = Network(
    "`lenet5` behind a spatial transformer (Jaderberg et al. 2015).",
    _layers,
    counts={(32, 32, 1): 82_392, (32, 32, 3): 83_692},
    smallest=16,
    curvature="",
)
