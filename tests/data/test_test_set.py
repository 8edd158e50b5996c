import numpy as np
import pytest
from files import damage, images, write

from lenet_search.data import load, load_test
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


def test_the_search_does_not_read_the_test_images(tmp_path):
    path = write(tmp_path)
    for key in ("x_test", "y_test"):
        damage(path, key)
    assert load(Images(name=str(path))).classes == 3
    with pytest.raises(DataError, match="the file is damaged"):
        load_test(str(path))


def test_the_test_set_may_be_missing_until_it_is_asked_for(tmp_path):
    path = write(tmp_path, x_test=None, y_test=None)
    assert load(Images(name=str(path))).classes == 3
    with pytest.raises(DataError, match=r"has no test set: .* received x_train, y_train; add x_test, y_test"):
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
    with pytest.raises(DataError, match=r"y_test: expected the labels of y_train, 0 to 2; received \[3\]"):
        load_test(str(path))


def test_a_test_set_need_not_show_every_class(tmp_path):
    assert len(load_test(str(write(tmp_path, y_test=np.zeros(12, int))))[2]) == 3
