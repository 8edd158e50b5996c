import gzip
import json
import shutil
import urllib.error
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lenet_search import data as data_module
from lenet_search.data import load, load_test
from lenet_search.errors import DataError
from lenet_search.recipe.data import Data


def images(n, shape=(8, 8)):
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def write(folder: Path, name: str = "own", **changes) -> Path:
    """A data set of 30 + 12 images and three classes, with `changes`; an array given as None is left out."""
    arrays = {
        "x_train": images(30),
        "y_train": np.arange(30) % 3,
        "x_test": images(12),
        "y_test": np.arange(12) % 3,
    }
    path = folder / f"{name}.npz"
    np.savez(path, **{key: array for key, array in (arrays | changes).items() if array is not None})
    return path


def error_of(path: Path, **values) -> str:
    with pytest.raises(DataError) as caught:
        load(Data(name=str(path), **values))
    return str(caught.value)


# --- where a data set is found -------------------------------------------------------------------------------------


def test_the_digits_come_with_the_package():
    split = load(Data(name="digits", validation=0.1))
    assert split.x_train.shape == (1293, 32, 32, 1)
    assert split.x_val.shape == (144, 32, 32, 1)
    x_test, y_test, class_names = load_test("digits")
    assert x_test.shape == (360, 32, 32, 1)
    assert np.bincount(y_test).min() >= 34  # of 1797 / 10 a fifth: 36 of each, give or take the sizes of the classes
    assert class_names == tuple("0123456789")


def test_the_digits_are_those_of_scikit_learn_enlarged_and_spread_over_all_greys():
    with np.load(data_module.DIGITS, allow_pickle=False) as file:
        original = file["images"]
    assert original.shape == (1797, 8, 8)
    assert original.max() == 16
    split, (x_test, _, _) = load(Data(name="digits")), load_test("digits")
    everything = np.concatenate([split.x_train, split.x_val, x_test])[..., 0]
    assert everything.max() == 255
    small = np.rint(everything[:, ::4, ::4] * (16 / 255)).astype(np.uint8)
    assert np.array_equal(everything, everything[:, ::4, ::4].repeat(4, axis=1).repeat(4, axis=2))
    assert sorted(map(bytes, small)) == sorted(map(bytes, original))  # each digit is in exactly one part


def test_a_file_is_found_by_its_path(tmp_path):
    assert load(Data(name=str(write(tmp_path)))).x_train.shape == (27, 8, 8, 1)


def test_a_relative_path_is_looked_for_in_the_working_folder_and_then_in_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "data").mkdir()
    write(tmp_path / "data", x_train=images(30, (9, 9)))
    assert load(Data(name="own.npz"), tmp_path / "data").x_train.shape[1:3] == (9, 9)
    write(tmp_path / "here", x_train=images(30, (7, 7)))
    assert load(Data(name="own.npz"), tmp_path / "data").x_train.shape[1:3] == (7, 7)


def test_a_name_is_found_in_the_folder_that_is_given(tmp_path):
    write(tmp_path)
    assert load(Data(name="own"), tmp_path).name == "own"
    assert load_test("own", tmp_path)[0].shape == (12, 8, 8, 1)


def test_the_environment_names_the_folder_where_none_is_given(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setenv("LENET_SEARCH_DATA", str(tmp_path))
    assert load(Data(name="own")).classes == 3
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="no data set is called 'own'"):
        load(Data(name="own"), tmp_path / "other")


@pytest.mark.parametrize("name", ["cifar10", "digits"])
def test_the_folder_is_looked_at_before_anything_else(tmp_path, name):
    write(tmp_path, name)
    assert load(Data(name=name), tmp_path).x_train.shape == (27, 8, 8, 1)


def test_a_name_that_is_nowhere_gets_the_names_that_are_there_and_the_places_that_were_looked_at(tmp_path):
    with pytest.raises(DataError, match=r"no data set is called 'cifar11' .*cifar11\.npz.*digits, cifar10, .*--data"):
        load(Data(name="cifar11"), tmp_path)
    with pytest.raises(DataError, match="no folder was given"):
        load(Data(name="cifar11"))


