"""The all convolutional net of Springenberg, Dosovitskiy, Brox & Riedmiller 2015, tables 1 and 2, for 32x32 images.

The layers of table 1 add up to the counts below; table 3 gives Model C about 1.3 M.

All have ReLU and, in the paper, dropout of 20 % on the input (`regularize.input_dropout`) and 50 % after each of the
two stages (`regularize.dropout`), and weight decay 0.001, which as a penalty on kernels is `regularize.l2 = 0.0005`.
"""

from functools import partial

from lenet_search.networks.layers import Activation, Conv, Dropout, GlobalPool, Layer, Pool, SpatialDropout
from lenet_search.networks.network import Model, Network, hidden, scaled


def _layers(model: Model, classes: int, *, third: bool, pooled: bool) -> list[Layer]:
    """With a third convolution in the first two stages, and pooling; one of them divides each side by 2."""
    layers: list[Layer] = []
    for stage, filters in ((1, 96), (2, 192)):
        for number in (1, 2):
            layers += _conv(f"conv{stage}_{number}", filters, model)
        if third:
            layers += _conv(f"conv{stage}_3", filters, model, stride=1 if pooled else 2)
        if pooled:
            layers.append(Pool(f"pool{stage}", "max", 3, 2, "same"))
        layers += [SpatialDropout(f"spatial_dropout{stage}"), Dropout(f"dropout{stage}")]
    layers += hidden(Conv("conv3_1", scaled(192, model), 3), model)
    layers += hidden(Conv("conv3_2", scaled(192, model), 1), model)
    layers += [Conv("conv3_3", classes, 1), Activation("conv3_3_activation", model.activation)]
    return [*layers, GlobalPool("global_pool")]


def _conv(name: str, filters: int, model: Model, stride: int = 1) -> list[Layer]:
    return hidden(Conv(name, scaled(filters, model), 3, stride, "same"), model)


_network = partial(Network, smallest=9, without_effect=frozenset({"model.pooling"}))
ALL_CNN = _network(
    "All-CNN-C of Springenberg et al. 2015: strides of 2 do the work of pooling.",
    partial(_layers, third=True, pooled=False),
    counts={(32, 32, 3): 1_369_738},
)
ALL_CNN_POOL = _network(
    "Its ConvPool-CNN-C: the same two convolutions with stride 1, and 3x3 max pooling behind each.",
    partial(_layers, third=True, pooled=True),
    counts={(32, 32, 3): 1_369_738},
)
ALL_CNN_BASE = _network(
    "Its Model C, from which the other two derive: 3x3 max pooling in place of the two convolutions.",
    partial(_layers, third=False, pooled=True),
    counts={(32, 32, 3): 954_730},
)
