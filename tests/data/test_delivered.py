"""Images that another machine sent answer as the files there did, and are kept once."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from lenet_search import data
from lenet_search.data import delivered
from lenet_search.data.delivered import Wanted, digest_of, is_kept, keep, offer, packed
from lenet_search.data.finding import find
from lenet_search.recipe.data import Images


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder on a machine with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "node"
    folder.mkdir()
    return folder


def send(wanted: Wanted, origin: Path, node: Path) -> str:
    arrays = packed(find(wanted.name, wanted.part, origin, wanted.size))
    digest = digest_of(arrays)
    keep(arrays, digest)
    offer(wanted, digest, node)
    return digest


def as_folder(npz: Path) -> None:
    """The same images as folders of PNG files, with names for labels."""
    from PIL import Image

    with np.load(npz) as file:
        arrays = dict(file)
    for part in ("train", "test"):
        for number, (image, label) in enumerate(zip(arrays[f"x_{part}"][:60], arrays[f"y_{part}"], strict=False)):
            place = npz.parent / "pets" / part / ("cat", "dog", "fox")[label] / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place)


@pytest.mark.parametrize("name", ["tiny", "pets", "digits"])
def test_a_node_sees_the_same_training_images_without_the_files(name, tiny_npz, node):
    as_folder(tiny_npz)
    wanted = Images(name, 0, 20, False)
    here = data.load(wanted, tiny_npz.parent)
    send(Wanted(name, "train"), tiny_npz.parent, node)
    shutil.rmtree(tiny_npz.parent / "pets")
    tiny_npz.unlink()
    there = data.load(wanted, node)
    assert there.describe() == here.describe()
    assert all(np.array_equal(getattr(there, x), getattr(here, x)) for x in ("x_train", "y_train", "x_val", "y_val"))


def test_a_node_gets_the_test_set_only_if_it_is_sent(tiny_npz, node):
    expected = data.load_test("tiny", tiny_npz.parent)
    send(Wanted("tiny", "train"), tiny_npz.parent, node)
    with pytest.raises(data.finding.DataError, match="no data set 'tiny'"):
        data.load_test("tiny", node)
    send(Wanted("tiny", "test"), tiny_npz.parent, node)
    assert np.array_equal(data.load_test("tiny", node)[0], expected[0])


def test_the_same_content_is_kept_once_and_other_content_beside_it(tiny_npz, node):
    digest = send(Wanted("tiny", "train"), tiny_npz.parent, node)
    assert send(Wanted(str(tiny_npz), "train"), tiny_npz.parent, node) == digest
    with np.load(tiny_npz) as file:
        arrays = dict(file)
    np.savez(tiny_npz, **arrays | {"x_train": arrays["x_train"] ^ 1})
    other = send(Wanted("tiny", "train"), tiny_npz.parent, node)
    assert other != digest and is_kept(digest) and is_kept(other)
    assert np.array_equal(find("tiny", "train", node).arrays["x_train"], arrays["x_train"] ^ 1)


def test_of_several_processes_one_writes(tiny_npz, node):
    arrays = packed(find("tiny", "train", tiny_npz.parent))
    wrote: list[bool] = []
    threads = [threading.Thread(target=lambda: wrote.append(keep(arrays, digest_of(arrays)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrote) == [False] * 7 + [True]


def test_what_was_sent_is_read_without_unpickling(tiny_npz, node, monkeypatch):
    kept = delivered._kept("0" * 64)
    kept.parent.mkdir(parents=True)
    np.savez(kept, found=np.array("{}"), x_train=np.array([print], dtype=object))
    offer(Wanted("tiny", "train"), "0" * 64, node)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        find("tiny", "train", node)
