"""Data sets and images to damage: .npz, IDX, SVHN's format and folders of images, and what reads them."""

import gzip
import io
import struct
import zlib
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from fuzzing.damage import LIMITS, array_bytes, damaged, damaged_archive, gzip_bomb
from lenet_search.data import load, load_test
from lenet_search.data.frame import Frame
from lenet_search.errors import LenetSearchError
from lenet_search.model.prepare import Form, prepare
from lenet_search.recipe.data import Images

NAMES = ("cat", "dog", "owl")
FORMATS = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "gif": "GIF", "tif": "TIFF", "webp": "WEBP"}
MODES = ("L", "RGB", "RGBA", "P", "1", "I;16", "LA", "CMYK", "F", "I")
SIDES = (1, 3, 1000, 9_000, 30_000, 65_535, 2**31 - 1)  # that a header promises
FORMS = (Form(32, 32, 1, "dark", Frame(20, "mass")), Form(28, 28, 1, "light"), Form(32, 32, 3, ""))


def pixels(n: int, shape: tuple[int, ...] = (8, 8), seed: int = 0) -> np.ndarray:
    """Random images."""
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def labels(n: int, classes: int = 3) -> np.ndarray:
    """Each class in turn."""
    return np.arange(n) % classes


def read_data(path: Path, **wanted: Any) -> None:
    """Both parts of a data set, as a search and as a measurement read them; both must name it if they refuse it."""
    told: LenetSearchError | None = None
    for read in (lambda: load(Images(str(path), **wanted)), lambda: load_test(str(path), size=wanted.get("size", 0))):
        try:
            read()
        except LenetSearchError as error:
            if path.name not in str(error):
                raise
            told = error
    if told is not None:
        raise told


def npz_file(rng: Random, folder: Path) -> Path:
    """A damaged .npz file."""
    arrays: dict[str, Any] = {"x_train": pixels(30), "y_train": labels(30), "x_test": pixels(9), "y_test": labels(9)}
    match rng.randrange(7):
        case 0:
            arrays |= {"x_train": arrays["x_train"] / 255, "x_test": arrays["x_test"] / 255}
        case 1:
            arrays |= {"y_train": np.eye(3)[labels(30)], "y_test": np.eye(3)[labels(9)]}
        case 2:
            arrays |= {"y_train": np.array(NAMES)[labels(30)], "y_test": np.array(NAMES, "S")[labels(9)]}
        case 3:
            arrays |= {"class_names": np.array(NAMES)}
        case 4:
            arrays |= {"x_val": pixels(6), "y_val": labels(6)}
        case 5:
            name = rng.choice(list(arrays))
            wild = (
                np.array(7), np.zeros((30, 0)), np.zeros((0, 3)), np.full(30, np.nan), np.arange(30) * 10**9,
                np.array(["\x1b[31m", "a"] * 15), np.zeros((30, 8, 8), "<M8[s]"), np.zeros((30, 8, 8), complex),
                np.full((30, 8, 8), np.inf), np.arange(30)[::-1] - 5, np.array([""] * 30), np.array([b"\xff"] * 30),
                np.zeros((30, 1, 1), np.uint8), np.zeros((30, 8, 8, 5), np.uint8), np.zeros((1, 2000, 2000),
                np.float32),
                np.full((30, 8, 8), 1e308), np.zeros((30, 100_000, 1), np.uint8), np.eye(3, dtype=bool)[labels(30)],
            )  # fmt: skip
            arrays[name] = rng.choice(wild)
    path = folder / "own.npz"
    members = {f"{name}.npy": array_bytes(array) for name, array in arrays.items()}
    path.write_bytes(damaged_archive(rng, members))
    return path


def idx_folder(rng: Random, folder: Path) -> Path:
    """Four IDX files, one of them damaged."""
    end = rng.choice(("", ".gz"))
    broken = rng.choice(("train-images", "train-images", "train-labels", "t10k-images", "t10k-labels"))
    for part, n in (("train", 30), ("t10k", 9)):
        for kind, array in (("images", pixels(n)), ("labels", labels(n).astype(np.uint8))):
            dimensions = array.ndim
            head = struct.pack(f">HBB{dimensions}I", 0, 8, dimensions, *array.shape)
            content, how = head + array.tobytes(), rng.random()
            name = f"{part}-{kind}"
            path = folder / f"{name}-idx{dimensions}-ubyte{end}"
            if name == broken and end and how < 0.002:
                path.write_bytes(gzip_bomb(struct.pack(">HBB3I", 0, 8, 3, 8_000_000, 8, 8)))
                continue
            if name == broken and how < 0.4:
                sides = [rng.choice((*LIMITS[:-1], *array.shape)) for _ in range(rng.choice((dimensions, 0, 1, 4)))]
                kind_number = rng.choice((8, 9, 11, 12, 13, 14, 0, 255))
                content = struct.pack(f">HBB{len(sides)}I", 0, kind_number, len(sides), *sides) + content[len(head) :]
            elif name == broken and how < 0.8:
                content = damaged(rng, content)
            content = gzip.compress(content, 1) if end else content
            path.write_bytes(damaged(rng, content) if name == broken and how >= 0.7 else content)
    return folder


