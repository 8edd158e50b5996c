"""IDX files and SVHN's files: what belongs together, and what is said of files that do not fit."""

import gzip
import struct

import numpy as np
import pytest
from files import error_of
from kinds import idx, idx_file, labels, pixels, svhn

from lenet_search.data import load, load_test
from lenet_search.data.idx import read_idx
from lenet_search.data.matlab import read_mat
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


def everything(split):
    return np.concatenate([split.x_train, split.x_val]), np.concatenate([split.y_train, split.y_val])


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("dot", ["-", "."])
@pytest.mark.parametrize("prefix", ["", "kmnist-", "My "])
def test_training_and_test_files_are_read_under_their_usual_names(tmp_path, prefix, dot, end):
    idx(tmp_path, prefix, dot, end)
    x, y = everything(load(Images(str(tmp_path), validation=3)))
    assert x.shape == (30, 8, 6, 1)
    assert sorted(map(bytes, x)) == sorted(map(bytes, pixels(30, (8, 6))))
    assert np.bincount(y).tolist() == [10, 10, 10]
    x_test, y_test, names = load_test(str(tmp_path))
    assert np.array_equal(x_test[..., 0], pixels(9, (8, 6), seed=1))
    assert np.array_equal(y_test, labels(9))
    assert names == ("0", "1", "2")


def test_emnist_is_turned_upright_and_its_letters_keep_their_numbers_as_names(tmp_path):
    idx(tmp_path, "emnist-letters-", end=".gz", test="test", first=1)
    split = load(Images(str(tmp_path), validation=3))
    upright = pixels(30, (8, 6)).swapaxes(1, 2)
    assert sorted(map(bytes, everything(split)[0])) == sorted(map(bytes, upright))
    assert split.class_names == ("1", "2", "3")
    assert "stored on their side, and were turned upright" in split.notes[0]
    assert "no label is 0: the numbers are read as the names of the classes" in split.notes[1]
    assert np.array_equal(load_test(str(tmp_path))[1], labels(9))


def test_of_several_data_sets_in_a_folder_one_must_be_named(tmp_path):
    idx(tmp_path, "emnist-digits-")
    idx(tmp_path, "emnist-letters-", test="test")
    message = error_of(tmp_path)
    assert "several data sets: emnist-digits-train-images-idx3-ubyte, emnist-letters-train" in message
    assert "give the path of the file that is meant" in message
    assert load(Images(str(tmp_path / "emnist-letters-train-images-idx3-ubyte"))).classes == 3


def test_a_file_is_preferred_to_its_compressed_copy(tmp_path):
    idx(tmp_path, end=".gz")
    idx(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"damaged")
    assert load(Images(str(tmp_path))).classes == 3


