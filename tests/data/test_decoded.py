"""Image files are decoded once and kept until one changes; images are fitted whole."""

import os
from pathlib import Path

import numpy as np
import pytest
from kinds import tree
from PIL import Image

from lenet_search.data import decoded, load
from lenet_search.data.decode import decode, fitted
from lenet_search.data.pixels import check_memory
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "lenet-search" / "folders"


@pytest.fixture
def folder(tmp_path, cache) -> Path:
    return Path(tree(tmp_path / "own"))


@pytest.fixture
def seen(monkeypatch) -> list[Path]:
    """The files that are decoded from now on."""
    paths: list[Path] = []

    def noted(path):
        paths.append(path)
        return decode(path)

    monkeypatch.setattr(decoded, "decode", noted)
    return paths


def test_images_are_decoded_once(folder, seen, cache):
    first = load(Images(str(folder)))
    assert len(seen) == 30
    again = load(Images(str(folder), validation=6))
    assert len(seen) == 30
    assert np.array_equal(
        np.sort(first.x_train.sum(axis=(1, 2, 3)))[-1], np.sort(again.x_train.sum(axis=(1, 2, 3)))[-1]
    )
    assert len(list(cache.iterdir())) == 1


def test_a_change_of_any_file_is_noticed_and_the_old_images_are_removed(folder, seen, cache):
    before = load(Images(str(folder)))
    path = folder / "cat" / "3.png"
    old = path.stat()
    Image.new("L", (8, 8), 7).save(path)
    path.write_bytes(path.read_bytes().ljust(old.st_size, b"\0"))  # of the same size and date as before
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    after = load(Images(str(folder)))
    assert before.digest != after.digest
    assert len(seen) == 60
    assert len(list(cache.iterdir())) == 1
    path.unlink()
    assert len(load(Images(str(folder))).x_train) == 26


def test_each_size_is_kept(folder, seen, cache):
    for size in (0, 9, 10, 9, 0):
        load(Images(str(folder), size=size))
    assert len(seen) == 90
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("content", [b"", b"half a file", None])
def test_what_is_damaged_is_decoded_again(folder, seen, cache, content):
    before = load(Images(str(folder)))
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:500] if content is None else content)
    assert load(Images(str(folder))).digest == before.digest
    assert len(seen) == 60
    load(Images(str(folder)))
    assert len(seen) == 60


def test_without_a_place_to_keep_them_images_are_decoded_each_time(folder, seen, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file in the way")
    assert load(Images(str(folder))).digest == load(Images(str(folder))).digest
    assert len(seen) == 60


def test_a_disk_that_is_full_leaves_nothing_behind(folder, cache, monkeypatch):
    def full(file, array):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert load(Images(str(folder))).classes == 3
    assert not list(cache.iterdir())


def test_progress_is_told_if_it_takes_long(folder, monkeypatch):
    monkeypatch.setattr(decoded, "PATIENCE", -1.0)
    told: list[str] = []
    load(Images(str(folder)), tell=told.append)
    assert told == [f"{folder}: 1 of 30 images decoded, about 0 s left"]
    told.clear()
    load(Images(str(folder)), tell=told.append)
    assert not told  # they are kept


def test_what_does_not_fit_in_memory_is_refused_before_it_is_filled(folder, monkeypatch):
    monkeypatch.setattr("lenet_search.data.pixels.free_memory", lambda: 1000)
    with pytest.raises(DataError, match=r"does not fit in memory \(.* GiB needed, .* free\); use fewer or smaller"):
        load(Images(str(folder)))
    check_memory(1000, "here")


WIDE = np.full((2, 8, 1), 40, np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(2, 8), (8, 2), (40, 10), (1, 100), (3, 3)])
def test_an_image_stays_whole_and_its_border_fills_the_rest(height, width, channels):
    image = np.full((height, width, channels), 200, np.uint8)
    inner = image[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None]
    if min(height, width) > 2:
        inner[:] = 10
    made = fitted(image, (16, 16))
    assert made.shape == (16, 16, channels)
    assert (made[[0, -1]] >= 150).all() or height >= width
    assert (made[:, [0, -1]] >= 150).all() or width >= height
    # The dark part keeps its share of the picture: nothing is cut off
    if min(height, width) > 2:
        share = (inner < 100).sum() / image.size * (min(height, width) / max(height, width))
        assert abs((made < 100).mean() - share) < 0.1


def test_an_image_of_the_right_size_is_left_alone():
    assert fitted(WIDE, (2, 8)) is WIDE


def test_a_rectangle_is_filled_too():
    made = fitted(WIDE, (8, 16))
    assert made.shape == (8, 16, 1)
    assert (made == 40).all()