def mat_folder(rng: Random, folder: Path) -> Path:
    """SVHN's two files, one of them damaged, some before they are compressed."""
    broken = rng.choice(("train", "train", "test"))
    for part, n in (("train", 40), ("test", 20)):
        how = rng.random() if part == broken else 1.0
        order = rng.choice("<>")
        y = labels(n, 10).astype(np.uint8)[:, None] + 1
        content = (b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", 0x0100)) + (
            b"IM" if order == "<" else b"MI"
        )
        for name, array in (("X", pixels(n, (8, 8, 3)).transpose(1, 2, 3, 0)), ("y", y)):
            element = _matrix(order, name, array)
            if how < 0.5:
                element = damaged(rng, element)
            bomb = how < 0.0005
            if bomb:  # a small file of an array of zeros, or with zeros behind its array
                zeros = np.zeros((8, 8, 3, 1_200_000), np.uint8)
                element = rng.choice((_matrix(order, name, zeros), element + bytes(2**28)))
            if bomb or rng.random() < 0.6:
                packed = zlib.compress(element, 1)
                element = struct.pack(f"{order}II", 15, len(packed)) + packed
            content += element
        (folder / f"{part}_32x32.mat").write_bytes(damaged(rng, content) if 0.4 < how < 0.95 else content)
    return folder


def _matrix(order: str, name: str, array: np.ndarray) -> bytes:
    parts = ((6, struct.pack(f"{order}II", 9, 0)), (5, struct.pack(f"{order}{array.ndim}i", *array.shape)),
             (1, name.encode()), (2, array.tobytes(order="F")))  # fmt: skip
    inside = b"".join(struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8) for kind, data in parts)
    return struct.pack(f"{order}II", 14, len(inside)) + inside


def image_folder(rng: Random, folder: Path) -> Path:
    """Two classes of two images, one of them damaged, promising much, or of a rare kind."""
    for number, name in enumerate(("0", "0", "1", "1")):
        (folder / name).mkdir(exist_ok=True)
        if number:
            (folder / name / f"{number}.png").write_bytes(_image("PNG", "L", (9, 9), number))
    suffix = rng.choice(list(FORMATS))
    how = rng.random()
    content = _wild_image(rng, suffix, how)
    if how > 0.5:
        content = damaged(rng, content)
    (folder / "0" / f"broken.{suffix}").write_bytes(content)
    return folder


def _wild_image(rng: Random, suffix: str, how: float) -> bytes:
    if how < 0.005:  # a picture of nothing that is as large as a header may promise
        side = rng.choice((3_000, 6_000, 9_000))
        large = Image.new(rng.choice(("L", "RGB", "RGBA", "P", "1", "LA", "I;16")), (side, side))
        return _saved(large, rng.choice((FORMATS[suffix], "PNG")))
    size = rng.choice(((9, 9), (9, 9), (1, 1), (200, 1), (64, 70)))
    content = _image(FORMATS[suffix], rng.choice(MODES), size, rng.randrange(99), rng.choice((None, 1, 6, 8, 99)))
    if how < 0.3 and suffix in ("png", "bmp", "gif"):
        at, order = {"png": (16, ">I"), "bmp": (18, "<I"), "gif": (6, "<H")}[suffix]
        changed = bytearray(content)
        width = struct.calcsize(order)
        for place in range(2):
            side = rng.choice(SIDES) & (256**width - 1)
            changed[at + place * width : at + (place + 1) * width] = struct.pack(order, side)
        if suffix == "png":
            changed[29:33] = struct.pack(">I", zlib.crc32(bytes(changed[12:29])))
        return bytes(changed)
    return content


def _image(form: str, mode: str, size: tuple[int, int], seed: int, orientation: int | None = None) -> bytes:
    array = pixels(size[1], (size[0],), seed)
    image = Image.fromarray(array).convert("L" if mode.startswith("I;") or mode == "LA" else mode)
    if mode in ("I;16", "LA"):
        image = Image.fromarray(array.astype(np.uint16) * 257) if mode == "I;16" else image.convert("LA")
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    return _saved(image, form, exif=exif)


def _saved(image: Image.Image, form: str, **how: Any) -> bytes:
    """An image in a format, as PNG if it cannot hold the mode, and in gray if that cannot either."""
    for each, mode in ((form, image.mode), ("PNG", image.mode), ("PNG", "L")):
        file = io.BytesIO()
        try:
            (image if mode == image.mode else image.convert(mode)).save(file, each, **how)
        except (OSError, ValueError, KeyError):
            continue
        return file.getvalue()
    raise AssertionError(image)


def read_images(folder: Path) -> None:
    """As a data set, and the damaged image as a picture to be classified."""
    broken = next(folder.glob("0/broken.*"))
    told: LenetSearchError | None = None
    for form in FORMS:
        try:
            prepare(broken, form)
        except LenetSearchError as error:
            told = error
    try:
        load(Images(str(folder), 2))
    except LenetSearchError as error:
        if folder.name not in str(error):
            raise
        told = error
    if told is not None:
        raise told
