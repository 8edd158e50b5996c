import stat

import numpy as np
import pytest
from files import images
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lenet_search.data import load, load_test
from lenet_search.data.arrays import store
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images

X, Y, X_TEST, Y_TEST = images(30), np.arange(30) % 3, images(12), np.arange(12) % 3
NAMED = {"x_train": X, "y_train": Y, "x_test": X_TEST, "y_test": Y_TEST}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "lenet-search" / "arrays"


@pytest.mark.parametrize(
    "given",
    [
        (X, Y, X_TEST, Y_TEST),
        [X, Y, X_TEST, Y_TEST],
        ((X, Y), (X_TEST, Y_TEST)),
        NAMED,
        dict(reversed(NAMED.items())),
        (X[..., None], Y[:, None], X_TEST, Y_TEST.astype(np.uint8)),
        (np.asfortranarray(X), Y.astype(">i8"), X_TEST[::-1][::-1], Y_TEST),
    ],
    ids=["four", "a list", "as Keras gives them", "by name", "any order", "other shapes and types", "other layouts"],
)
def test_the_same_arrays_give_the_same_file_however_they_are_given(given, cache):
    path = store(given)
    assert path.parent == cache
    assert path == store(NAMED)
    assert [each.name for each in cache.iterdir()] == [path.name]
    x_test, y_test, _ = load_test(str(path))
    assert np.array_equal(x_test, X_TEST[..., None])
    assert np.array_equal(y_test, Y_TEST)


def test_they_are_the_same_data_set_as_a_file_of_them(tmp_path):
    np.savez(tmp_path / "own.npz", **NAMED)
    mine, file = load(Images(name=str(store(NAMED)))), load(Images(name=str(tmp_path / "own.npz")))
    assert mine.digest == file.digest
    assert np.array_equal(mine.x_train, file.x_train)


def test_a_file_of_arrays_that_was_opened_may_be_given_itself(tmp_path):
    np.savez(tmp_path / "own.npz", **NAMED)
    with np.load(tmp_path / "own.npz") as file:
        assert store(file) == store(NAMED)


@pytest.mark.parametrize("given", [(X, Y), {"y_train": Y, "x_train": X}])
def test_without_a_test_set_a_search_has_all_that_it_needs_and_an_evaluation_says_what_is_missing(given):
    path = store(given)
    assert path != store(NAMED)
    assert load(Images(name=str(path))).x_train.shape == (27, 8, 8, 1)
    with pytest.raises(DataError, match=r"the data set has no test set: .*add x_test, y_test"):
        load_test(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 3), index=st.integers(0, 11), drawn=st.data())
def test_another_pixel_or_label_gives_another_file(place, index, drawn):
    changed = [array.copy() for array in NAMED.values()]
    if place % 2 == 0:
        changed[place][index, drawn.draw(st.integers(0, 7)), drawn.draw(st.integers(0, 7))] ^= 1
    else:
        changed[place][index] = (changed[place][index] + 1) % 3
    assert store(tuple(changed)) != store(NAMED)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5)) | st.tuples(st.integers(1, 5), st.just(4), st.just(3)),
    classes=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_what_is_stored_is_what_was_given(shape, classes, seed):
    rng = np.random.default_rng(seed)
    given = rng.integers(0, 256, (20, *shape), dtype=np.uint8), rng.permutation(np.arange(20) % classes)
    with np.load(store(given)) as file:
        assert np.array_equal(file["x_train"].reshape(given[0].shape), given[0])
        assert np.array_equal(file["y_train"], given[1])


