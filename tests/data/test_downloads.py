"""Downloads go through Keras's own code; only its fetch of a URL is replaced."""

import gzip
import urllib.error
from pathlib import Path

import numpy as np
import pytest
from files import images, write

from lenet_search.data import load, load_test
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


def idx(array: np.ndarray) -> bytes:
    """Fashion-MNIST's files: a header of 8 bytes (labels) or 16 (images), which Keras skips, and the bytes."""
    return gzip.compress(bytes(8 if array.ndim == 1 else 16) + array.tobytes())


@pytest.fixture
def keras_fetch(tmp_path, monkeypatch):
    """Keras's cache in `tmp_path`; the test says what a URL gives, and reads what was asked for."""
    from keras.src.utils import file_utils

    class Fetch:
        def __init__(self):
            self.files: dict[str, bytes] = {}
            self.asked: list[str] = []

        def __call__(self, url, target, progress):
            self.asked.append(url)
            content = self.files.get(url.rsplit("/", 1)[1])
            if content is None:
                raise urllib.error.URLError("no route to host")
            progress(0, len(content), len(content))
            Path(target).write_bytes(content)
            progress(1, len(content), len(content))

    fetch = Fetch()
    monkeypatch.setattr(file_utils, "urlretrieve", fetch)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    return fetch


def test_a_download_is_made_once_and_shows_its_progress_on_stderr_only(keras_fetch, capfd):
    labels = np.arange(20, dtype=np.uint8) % 10
    for part in ("train", "t10k"):
        keras_fetch.files[f"{part}-labels-idx1-ubyte.gz"] = idx(labels)
        keras_fetch.files[f"{part}-images-idx3-ubyte.gz"] = idx(images(20, (28, 28)))
    split = load(Images(name="fashion_mnist", validation=10))
    out, err = capfd.readouterr()
    assert out == ""
    assert "Downloading data from https://" in err
    assert split.x_train.shape == (10, 32, 32, 1)
    assert split.class_names[9] == "ankle_boot"
    assert load_test("fashion_mnist")[0].shape == (20, 28, 28, 1)
    assert len(keras_fetch.asked) == 4


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "mnist", "fashion_mnist"])
def test_a_download_that_fails_says_how_to_do_without(keras_fetch, tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError) as caught:
        load(Images(name=name), tmp_path / "folder")
    message = str(caught.value)
    assert "no route to host" in message
    assert f"put {name}.npz" in message
    assert "--data FOLDER" in message
    assert f"there is no {tmp_path / 'folder' / name}.npz" in message


def test_a_download_with_another_hash_is_refused(keras_fetch, tmp_path):
    keras_fetch.files["mnist.npz"] = write(tmp_path).read_bytes()
    with pytest.raises(DataError, match=r"mnist: the download .* hash does not match"):
        load(Images(name="mnist"))


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "mnist", "fashion_mnist"])
def test_nothing_is_downloaded_if_that_was_not_asked_for(keras_fetch, tmp_path, monkeypatch, name):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(DataError, match=rf"{name} is not on this machine; name its folder with --data"):
        load(Images(name=name), download=False)
    assert keras_fetch.asked == []


def test_what_was_downloaded_before_is_read_without_asking(keras_fetch, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    labels = np.arange(20, dtype=np.uint8) % 10
    for part in ("train", "t10k"):
        keras_fetch.files[f"{part}-labels-idx1-ubyte.gz"] = idx(labels)
        keras_fetch.files[f"{part}-images-idx3-ubyte.gz"] = idx(images(20, (28, 28)))
    first = load(Images(name="fashion_mnist", validation=10))
    keras_fetch.asked.clear()
    assert load(Images(name="fashion_mnist", validation=10), download=False).digest == first.digest
    assert keras_fetch.asked == []