def test_a_data_folder_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: expected a folder with cifar10\.npz \(--data or LENET_SEARCH_DATA"):
        load(Data(name="cifar10"), tmp_path / "nowhere")


# --- downloads, through Keras's own code; only its fetch of a URL is replaced ---------------------------------------


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
    split = load(Data(name="fashion_mnist", validation=10))
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
        load(Data(name=name), tmp_path / "folder")
    message = str(caught.value)
    assert "no route to host" in message
    assert f"put {name}.npz" in message
    assert "--data FOLDER" in message
    assert f"there is no {tmp_path / 'folder' / name}.npz" in message


def test_a_download_with_another_hash_is_refused(keras_fetch, tmp_path):
    keras_fetch.files["mnist.npz"] = write(tmp_path).read_bytes()
    with pytest.raises(DataError, match=r"mnist: the download .* hash does not match"):
        load(Data(name="mnist"))


# --- what a file must hold -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3), (20, 12, 3), (40, 40)])
def test_any_size_and_one_or_three_channels_are_taken_as_they_are(tmp_path, shape):
    split = load(Data(name=str(write(tmp_path, x_train=images(30, shape)))))
    assert split.x_train.shape[1:] == (*shape[:2], shape[2] if len(shape) == 3 else 1)
    assert split.pad == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64])
@pytest.mark.parametrize("shape", [(30,), (30, 1)])
def test_labels_may_be_any_whole_numbers_in_a_row_or_a_column(tmp_path, dtype, shape):
    labels = (np.arange(30) % 3).astype(dtype).reshape(shape)
    split = load(Data(name=str(write(tmp_path, y_train=labels))))
    assert split.y_train.dtype == np.int32
    assert split.y_train.shape == (27,)