def test_what_a_file_may_hold_may_be_given_and_is_read_and_said_in_the_same_way():
    given = {
        "x_train": X / 255,
        "y_train": np.array(["cat", "dog", "owl"])[Y],
        "x_val": X_TEST,
        "y_val": np.array(["cat", "dog", "owl"])[Y_TEST],
        "class_names": ["owl", "dog", "cat"],
    }
    path = store(given)
    split = load(Images(name=str(path)))
    assert split.class_names == ("owl", "dog", "cat")
    assert np.array_equal(split.x_train[..., 0], X)
    assert np.array_equal(split.y_train, 2 - Y)
    assert np.array_equal(split.y_val, 2 - Y_TEST)
    assert "float64 from 0 to 1, read as 0 to 1" in split.notes[0]
    assert store({**given, "class_names": np.array(given["class_names"])}) == path
    assert store({**given, "class_names": ["cat", "dog", "owl"]}) != path


def test_a_file_that_is_there_is_not_written_again_but_half_a_file_is():
    path = store(NAMED)
    before = path.stat()
    assert store(NAMED).stat().st_mtime_ns == before.st_mtime_ns
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    store(NAMED)
    assert len(path.read_bytes()) == len(whole)
    assert load(Images(name=str(path))).classes == 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x_train": X - 0.5}, r"x_train: expected uint8 images .* from -0.5 to 254.5: convert it with numpy\.interp"),
        ({"x_test": X_TEST / 127.5 - 1}, r"x_test: expected uint8 images .* from -1 to 1: convert it with \(\(x \+ 1"),
        ({"x_train": X.tolist()}, r"x_train: expected a NumPy array; received list; convert it with numpy\.asarray"),
        ({"y_train": Y.tolist()}, "y_train: expected a NumPy array; received list"),
        ({"y_train": np.eye(3)[Y] / 2}, r"y_train: expected whole numbers .* y\.argmax\(axis=1\)"),
        ({"y_train": Y + 1}, "y_train: expected labels from 0 up"),
        ({"y_train": Y[:-1]}, "expected one label per image; received 30 images in x_train and 29 labels in y_train"),
        ({"y_test": Y_TEST[:-1]}, "expected one label per image; received 12 images in x_test and 11 labels in y_test"),
        ({"y_test": Y_TEST + 1}, r"y_test: expected the labels of y_train, 0 to 2; received \[3\]"),
        ({"x_val": X}, r"expected \(x_train, y_train\), .*; received x_train, y_train, x_val, x_test, y_test"),
        ({"x_valid": X}, r"expected \(x_train, y_train\), .*; received x_train, y_train, x_test, y_test, x_valid"),
        (
            {"class_names": ["a", "b"]},
            r"class_names: expected one name for each of the 3 classes of y_train; received 2",
        ),
    ],
)
def test_an_array_that_does_not_fit_is_named_and_nothing_is_written(changes, expected, cache):
    with pytest.raises(DataError, match=f"^arrays: {expected}"):
        store(NAMED | changes)
    assert not cache.exists()


@pytest.mark.parametrize(
    ("given", "received"),
    [
        (X, "a ndarray"),
        ("mnist", "a str"),
        ((X, Y, X_TEST), "a tuple of 3"),
        ((), "a tuple of 0"),
        ({}, "none"),
        ({"x_train": X}, "x_train"),
        ({"x_train": X, "y_train": Y, "y_test": Y_TEST}, "x_train, y_train, y_test"),
        ({"x_test": X, "y_test": Y}, "x_test, y_test"),
    ],
)
def test_what_is_no_data_set_gets_the_forms_that_are(given, received):
    with pytest.raises(DataError, match=r"or a mapping with these names, .*; received ") as caught:
        store(given)
    assert str(caught.value).endswith(f"received {received}")


def test_a_cache_that_cannot_be_written_to_is_a_plain_error(cache):
    cache.parent.mkdir()
    cache.write_text("a file in the way")
    with pytest.raises(DataError, match=r"cannot be written to the cache: .*XDG_CACHE_HOME"):
        store(NAMED)


def test_nobody_else_can_read_the_cache():
    assert stat.S_IMODE(store(NAMED).parents[1].stat().st_mode) == 0o700
