"""Many image files as one array, decoded once and kept in the user's cache folder."""

import contextlib
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lenet_search.data.class_folders import printable
from lenet_search.data.dataset import Tell
from lenet_search.data.decode import ImageError, decode, fitted
from lenet_search.data.pixels import allocated
from lenet_search.errors import DataError
from lenet_search.machine import writable_cache
from lenet_search.whole import written_whole

VERSION = 2  # of the rules here and in decode.py: a change makes kept arrays worthless
LARGEST = 64  # pixels per side that images may have to stay as they are
USUAL = 32  # pixels per side of other images; LeNet-5's own
NAMED = 10  # broken files that an error names
PATIENCE, PAUSE = 2.0, 10.0  # seconds until the first line about progress, and between two lines


def decoded(
    folder: Path, files: Sequence[Path], size: tuple[int, int] | None, channels: int | None, tell: Tell
) -> np.ndarray:
    """Images (n, H, W, C) of files in `folder`, uint8, in their order; kept until a file changes.

    Args:
        folder: where they are
        files: one or more image files
        size: height and width; None: that of the images if all have the same, of up to 64x64 pixels, else 32x32
        channels: 1 for gray, 3 for color; None: gray if all images are
        tell: hears of the progress if it takes long

    Raises:
        DataError: files are not readable, with their names; or all of them do not fit in memory.
    """
    place = _place(folder, files, size, channels)
    if place is not None:
        with contextlib.suppress(OSError, EOFError, ValueError):  # there is none, or half of one
            kept: np.ndarray = np.load(place, allow_pickle=False)
            if kept.dtype == np.uint8 and kept.ndim == 4 and len(kept) == len(files):
                return kept
    made = _decode(folder, files, size, channels, tell)
    if place is not None:
        with contextlib.suppress(OSError):  # a full disk: they are decoded again next time
            with written_whole(place) as scratch, scratch.open("wb") as file:
                np.save(file, made)
            for older in place.parent.glob(f"{place.name.partition('-')[0]}-*.npy"):
                if older != place:
                    older.unlink(missing_ok=True)
    return made


def _place(folder: Path, files: Sequence[Path], size: tuple[int, int] | None, channels: int | None) -> Path | None:
    """The file for these images in their present state; None without a cache.

    A file counts as changed if its name, its size or one of its times does. The time of its last change of any kind
    (`st_ctime_ns`) tells even if a tool has set the other back.
    """
    whose = hashlib.sha256(repr((VERSION, str(folder.resolve()), size, channels)).encode(errors="surrogateescape"))
    state = hashlib.sha256()
    try:
        for path in files:
            stat = path.stat()
            entry = path.parent.name, path.name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
            state.update(repr(entry).encode(errors="surrogateescape"))
        cache = writable_cache() / "folders"
        cache.mkdir(exist_ok=True)
    except OSError:
        return None
    return cache / f"{whose.hexdigest()[:16]}-{state.hexdigest()[:16]}.npy"


def _decode(
    folder: Path, files: Sequence[Path], size: tuple[int, int] | None, channels: int | None, tell: Tell
) -> np.ndarray:
    origin = printable(folder)
    begun, due = time.monotonic(), PATIENCE
    made: np.ndarray | None = None
    problems = []
    for place, path in enumerate(files):
        try:
            image = decode(path)
        except ImageError as error:
            problems.append(str(error))
            continue
        pixels = np.asarray(image.convert("L") if channels == 1 else image)
        pixels = pixels.reshape(*pixels.shape[:2], -1)
        if made is None:
            natural = size or (pixels.shape[:2] if max(pixels.shape[:2]) <= LARGEST else (USUAL, USUAL))
            made = allocated((len(files), *natural, channels or 1), origin)
        if size is None and pixels.shape[:2] != made.shape[1:3] != (USUAL, USUAL):
            return _decode(folder, files, (USUAL, USUAL), channels, tell)  # they are not of one size
        pixels = fitted(pixels, made.shape[1:3])
        if channels is None and made.shape[3] == 1 and pixels.shape[2] == 3 and np.ptp(pixels, axis=2).any():
            gray, made = made, allocated((*made.shape[:3], 3), origin)  # the first in color
            made[:place] = gray[:place]
        made[place] = pixels if made.shape[3] == 3 else pixels[..., :1]
        seconds = time.monotonic() - begun
        if seconds > due:
            due = seconds + PAUSE
            left = seconds * (len(files) - place - 1) / (place + 1)
            tell(f"{origin}: {place + 1:,} of {len(files):,} images decoded, about {left:,.0f} s left")
    if problems:
        more = f"\nand {len(problems) - NAMED:,} more" if len(problems) > NAMED else ""
        raise DataError(
            f"{origin}: {len(problems):,} of {len(files):,} images cannot be read; remove or replace them:\n"
            + "\n".join(problems[:NAMED])
            + more
        )
    assert made is not None
    return made