def test_labels_and_a_test_set_that_are_missing_are_named(tmp_path):
    idx(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(DataError, match=r"has no test set: expected t10k-images-idx3-ubyte or .*\.gz; add it"):
        load_test(str(tmp_path))
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    assert "expected train-labels-idx1-ubyte or train-labels-idx1-ubyte.gz; add it" in error_of(tmp_path)


@pytest.mark.parametrize(("kind", "dtype"), [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_all_types_of_the_format_are_read(tmp_path, kind, dtype):
    array = np.arange(12, dtype=dtype).reshape(3, 4)
    (tmp_path / "a").write_bytes(struct.pack(">HBBII", 0, kind, 2, 3, 4) + array.tobytes())
    assert np.array_equal(read_idx(tmp_path / "a"), array)


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected an IDX file; received something else"),
        (b"some text that is no image", "expected an IDX file; received something else"),
        (struct.pack(">HBBIII", 0, 8, 3, 30, 8, 6) + bytes(100), "the file is damaged"),
        (struct.pack(">HBBII", 0, 8, 3, 30, 8), "the file is damaged"),
        (struct.pack(">HBBIII", 0, 99, 3, 1, 1, 1) + bytes(1), "the file is damaged"),
        (struct.pack(">HBBIII", 0, 8, 3, 10**4, 10**4, 10**4), "does not fit in memory (931.3 GiB needed"),
        (struct.pack(">HBBIII", 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "does not fit in memory"),
    ],
)
def test_a_damaged_file_is_an_error_and_fills_no_memory(tmp_path, content, said, end):
    idx(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").unlink()
    file = tmp_path / f"train-images-idx3-ubyte{end}"
    file.write_bytes(gzip.compress(content) if end else content)
    message = error_of(tmp_path)
    assert message.startswith(f"{file}: ")
    assert said in message


def test_what_is_no_gzip_file_is_damaged(tmp_path):
    idx(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / "train-images-idx3-ubyte.gz")
    assert "ubyte.gz: the file is damaged" in error_of(tmp_path)


def test_labels_of_another_data_set_are_noticed(tmp_path):
    idx(tmp_path)
    idx_file(tmp_path / "train-labels-idx1-ubyte", labels(29))
    assert "30 images in x_train and 29 labels" in error_of(tmp_path)


def test_svhn_is_read_with_10_as_the_digit_0(tmp_path):
    pytest.importorskip("scipy")
    svhn(tmp_path)
    (tmp_path / "extra_32x32.mat").touch()
    for name in (tmp_path, tmp_path / "train_32x32.mat"):
        split = load(Images(str(name), validation=10))
        x, y = everything(split)
        assert x.shape == (40, 8, 8, 3)
        first = next(place for place, image in enumerate(x) if np.array_equal(image, pixels(40, (8, 8, 3))[9]))
        assert y[first] == 0  # the tenth label is 10
        assert split.notes == (f"{tmp_path}/extra_32x32.mat: not used",)
        assert np.array_equal(load_test(str(name))[1], (labels(20, 10) + 1) % 10)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n",
            "received format 7.3; save it with",
        ),
        (b"MATLAB 5.0 MAT-file".ljust(300, b"\x07"), "not a complete file in MATLAB's format 5"),
        (b"MATLAB 5.0 MAT-file".ljust(126) + b"IM" + struct.pack("<II", 14, 2**31), "promises more than it holds"),
        (b"", "not a complete file in MATLAB's format 5"),
    ],
)
def test_other_files_of_matlab_are_refused(tmp_path, content, said):
    (tmp_path / "train_32x32.mat").write_bytes(content)
    assert said in error_of(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"y": np.arange(20)[:, None]}, "y: expected labels from 1 to 10, where 10 means the digit 0"),
        ({"X": "text"}, "expected the arrays X and y of numbers; X is missing"),
        ({"X": {"a": 1}}, "expected the arrays X and y of numbers; X is missing"),
        ({"y": None}, "expected the arrays X and y of numbers; y is missing"),
    ],
)
def test_other_contents_are_named(tmp_path, changes, said):
    savemat = pytest.importorskip("scipy.io").savemat
    arrays = {"X": pixels(20, (8, 8, 3)).transpose(1, 2, 3, 0), "y": labels(20, 10)[:, None] + 1} | changes
    savemat(tmp_path / "train_32x32.mat", {key: array for key, array in arrays.items() if array is not None})
    assert said in error_of(tmp_path)


def test_a_test_set_of_svhn_that_is_missing_is_named(tmp_path):
    pytest.importorskip("scipy")
    svhn(tmp_path)
    (tmp_path / "test_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"has no test set: expected test_32x32\.mat; add it"):
        load_test(str(tmp_path))


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8", ">i4", ">f8"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (50, 3, 2, 7)])
def test_numbers_of_a_file_of_matlab_are_those_that_scipy_wrote(tmp_path, dtype, compressed, shape):
    savemat = pytest.importorskip("scipy.io").savemat
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    others = {"a": np.eye(400), "text": "not read", "a_long_name_that_is_not_short": 1}
    savemat(tmp_path / "a.mat", {**others, "X": array, "y": array.T}, do_compression=compressed)
    found = read_mat(tmp_path / "a.mat", ("X", "y"))
    assert np.array_equal(found["X"], array)
    assert np.array_equal(found["y"], array.T)
    with pytest.raises(MemoryError, match="an array has"):
        read_mat(tmp_path / "a.mat", ("X", "y"), most=8)
