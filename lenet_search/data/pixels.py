"""Images of any source as bytes (n, H, W, C): checked, understood, and brought to one size."""

import math

import numpy as np

from lenet_search.data.dataset import Arrays
from lenet_search.data.decode import fitted
from lenet_search.errors import DataError
from lenet_search.machine import free_memory


def images(arrays: Arrays, key: str, origin: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Images as uint8 (n, H, W, C), and notes on how other numbers than bytes were read.

    Raises:
        DataError: starting with `origin` and `key`, and saying how to convert them.
    """
    x = arrays[key]
    if not _has_shape(x) or (x.dtype != np.uint8 and (x.size == 0 or not _is_brightness(x))):
        told = (
            f"{origin}: {key}: expected uint8 images of shape (n, height, width) or (n, height, width, 1 or 3), or "
            "numbers from 0 to 1 or from 0 to 255",
            f"received {x.dtype} of shape {x.shape}",
        )
        raise DataError("; ".join([*told, *_reshape(x), *_convert(x)]))
    if x.size == 0:
        raise DataError(f"{origin}: {key}: expected images; received none (shape {x.shape})")
    notes: tuple[str, ...] = ()
    if x.dtype != np.uint8:
        low, high = float(x.min()), float(x.max())
        notes = (f"{origin}: {key}: {x.dtype} from {low:g} to {high:g}, read as 0 to {1 if high <= 1 else 255}",)
    x = as_bytes(x)
    return (x if x.ndim == 4 else x[..., np.newaxis]), notes


def check_pairs(x: np.ndarray, y: np.ndarray, part: str, origin: str) -> None:
    """Raise a DataError unless "train", "val" or "test" has one label per image."""
    if len(x) != len(y):
        raise DataError(
            f"{origin}: expected one label per image; received {len(x)} images in x_{part} and "
            f"{len(y)} labels in y_{part}"
        )


def resized(images: np.ndarray, size: int, origin: str) -> np.ndarray:
    """Images (n, size, size, C), each fitted as `decode.fitted` says; with size 0 as they are.

    Raises:
        DataError: they do not fit in memory.
    """
    if size == 0 or images.shape[1:3] == (size, size):
        return images
    made = allocated((len(images), size, size, images.shape[3]), origin)
    for place, each in enumerate(images):
        made[place] = fitted(each, (size, size))
    return made


def allocated(shape: tuple[int, ...], origin: str) -> np.ndarray:
    """Room for uint8 images.

    Raises:
        DataError: it is more than the free memory.
    """
    check_memory(math.prod(shape), origin)
    return np.empty(shape, np.uint8)


def check_memory(needed: int, origin: str) -> None:
    """Raise a DataError if `needed` bytes are more than the free memory, which overcommitment would not notice."""
    free = free_memory()
    if free is not None and needed > free:
        raise DataError(
            f"{origin}: does not fit in memory ({needed / 2**30:,.1f} GiB needed, {free / 2**30:,.1f} GiB free); use "
            "fewer or smaller images"
        )


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Pixels from 0 to 255; those of other types from 0 to 1 are scaled. An exported train.py holds this function."""
    if images.dtype == np.uint8:
        return images
    scale = 255.0 if images.max() <= 1 else 1.0
    made = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), 1000):  # a few megabytes at a time
        made[start : start + 1000] = np.rint(images[start : start + 1000] * scale)
    return made


def _has_shape(x: np.ndarray) -> bool:
    return x.ndim == 3 or (x.ndim == 4 and x.shape[3] in (1, 3))


def _is_brightness(x: np.ndarray) -> bool:
    """Whether the values are from 0 to 1, or from 0 to 255. Floats that end a little above 1 could be either."""
    if x.dtype.kind not in "biuf":
        return False
    low, high = x.min(), x.max()  # NaN if there is one
    return bool(low >= 0 and high <= 255 and not (x.dtype.kind == "f" and 1 < high < 2))


def _reshape(x: np.ndarray) -> list[str]:
    """What to do if `x` does not have the shape of images."""
    if not _has_shape(x) and x.ndim == 4 and x.shape[1] in (1, 3):
        return ["move the channels to the end with numpy.moveaxis(x, 1, 3)"]
    if not _has_shape(x) and x.ndim == 4 and x.shape[3] == 4:
        return ["drop the alpha channel with x[..., :3]"]
    return []


# Common ranges around 0, which values fill at least by half, and how to convert `x`
_RANGES = (
    (0.5, "((x + 0.5) * 255).round().astype('uint8')"),
    (1, "((x + 1) * 127.5).round().astype('uint8')"),
)


def _convert(x: np.ndarray) -> list[str]:
    """What to do if pixels are neither from 0 to 1 nor from 0 to 255: their range, and the expression to convert."""
    if x.dtype == np.uint8 or x.dtype.kind not in "biuf" or x.size == 0 or _is_brightness(x):
        return []
    if x.dtype.kind == "f" and (strange := np.count_nonzero(~np.isfinite(x))):
        return [f"{strange} of its {x.size} values are NaN or infinite: correct them before converting it"]
    low, high = float(x.min()), float(x.max())
    if low == high:
        return [f"every value is {low:g}: expected pixels from 0 to 255"]
    around_0 = [how for end, how in _RANGES if -end <= low < -end / 2 and end / 2 < high <= end]
    how = around_0[0] if around_0 else f"numpy.interp(x, ({low!r}, {high!r}), (0, 255)).round().astype('uint8')"
    return [f"its values are from {low:g} to {high:g}: convert it with {how}"]
