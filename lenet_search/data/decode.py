"""One image file as a person sees it: upright, without transparency, eight bits per channel."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lenet_search.data.class_folders import printable
from lenet_search.data.foreign import foreign
from lenet_search.errors import LenetSearchError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "GIF", "TIFF")  # what else Pillow reads is not accepted
# Memory for each pixel until an image is made smaller, by mode, in bytes (measured with Pillow 13, November 2026).
DECODED = {"1": 2, "L": 2, "RGB": 6, "CMYK": 6, "I": 6, "I;16": 8, "F": 6}
DECODED_MOST = 9  # of other modes: transparency is a copy
ROOM = 190_000_000  # bytes that it may take beside twice the file, which may unpack to a thousand times its size


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
            _check_size(path)
            return upright(path, FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageError(f"{shown}: the image is too large: {error}; make it smaller") from error
    except Exception as error:  # a damaged file makes Pillow's readers raise anything
        raise ImageError(f"{shown}: {_reason(path, error)}") from error


def _check_size(path: Path) -> None:
    """Raise an error of Pillow's if an image would take much more memory than its file explains."""
    with Image.open(path, formats=FORMATS) as file:
        each = DECODED.get(file.mode, DECODED_MOST)
        match file.format:
            case "JPEG":  # is read at a fraction of its size, unless it comes in several passes
                each = 8 if file.info.get("progressive") else 2
            case "WEBP":
                each = 16
            case "TIFF":  # is turned upright before it is made smaller
                each += 4
        if each * file.width * file.height > ROOM + 2 * path.stat().st_size:
            raise Image.DecompressionBombError(f"it has {file.width}x{file.height} pixels")


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
        factor = int((file.width * file.height / 2**22) ** 0.5) + 1  # to four million pixels, which take 100 MB at most
        file.draft(None, (file.width // factor, file.height // factor))  # a JPEG file can be read at 1/2, 1/4 or 1/8
        factor = int((file.width * file.height / 2**22) ** 0.5) + 1
        image: Image.Image = file
        if factor > 1:
            image = file.convert("RGBA" if file.has_transparency_data else "RGB") if file.mode in ("P", "PA") else file
            image = image.convert("L") if image.mode == "1" else image
            image = image.convert("I") if image.mode.startswith("I;") else image
            image = image.reduce(factor)
        image = ImageOps.exif_transpose(image)
    del file
    if image.mode.startswith("I") or image.mode == "F":  # 16 or 32 bits per pixel
        values = np.array(image, "float64")
        low, high = values.min(), values.max()
        if not (low >= 0 and high <= 65535):
            raise ValueError(f"its values are from {low:g} to {high:g}: save it with 8 or 16 bits per channel")
        wide = image.mode in ("I", "F")  # 32 bits, which may hold 8 or 16
        scale = 255 if image.mode == "F" and high <= 1 else 1 if wide and high <= 255 else 1 / 257
        values *= scale
        return Image.fromarray(values.round(out=values).astype("uint8"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        color, alpha = np.asarray(image.convert("L")), np.asarray(image.getchannel("A"))
        mean = np.einsum("ij,ij->", color, alpha, dtype="float64", casting="unsafe") / max(
            1, alpha.sum(dtype="float64")
        )
        light = mean > 200  # hardly visible on white
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
