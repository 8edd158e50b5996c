"""A small data set of each kind that a person can bring, for the tests of what reads them."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("cat", "dog", "owl")
SUFFIXES = ("png", "jpg", "bmp", "gif", "tif", "webp")


def pixels(n: int, shape: tuple[int, ...] = (8, 8), seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def labels(n: int, classes: int = 3) -> np.ndarray:
    return np.arange(n) % classes


def npz(folder: Path, **changes: np.ndarray) -> str:
    arrays = {"x_train": pixels(30), "y_train": labels(30), "x_test": pixels(9, seed=1), "y_test": labels(9)}
    np.savez(folder / "own.npz", **(arrays | changes))
    return str(folder / "own.npz")


def tree(
    folder: Path,
    part: str = "",
    *,
    n: int = 10,
    size: tuple[int, int] = (8, 8),
    mode: str = "L",
    names: tuple[str, ...] = NAMES,
    seed: int = 0,
) -> str:
    """`n` images of each class; each class has its own brightness, so that a wrong label shows."""
    rng = np.random.default_rng(seed)
    for label, name in enumerate(names):
        place = folder / part / name
        place.mkdir(parents=True)
        for number in range(n):
            shape = size if mode == "L" else (*size, 3)
            image = Image.fromarray(rng.integers(60 * label % 240, 60 * label % 240 + 15, shape, dtype=np.uint8))
            suffix = SUFFIXES[number % len(SUFFIXES)] if mode == "RGB" else "png"
            image.save(place / f"{number}.{suffix}")
    return str(folder)


def parts(folder: Path, **how: object) -> str:
    for seed, (part, n) in enumerate({"train": 10, "val": 3, "test": 4}.items()):
        tree(folder, part, n=n, seed=seed, **how)  # type: ignore[arg-type]
    return str(folder)


def idx_file(path: Path, array: np.ndarray) -> None:
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def idx(folder: Path, prefix: str = "", dot: str = "-", end: str = "", test: str = "t10k", first: int = 0) -> str:
    for seed, (part, n) in enumerate({"train": 30, test: 9}.items()):
        idx_file(folder / f"{prefix}{part}-images{dot}idx3-ubyte{end}", pixels(n, (8, 6), seed))
        idx_file(folder / f"{prefix}{part}-labels{dot}idx1-ubyte{end}", labels(n) + first)
    return str(folder)


def svhn(folder: Path) -> str:
    from scipy.io import savemat

    for seed, (part, n) in enumerate({"train": 40, "test": 20}.items()):
        y = (labels(n, 10) + 1)[:, None].astype(np.uint8)  # 10 means 0
        savemat(folder / f"{part}_32x32.mat", {"X": pixels(n, (8, 8, 3), seed).transpose(1, 2, 3, 0), "y": y})
    return str(folder)


FLOATS = {"x_train": pixels(30) / 255, "x_test": pixels(9, seed=1) / 255}
KINDS: dict[str, Callable[[Path], str]] = {
    "npz": npz,
    "npz, color": lambda folder: npz(folder, x_train=pixels(30, (8, 8, 3)), x_test=pixels(9, (8, 8, 3))),
    "npz, floats to 1": lambda folder: npz(folder, **FLOATS),
    "npz, floats to 255": lambda folder: npz(folder, x_train=pixels(30) * 1.0, x_test=pixels(9) * np.float32(1)),
    "npz, one-hot": lambda folder: npz(folder, y_train=np.eye(3)[labels(30)], y_test=np.eye(3)[labels(9)]),
    "npz, text": lambda folder: npz(folder, y_train=np.array(NAMES)[labels(30)], y_test=np.array(NAMES)[labels(9)]),
    "npz, bytes of text": lambda folder: npz(
        folder, y_train=np.array(NAMES, "S")[labels(30)], y_test=np.array(NAMES, "S")[labels(9)]
    ),
    "npz, class names": lambda folder: npz(folder, class_names=np.array(NAMES)),
    "npz, validation": lambda folder: npz(folder, x_val=pixels(6, seed=2), y_val=labels(6)),
    "npz, validation in floats": lambda folder: npz(
        folder, **FLOATS, x_val=pixels(6, seed=2) / 255, y_val=np.eye(3)[labels(6)]
    ),
    "folder": tree,
    "folder with parts": parts,
    "folder in color": lambda folder: parts(folder, size=(9, 14), mode="RGB"),
    "folder of large images": lambda folder: parts(folder, size=(70, 50), names=("1", "2", "10")),
    "idx": idx,
    "idx with dots": lambda folder: idx(folder, dot="."),
    "idx, compressed": lambda folder: idx(folder, end=".gz"),
    "EMNIST": lambda folder: idx(folder, "emnist-letters-", end=".gz", test="test", first=1),
    "SVHN": svhn,
}
