"""Whatever bytes a file holds: it is read, or an error of ours says what is wrong, and the memory is not filled."""

import gzip
import io
import re
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from files import error_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kinds import idx, npz, svhn

from lenet_search.data import load, load_test
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images

FILES = {"npz": "own.npz", "idx": "train-images-idx3-ubyte", "compressed": "train-images-idx3-ubyte.gz",
         "labels": "train-labels-idx1-ubyte", "mat": "train_32x32.mat"}  # fmt: skip


def made(folder: Path, kind: str) -> Path:
    """A small data set: its file or folder."""
    if kind == "npz":
        return Path(npz(folder))
    if kind == "mat":
        pytest.importorskip("scipy")
        return Path(svhn(folder))
    return Path(idx(folder, end=".gz" if kind == "compressed" else ""))


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_is_an_error_of_ours_or_is_read(tmp_path, kind):
    data, file = made(tmp_path, kind), tmp_path / FILES[kind]
    content = file.read_bytes()

    @settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
    @given(drawn=st.data())
    def check(drawn):
        changed = bytearray(content)
        # Mostly headers, where sizes and types are
        places = st.integers(0, min(400, len(content) - 1)) | st.integers(0, len(content) - 1)
        for _ in range(drawn.draw(st.integers(1, 4))):
            changed[drawn.draw(places)] = drawn.draw(st.integers(0, 255))
        file.write_bytes(changed[: drawn.draw(st.just(len(content)) | st.integers(0, len(content)))])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy and SciPy warn about some
            for read in (lambda: load(Images(str(data), validation=10)), lambda: load_test(str(data))):
                try:
                    read()
                except DataError as error:
                    assert str(error).startswith(str(tmp_path))

    check()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(content=st.binary(max_size=300), kind=st.sampled_from(list(FILES)))
def test_any_bytes_are_an_error(tmp_path, content, kind):
    folder = tmp_path / kind
    folder.mkdir(exist_ok=True)
    if kind == "labels":
        idx(folder)
    (folder / FILES[kind]).write_bytes(content)
    error_of(folder / "own.npz" if kind == "npz" else folder)


def array_file(shape: str) -> bytes:
    """An .npy file whose header promises more than there is."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(100)


@pytest.mark.parametrize(
    "shape",
    ["(1000000, 1000, 1000)", "(3000000, 100, 100)", "(-1, 8, 8)", "(" + "1, " * 9000 + ")", "(9" + "9" * 5000 + ",)"],
)
def test_an_array_that_promises_more_than_there_is_is_damaged_or_too_large(tmp_path, shape):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as file:
        file.writestr("x_train.npy", array_file(shape))
        labels = io.BytesIO()
        np.save(labels, np.arange(30) % 3)
        file.writestr("y_train.npy", labels.getvalue())
    assert error_of(tmp_path / "own.npz").startswith(f"{tmp_path / 'own.npz'}: ")


def test_a_small_file_that_unpacks_to_more_than_the_memory_is_refused_before(tmp_path, monkeypatch):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x_train=np.zeros((1000, 64, 64), np.uint8), y_train=np.arange(1000) % 3)
    assert path.stat().st_size < 20_000
    monkeypatch.setattr("lenet_search.data.pixels.free_memory", lambda: 1_000_000)
    assert "own.npz: does not fit in memory (0.0 GiB needed" in error_of(path)


def test_a_small_compressed_idx_file_that_unpacks_to_much_more_is_refused(tmp_path):
    idx(tmp_path, end=".gz")
    n = 2**21  # images of 8x8 pixels, all of them black
    head = struct.pack(">HBB3I", 0, 8, 3, n, 8, 8)
    (tmp_path / FILES["compressed"]).write_bytes(gzip.compress(head + bytes(64 * n), 1))
    assert re.search(r"idx3-ubyte\.gz: it has [\d,]+ bytes and unpacks to 134,217,728, more than", error_of(tmp_path))


def test_a_small_file_of_matlab_s_that_unpacks_to_much_more_is_refused(tmp_path):
    size = 2**27  # bytes of an array that is not there in full
    parts = ((6, struct.pack("<II", 9, 0)), (5, struct.pack("<4i", 8, 8, 1, size // 64)), (1, b"X"))
    inside = b"".join(struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8) for kind, data in parts)
    inside += struct.pack("<II", 2, size)
    element = zlib.compress(struct.pack("<II", 14, len(inside) + size) + inside + bytes(1000))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    (tmp_path / FILES["mat"]).write_bytes(head + struct.pack("<II", 15, len(element)) + element)
    assert "train_32x32.mat: does not fit in memory, or unpacks to more than 50 times its size" in error_of(tmp_path)


def test_a_small_npz_file_that_unpacks_to_much_more_is_refused_and_says_how_to_save_it(tmp_path):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x_train=np.zeros((2**17, 32, 32), np.uint8), y_train=np.arange(2**17) % 3)
    assert "save it uncompressed" in error_of(path)
