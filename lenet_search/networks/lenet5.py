"""LeNet-5 as it is taught today: two 5x5 convolutions, 2x2 pooling, dense layers of 120, 84 and one per class.

After LeCun, Bottou, Bengio & Haffner 1998, section II.B, without its connection table, trainable subsampling
and radial-basis outputs; `lenet5_1998` has those. On 32x32 the third convolution (120 maps of 5x5 on 5x5) is a dense
layer.
"""

from lenet_search.networks.layers import (
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Pool,
    SpatialDropout,
)
from lenet_search.networks.network import Model, Network, hidden, scaled


def _layers(model: Model, classes: int) -> list[Layer]:
    third = Dense("dense1", scaled(120, model))
    return [*_maps(model), Flatten("flatten"), *hidden(third, model), Dropout("dropout1"), *_end(model, classes)]


def _layers_28(model: Model, classes: int) -> list[Layer]:
    third = Conv("conv3", scaled(120, model), 4)
    return [*_maps(model), *hidden(third, model), Flatten("flatten"), Dropout("dropout1"), *_end(model, classes)]


def _maps(model: Model) -> list[Layer]:
    layers: list[Layer] = []
    for number, maps in ((1, 6), (2, 16)):
        layers += hidden(Conv(f"conv{number}", scaled(maps, model), 5), model)
        layers += [Pool(f"pool{number}", model.pooling), SpatialDropout(f"spatial_dropout{number}")]
    return layers


def _end(model: Model, classes: int) -> list[Layer]:
    return [*hidden(Dense("dense2", scaled(84, model)), model), Dropout("dropout2"), Dense("logits", classes)]


LENET5 = Network(
    "LeNet-5 as it is taught today: two 5x5 convolutions of 6 and 16 maps, 2x2 pooling, dense layers of 120 and 84.",
    _layers,
    counts={(32, 32, 1): 61_706, (32, 32, 3): 62_006},
    smallest=16,  # two 5x5 convolutions and two 2x2 poolings leave one pixel
    curvature="exact",
)
LENET5_28 = Network(
    "`lenet5` on 28x28, without padding; its third layer is a 4x4 convolution of 120 maps.",
    _layers_28,
    counts={(28, 28, 1): 44_426},
    side=28,
    padded=False,
    curvature="exact",
)
