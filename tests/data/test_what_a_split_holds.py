import json
import zipfile

import numpy as np
import pytest
from files import error_of, images, write

from lenet_search.data import class_names, load
from lenet_search.recipe.data import Images


def test_images_of_28_pixels_get_a_black_border_of_two(tmp_path):
    split = load(Images(name=str(write(tmp_path, x_train=images(30, (28, 28))))))
    assert split.pad == 2
    assert split.x_train.shape[1:] == split.x_val.shape[1:] == (32, 32, 1)
    for part in (split.x_train, split.x_val):
        assert part[:, 2:-2, 2:-2].any()
        assert part.sum(dtype=int) == part[:, 2:-2, 2:-2].sum(dtype=int)


@pytest.mark.parametrize("shape", [(28, 28), (9, 11, 3)])
def test_mean_and_deviation_are_those_of_the_training_part_channel_by_channel(tmp_path, shape):
    x = images(1200, shape)
    x[..., 0] //= 2
    split = load(Images(name=str(write(tmp_path, x_train=x, y_train=np.arange(1200) % 3))))
    pixels = split.x_train / 255
    np.testing.assert_allclose(split.mean, pixels.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(split.std, pixels.std(axis=(0, 1, 2)), rtol=1e-9)


def test_a_channel_that_never_changes_has_no_deviation(tmp_path):
    split = load(Images(name=str(write(tmp_path, x_train=np.full((30, 8, 8), 77, np.uint8)))))
    assert split.std.tolist() == [0.0]


def test_the_classes_of_a_known_set_have_names_and_others_numbers(tmp_path):
    ten = {"x_train": images(30), "y_train": np.arange(30) % 10}
    write(tmp_path, "cifar10", **ten)
    write(tmp_path, "own", **ten)
    split = load(Images(name="cifar10", validation=10), tmp_path)
    assert (split.class_names[0], split.class_names[9]) == ("airplane", "truck")
    assert load(Images(name="own", validation=10), tmp_path).class_names == tuple("0123456789")
    write(tmp_path, "cifar10")  # three classes under a name that has ten
    assert load(Images(name="cifar10"), tmp_path).class_names == ("0", "1", "2")


def test_all_hundred_classes_of_cifar100_have_a_name_of_their_own():
    assert len(set(class_names("cifar100", 100))) == 100
    assert class_names("cifar100", 100)[0] == "apple"


def test_a_description_can_be_written_as_json_and_read_back(tiny_npz):
    split = load(Images(name=str(tiny_npz), validation=30))
    described = split.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["image_shape"] == [32, 32, 1]
    assert (described["train"], described["validation"]) == (210, 30)
    assert described["class_names"] == ["0", "1", "2"]
    assert described["mean"] == split.mean.tolist()


def test_a_file_that_promises_more_images_than_it_holds_is_a_plain_error(tmp_path):
    header = np.lib.format.magic(1, 0)
    shape = b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999, 32, 32), }".ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as file:
        for key in ("x_train", "y_train"):
            file.writestr(f"{key}.npy", header + len(shape).to_bytes(2, "little") + shape)
    assert "x_train promises shape (99999999999999, 32, 32), more than it holds" in error_of(tmp_path / "own.npz")
