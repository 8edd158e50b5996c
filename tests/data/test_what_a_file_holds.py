import shutil

import numpy as np
import pytest
from files import damage, error_of, images, write

from lenet_search.data import load, load_test
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3), (20, 12, 3), (40, 40)])
def test_any_size_and_one_or_three_channels_are_taken_as_they_are(tmp_path, shape):
    split = load(Images(name=str(write(tmp_path, x_train=images(30, shape)))))
    assert split.x_train.shape[1:] == (*shape[:2], shape[2] if len(shape) == 3 else 1)
    assert split.pad == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64])
@pytest.mark.parametrize("shape", [(30,), (30, 1)])
def test_labels_may_be_any_whole_numbers_in_a_row_or_a_column(tmp_path, dtype, shape):
    labels = (np.arange(30) % 3).astype(dtype).reshape(shape)
    split = load(Images(name=str(write(tmp_path, y_train=labels))))
    assert split.y_train.dtype == np.int32
    assert split.y_train.shape == (27,)


@pytest.mark.parametrize(
    ("changes", "expected", "what_to_do"),
    [
        (
            {"x_train": images(30) / 127.5 - 1},
            "float64 of shape (30, 8, 8)",
            "((x + 1) * 127.5).round().astype('uint8')",
        ),
        ({"x_train": images(30, (3, 8, 8))}, "shape (30, 3, 8, 8)", "numpy.moveaxis(x, 1, 3)"),
        ({"x_train": images(30, (8, 8, 4))}, "shape (30, 8, 8, 4)", "height, width, 1 or 3"),
        ({"x_train": images(30, (8, 8, 4))}, "shape (30, 8, 8, 4)", "drop the alpha channel with x[..., :3]"),
        (
            {"x_train": np.full((30, 8, 8), np.nan)},
            "1920 of its 1920 values are NaN",
            "correct them before",
        ),
        ({"x_train": images(30) + 1000 * np.eye(8)}, "values are from 0 to 12", "numpy.interp(x, (0.0, 12"),
        ({"x_train": np.full((30, 8, 8), 300)}, "every value is 300", "expected pixels from 0 to 255"),
        ({"x_train": images(30, (3, 8, 8)) - 1.0}, "values are from -1 to 254: convert", "numpy.moveaxis(x, 1, 3)"),
        ({"x_train": images(30) * 1j}, "expected uint8 images", "received complex128 of shape (30, 8, 8)"),
        ({"x_train": images(30, (64,))}, "received uint8 of shape (30, 64)", "(n, height, width)"),
        ({"x_train": images(30, (0, 8))}, "expected images; received none", "(30, 0, 8)"),
        ({"x_train": images(0), "y_train": np.zeros(0, int)}, "expected images; received none", "(0, 8, 8)"),
        ({"y_train": np.arange(30) % 3 / 1}, "y_train: expected whole numbers", "received float64"),
        ({"y_train": np.eye(3)[np.arange(30) % 3] / 2}, "shape (30, 3)", "y.argmax(axis=1)"),
        ({"y_train": np.full(30, "cat")}, "at least two classes", "received cat"),
        ({"y_test": np.array([object()] * 12), "y_train": None}, "add y_train", "expected the arrays x_train"),
        ({"y_train": np.arange(29) % 3}, "30 images in x_train and 29 labels", "one label per image"),
        ({"y_train": np.arange(30) % 3 - 1}, "received -1, 0, 1", "numpy.unique(y, return_inverse=True)[1]"),
        ({"y_train": np.arange(30) % 3 * 2}, "received 0, 2, 4", "without gaps"),
        ({"y_train": np.arange(30) % 3 + 1}, "received 1, 2, 3", "labels from 0"),
        ({"y_train": np.zeros(30, int)}, "received 0", "at least two classes"),
        ({"y_train": np.arange(30) % 3 + (1 << 32)}, "received 4294967296, ", "labels from 0"),
        ({"y_train": None}, "received x_train, x_test, y_test", "add y_train"),
        ({"x_train": None, "y_train": None}, "expected the arrays x_train, y_train", "add x_train, y_train"),
        ({"y_train": np.array([object()] * 30)}, "received Python objects", "array.astype('uint8')"),
    ],
)
def test_an_array_that_does_not_fit_is_named_with_what_to_do(tmp_path, changes, expected, what_to_do):
    path = write(tmp_path, **changes)
    message = error_of(path)
    assert message.startswith(f"{path}: ")
    assert expected in message
    assert what_to_do in message


