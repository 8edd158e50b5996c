"""Where the parameters of a network start."""

import numpy as np

from lenet_search.networks.initializers import initial_kernel
from lenet_search.networks.layers import IDENTITY
from lenet_search.networks.parameter import Parameter

CONSTANTS = {"bias": 0.0, "beta": 0.0, "gamma": 1.0, "moving_mean": 0.0, "moving_variance": 1.0, "affine_kernel": 0.0}


def initial_value(parameter: Parameter, initializer: str, seed: int) -> np.ndarray:
    """A fresh parameter, float32, by its role.

    A map that sees only some of the maps before it starts as a map of a kernel over just these, and a subsampling
    coefficient as one of the weights of a unit with four inputs: what counts is the fan-in that a unit really has.
    """
    match parameter.role:
        case "kernel":
            return initial_kernel(initializer, parameter.shape, seed)
        case "connections":
            maps: list[np.ndarray] = [
                initial_kernel(initializer, fan, seed + i)[..., i] for i, fan in enumerate(parameter.fans)
            ]
            return np.concatenate(maps, axis=-1)
        case "coefficient":
            weights: np.ndarray = initial_kernel(initializer, (4, *parameter.shape), seed)[0]
            return weights
        case "affine_bias":
            return np.array(IDENTITY, np.float32)
    return np.full(parameter.shape, CONSTANTS[parameter.role], np.float32)
