"""The all convolutional net of Springenberg, Dosovitskiy, Brox & Riedmiller 2015, tables 1 and 2, for 32x32 images.

all_cnn        All-CNN-C: strides of 2 do the work of pooling. 1,369,738 parameters on 32x32x3 and ten classes
all_cnn_pool   ConvPool-CNN-C: these two convolutions keep stride 1 and 3x3 max pooling follows. 1,369,738
all_cnn_base   Model C, which the others derive from: 3x3 max pooling in place of the two convolutions. 954,730
               (the layers of table 1 add up to this; table 3 gives it about 1.3 M)

All have ReLU and, in the paper, dropout of 20 % on the input (`regularize.input_dropout`) and 50 % after each of the
two stages (`regularize.dropout`), and weight decay 0.001, which as a penalty on kernels is `regularize.l2 = 0.0005`.
"""

from lenet_search.networks.layers import Activation, Conv, Dropout, GlobalPool, Layer, Pool, Shape, SpatialDropout
from lenet_search.networks.lenet5 import at_least, hidden, scaled
from lenet_search.recipe.model import Model


def all_cnn(model: Model, image_shape: Shape, classes: int) -> list[Layer]:
    """The layers for a recipe's `[model]`, for images of at least 9x9.

    Raises:
        DataError: when the images are smaller.
    """
    at_least(9, model, image_shape)
    layers: list[Layer] = []
    for stage, filters in ((1, 96), (2, 192)):
        for number in (1, 2):
            layers += _conv(f"conv{stage}_{number}", filters, model)
        layers += _halved(stage, filters, model)
        layers += [SpatialDropout(f"spatial_dropout{stage}"), Dropout(f"dropout{stage}")]
    layers += hidden(Conv("conv3_1", scaled(192, model), 3), model)
    layers += hidden(Conv("conv3_2", scaled(192, model), 1), model)
    layers += [Conv("conv3_3", classes, 1), Activation("conv3_3_activation", model.activation)]
    return [*layers, GlobalPool("global_pool")]


def _conv(name: str, filters: int, model: Model, stride: int = 1) -> list[Layer]:
    return hidden(Conv(name, scaled(filters, model), 3, stride, "same"), model)


def _halved(stage: int, filters: int, model: Model) -> list[Layer]:
    """What divides each side by 2."""
    pool = Pool(f"pool{stage}", "max", 3, 2, "same")
    if model.network == "all_cnn":
        return _conv(f"conv{stage}_3", filters, model, stride=2)
    if model.network == "all_cnn_pool":
        return [*_conv(f"conv{stage}_3", filters, model), pool]
    return [pool]