@pytest.mark.parametrize(
    ("changes", "expected", "what_to_do"),
    [
        ({"x_train": images(30) / 255}, "received float64 of shape (30, 8, 8)", "(x * 255).round().astype('uint8')"),
        ({"x_train": images(30).astype(int)}, "expected uint8 images", "x.astype('uint8')"),
        ({"x_train": images(30, (3, 8, 8))}, "shape (30, 3, 8, 8)", "numpy.moveaxis(x, 1, 3)"),
        ({"x_train": images(30, (8, 8, 4))}, "shape (30, 8, 8, 4)", "height, width, 1 or 3"),
        ({"x_train": images(30, (64,))}, "received uint8 of shape (30, 64)", "(n, height, width)"),
        ({"x_train": images(30, (0, 8))}, "expected images; received none", "(30, 0, 8)"),
        ({"x_train": images(0), "y_train": np.zeros(0, int)}, "expected images; received none", "(0, 8, 8)"),
        ({"y_train": np.arange(30) % 3 / 1}, "y_train: expected whole numbers", "received float64"),
        ({"y_train": np.eye(3, dtype=int)[np.arange(30) % 3]}, "shape (30, 3)", "y.argmax(axis=1)"),
        ({"y_train": np.array(["cat", "dog", "owl"] * 10)}, "expected whole numbers", "received <U3"),
        ({"y_train": np.arange(29) % 3}, "30 images in x_train and 29 labels", "one label per image"),
        ({"y_train": np.arange(30) % 3 - 1}, "received -1, 0, 1", "numpy.unique(y, return_inverse=True)[1]"),
        ({"y_train": np.arange(30) % 3 * 2}, "received 0, 2, 4", "none left out"),
        ({"y_train": np.arange(30) % 3 + 1}, "received 1, 2, 3", "labels from 0"),
        ({"y_train": np.zeros(30, int)}, "received 0", "two classes or more"),
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
    assert f"{path}: expected an .npz file; received something else, or only the beginning of one" in error_of(path)


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


# --- the test set --------------------------------------------------------------------------------------------------


def damage(path: Path, key: str) -> None:
    """Changes one byte of one array, which the .npz's checksum of that array shows to whoever reads it."""
    with np.load(path) as file:
        pixels = file[key].tobytes()
    content = bytearray(path.read_bytes())
    content[content.rindex(pixels) + 5] ^= 1  # the last place: the test arrays begin like the training arrays
    path.write_bytes(content)


def test_the_search_does_not_read_the_test_images(tmp_path):
    path = write(tmp_path)
    for key in ("x_test", "y_test"):
        damage(path, key)
    assert load(Data(name=str(path))).classes == 3
    with pytest.raises(DataError, match="the file is damaged"):
        load_test(str(path))


def test_the_test_set_may_be_missing_until_it_is_asked_for(tmp_path):
    path = write(tmp_path, x_test=None, y_test=None)
    assert load(Data(name=str(path))).classes == 3
    with pytest.raises(DataError, match="add x_test, y_test"):
        load_test(str(path))


def test_the_test_images_come_without_padding_and_in_their_order(tmp_path):
    x, y = images(12, (28, 28)), np.arange(12)[:, None] % 3
    path = write(tmp_path, x_test=x, y_test=y)
    x_test, y_test, class_names = load_test(str(path))
    assert np.array_equal(x_test, x[..., None])
    assert np.array_equal(y_test, y[:, 0])
    assert y_test.dtype == np.int32
    assert class_names == ("0", "1", "2")


def test_a_test_label_that_training_never_showed_is_an_error(tmp_path):
    path = write(tmp_path, y_test=np.arange(12) % 4)
    with pytest.raises(DataError, match=r"y_test: expected labels that y_train has, 0 to 2; received \[3\]"):
        load_test(str(path))


def test_a_test_set_need_not_show_every_class(tmp_path):
    assert len(load_test(str(write(tmp_path, y_test=np.zeros(12, int))))[2]) == 3


# --- the split -----------------------------------------------------------------------------------------------------


def test_the_two_parts_hold_every_image_once_with_its_label(tmp_path):
    x = np.arange(30 * 4, dtype=np.uint8).reshape(30, 2, 2)
    split = load(Data(name=str(write(tmp_path, x_train=x)), validation=9))
    both = np.concatenate([split.x_train, split.x_val])[..., 0]
    labels = np.concatenate([split.y_train, split.y_val])
    which = both[:, 0, 0] // 4
    assert sorted(which) == list(range(30))
    assert np.array_equal(both, x[which])
    assert np.array_equal(labels, which % 3)


@pytest.mark.parametrize(("validation", "count"), [(9, 9), (0.3, 9), (0.1, 3), (27, 27), (0.34, 10), (5, 5)])
def test_validation_is_a_count_or_a_share_and_met_exactly(tmp_path, validation, count):
    split = load(Data(name=str(write(tmp_path)), validation=validation))
    assert len(split.x_val) == count
    assert len(split.x_train) == 30 - count


@given(
    sizes=st.lists(st.integers(2, 60), min_size=2, max_size=12),
    share=st.floats(0, 1),
)
def test_every_class_gives_its_share_to_within_one_image_and_keeps_some(sizes, share):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    n, classes = len(labels), len(sizes)
    count = classes + round(share * (n - 2 * classes))
    drawn = data_module._stratified(labels, classes, count, 1, "here")
    assert len(set(drawn)) == len(drawn) == count
    taken = np.bincount(labels[drawn], minlength=classes)
    assert (taken >= 1).all()
    assert (taken < sizes).all()
    quotas = np.array(sizes) * count / n
    if (quotas >= 1).all() and (quotas <= np.array(sizes) - 1).all():  # where neither end of a class was in the way
        assert (np.abs(taken - quotas) < 1).all()


def test_remainders_go_to_the_largest_first():
    labels = np.repeat([0, 1, 2], [50, 33, 17])  # shares of 10: 5.0, 3.3, 1.7
    drawn = data_module._stratified(labels, 3, 10, 1, "here")
    assert np.bincount(labels[drawn]).tolist() == [5, 3, 2]


@pytest.mark.parametrize(
    ("validation", "received"), [(2, "received 2"), (28, "received 28"), (0.01, "received 0"), (0.99, "received 30")]
)
def test_a_split_that_leaves_a_class_out_is_an_error(tmp_path, validation, received):
    path = write(tmp_path)
    message = error_of(path, validation=validation)
    assert message.startswith(f"{path}: data.validation: expected from 3 to 27 of 30 images")
    assert f"{received}; give another data.validation" in message


def test_the_split_is_the_same_every_time_and_a_mixture(tmp_path):
    path = str(write(tmp_path))
    one, other = load(Data(name=path)), load(Data(name=path))
    assert np.array_equal(one.x_val, other.x_val)
    assert one.digest == other.digest
    digits = load(Data(name="digits", validation=400))
    with np.load(data_module.DIGITS, allow_pickle=False) as file:
        order = {bytes(image): i for i, image in enumerate(file["images"])}
    small = np.rint(digits.x_val[:, ::4, ::4, 0] * (16 / 255)).astype(np.uint8)
    positions = np.array([order[bytes(image)] for image in small])
    # 400 draws without replacement from 0..1796: mean 898, standard error 1797 / sqrt(12 * 400) * sqrt(1 - 400 / 1797)
    assert abs(positions.mean() - 898) < 4 * 1797 / np.sqrt(12 * 400) * np.sqrt(1 - 400 / 1797)


def test_the_limit_takes_the_first_images_before_the_split(tmp_path):
    x = np.arange(30, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    path = str(write(tmp_path, x_train=x))
    split = load(Data(name=path, limit=12, validation=3))
    assert sorted(np.concatenate([split.x_train, split.x_val])[:, 0, 0, 0]) == list(range(12))
    assert np.bincount(split.y_val).tolist() == [1, 1, 1]
    whole = load(Data(name=path))
    assert load(Data(name=path, limit=1000)).digest == whole.digest
    assert split.digest != whole.digest


def test_a_limit_that_cuts_a_class_off_says_so(tmp_path):
    message = error_of(write(tmp_path, y_train=np.sort(np.arange(30) % 3)), limit=20)
    assert "received 0 of class 2 in 20 images" in message
    assert "sorted by class" in message


def test_the_digest_follows_images_labels_and_split(tmp_path):
    def digest(**changes):
        validation = changes.pop("validation", 6)
        return load(Data(name=str(write(tmp_path, **changes)), validation=validation)).digest

    pixel = images(30)
    pixel[7, 3, 3] ^= 1
    label = np.arange(30) % 3
    label[[0, 1]] = label[[1, 0]]
    found = [digest(), digest(x_train=pixel), digest(y_train=label), digest(validation=7), digest()]
    assert len(set(found[:4])) == 4
    assert found[4] == found[0]
    assert digest(x_train=images(30).reshape(30, 4, 16)) != found[0]
    assert len(found[0]) == 16
    assert int(found[0], 16) >= 0


def test_a_digest_written_down_stays_the_same():
    """A change here makes stored studies belong to other images: it is a change of the data, to be announced."""
    assert load(Data(name="digits", validation=0.1)).digest == "93972fc275b517d7"


# --- what a split holds --------------------------------------------------------------------------------------------


def test_images_of_28_pixels_get_a_black_border_of_two(tmp_path):
    split = load(Data(name=str(write(tmp_path, x_train=images(30, (28, 28))))))
    assert split.pad == 2
    assert split.x_train.shape[1:] == split.x_val.shape[1:] == (32, 32, 1)
    for part in (split.x_train, split.x_val):
        assert part[:, 2:-2, 2:-2].any()
        assert part.sum(dtype=int) == part[:, 2:-2, 2:-2].sum(dtype=int)


@pytest.mark.parametrize("shape", [(28, 28), (9, 11, 3)])
def test_mean_and_deviation_are_those_of_the_training_part_channel_by_channel(tmp_path, shape):
    x = images(1200, shape)
    x[..., 0] //= 2
    split = load(Data(name=str(write(tmp_path, x_train=x, y_train=np.arange(1200) % 3))))
    pixels = split.x_train / 255
    np.testing.assert_allclose(split.mean, pixels.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(split.std, pixels.std(axis=(0, 1, 2)), rtol=1e-9)


def test_a_channel_that_never_changes_has_no_deviation(tmp_path):
    split = load(Data(name=str(write(tmp_path, x_train=np.full((30, 8, 8), 77, np.uint8)))))
    assert split.std.tolist() == [0.0]


def test_the_classes_of_a_known_set_have_names_and_others_numbers(tmp_path):
    ten = {"x_train": images(30), "y_train": np.arange(30) % 10}
    write(tmp_path, "cifar10", **ten)
    write(tmp_path, "own", **ten)
    split = load(Data(name="cifar10", validation=10), tmp_path)
    assert (split.class_names[0], split.class_names[9]) == ("airplane", "truck")
    assert load(Data(name="own", validation=10), tmp_path).class_names == tuple("0123456789")
    write(tmp_path, "cifar10")  # three classes under a name that has ten
    assert load(Data(name="cifar10"), tmp_path).class_names == ("0", "1", "2")


def test_all_hundred_classes_of_cifar100_have_a_name_of_their_own():
    assert len(set(data_module.class_names("cifar100", 100))) == 100
    assert data_module.class_names("cifar100", 100)[0] == "apple"


def test_a_description_can_be_written_as_json_and_read_back(tiny_npz):
    split = load(Data(name=str(tiny_npz), validation=30))
    described = split.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["image_shape"] == [32, 32, 1]
    assert (described["train"], described["validation"]) == (210, 30)
    assert described["class_names"] == ["0", "1", "2"]
    assert described["mean"] == split.mean.tolist()


def test_a_file_that_promises_more_images_than_memory_holds_is_a_plain_error(tmp_path):
    header = np.lib.format.magic(1, 0)
    shape = b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999, 32, 32), }".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as file:
        for key in ("x_train", "y_train"):
            file.writestr(f"{key}.npy", header + len(shape).to_bytes(2, "little") + shape)
    assert "does not fit into the memory" in error_of(tmp_path / "own.npz")