@pytest.mark.parametrize("kept", [0, 10, 3000, -1])
def test_a_file_that_was_cut_short_is_said_to_be_so(tmp_path, kept):
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    assert f"{path}: expected an .npz file; the file is something else or incomplete" in error_of(path)


def test_a_file_with_a_wrong_byte_in_it_is_said_to_be_damaged(tmp_path):
    path = write(tmp_path)
    damage(path, "x_train")
    assert f"{path}: the file is damaged" in error_of(path)


def test_a_single_array_and_a_folder_are_no_npz_files(tmp_path):
    np.save(tmp_path / "array.npy", images(3))
    shutil.move(tmp_path / "array.npy", tmp_path / "array.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("array.npz", "folder.npz"):
        assert "expected an .npz file" in error_of(tmp_path / name)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x_val": images(6)}, "expected x_val and y_val, or neither; add y_val, or remove the other"),
        ({"x_val": images(6), "y_val": np.arange(5)}, "y_val: expected the labels of y_train, 0 to 2; received [3, 4]"),
        ({"x_val": images(6), "y_val": np.arange(5) % 3}, "received 6 images in x_val and 5 labels in y_val"),
        ({"x_val": images(6), "y_val": np.arange(6) % 2}, "y_val: expected images of each class; received none of 2"),
        ({"x_val": images(6, (9, 8)), "y_val": np.arange(6) % 3}, "like those of x_train, 8x8x1; received 9x8x1"),
        ({"class_names": np.arange(3)}, "class_names: expected different names, as an array of text; received int64"),
        ({"class_names": np.array(["a", "a", "b"])}, "class_names: expected different names"),
        ({"class_names": np.array(["a", "b"])}, "expected one name for each of the 3 classes of y_train; received 2"),
        (
            {"y_train": np.array(["cat", "dog", "fox"] * 10), "class_names": np.array(["cat", "dog", "owl"])},
            "y_train: expected the names of class_names, cat, dog, owl; received fox; use the same labels",
        ),
    ],
)
def test_validation_images_and_names_that_do_not_fit_are_named(tmp_path, changes, expected):
    assert expected in error_of(write(tmp_path, **changes))


def test_arrays_that_are_not_used_are_named(tmp_path):
    path = write(tmp_path, X_val=images(3), weights=np.zeros(3))
    (note,) = load(Images(name=str(path))).notes
    assert note.startswith(f"{path}: not used: X_val, weights; known are x_train, y_train, x_val, ")


def test_text_is_numbered_in_the_order_of_numbers_and_it_is_said(tmp_path):
    path = write(tmp_path, y_train=np.array(["10", "2", "1"] * 10)[:, None])
    split = load(Images(name=str(path)))
    assert split.class_names == ("1", "2", "10")
    assert split.notes == (f"{path}: y_train: text, numbered in the order 1, 2, 10",)


@pytest.mark.parametrize("labels", [np.array(["cat", "fox"] * 6), np.array([b"cat", b"fox"] * 6)])
def test_a_text_of_the_test_set_that_training_never_showed_is_an_error(tmp_path, labels):
    path = write(tmp_path, y_train=np.array(["cat", "dog", "owl"] * 10), y_test=labels)
    with pytest.raises(DataError, match="y_test: expected the labels of y_train, cat, dog, owl; received fox"):
        load_test(str(path))


@pytest.mark.parametrize("where", ["y_train", "class_names"])
def test_names_of_classes_with_control_characters_are_refused_without_printing_them(tmp_path, where):
    names = np.array(["a", "b\n\x1b[31m", "c"])
    arrays = {"y_train": names[np.arange(30) % 3]} if where == "y_train" else {"class_names": names}
    with pytest.raises(DataError, match=where) as caught:
        load(Images(name=str(write(tmp_path, **arrays))))
    assert str(caught.value).isprintable()
    assert "x1b" in str(caught.value)
