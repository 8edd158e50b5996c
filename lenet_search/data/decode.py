"""One image file as a person sees it: upright, without transparency, eight bits per channel."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lenet_search.data.class_folders import printable
from lenet_search.data.foreign import foreign
from lenet_search.errors import LenetSearchError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF")  # what else Pillow reads is not accepted


class ImageError(LenetSearchError):
    """An image that cannot be used. The other images still can."""


def decode(path: Path) -> Image.Image:
    """The image of a file, upright, in gray (mode L) or color (RGB).

    Of an animation or a file with several pages, it is the first. Transparency becomes white, or black if what is
    drawn is light.

    Raises:
        ImageError: the file is not an image of `FORMATS`, damaged, or has more pixels than Pillow deems safe.
    """
    shown = printable(path)
    if not path.is_file():  # a pipe would block for ever
        raise ImageError(f"{shown}: {'expected a file' if path.exists() else 'there is no such file'}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return upright(path, FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageError(f"{shown}: the image is too large: {error}; make it smaller") from error
    except Exception as error:  # a damaged file makes Pillow's readers raise anything
        raise ImageError(f"{shown}: {_reason(path, error)}") from error


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be read: {(error.strerror or str(error)).lower()}"
    if isinstance(error, UnidentifiedImageError) and (said := foreign(path)):
        return f"not a readable image: {said}"
    # Pillow quotes the path, in which line breaks and undecodable bytes can be
    said = "its format is unknown" if isinstance(error, UnidentifiedImageError) else str(error)
    return f"not a readable image ({said}); expected a complete PNG, JPEG, WebP, BMP, GIF or TIFF file"


def upright(path: Path, formats: tuple[str, ...] | None = None) -> Image.Image:
    """An image, upright, in gray (L) or color (RGB). An exported train.py holds this function too."""
    with Image.open(path, formats=formats) as file:
        image: Image.Image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I") or image.mode == "F":  # 16 or 32 bits per pixel
        values = np.asarray(image, "float64")
        low, high = values.min(), values.max()
        if not (low >= 0 and high <= 65535):
            raise ValueError(f"its values are from {low:g} to {high:g}: save it with 8 or 16 bits per channel")
        wide = image.mode in ("I", "F")  # 32 bits, which may hold 8 or 16
        scale = 255 if image.mode == "F" and high <= 1 else 1 if wide and high <= 255 else 1 / 257
        return Image.fromarray((values * scale).round().astype("uint8"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        color, alpha = np.asarray(image.convert("L"), "float64"), np.asarray(image.getchannel("A"), "float64")
        light = alpha.any() and np.average(color, weights=alpha) > 200  # hardly visible on white
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black" if light else "white"), image)
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def fitted(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image (H, W, C) as (height, width, C) of `size`, whole: what is left is filled with its border's median color.

    Cropping would cut off what tells an l from a t. An exported train.py holds this function too.
    """
    height, width, channels = pixels.shape
    if (height, width) == size:
        return pixels
    scale = min(size[0] / height, size[1] / width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    inside = np.asarray(image.resize((columns, rows), Image.Resampling.LANCZOS)).reshape(rows, columns, channels)
    border = [pixels[[0, -1]].reshape(-1, channels), pixels[:, [0, -1]].reshape(-1, channels)]
    made = np.empty((*size, channels), np.uint8)
    made[:] = np.median(np.concatenate(border), axis=0)
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    made[top : top + rows, left : left + columns] = inside
    return made
