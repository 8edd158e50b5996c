from pathlib import Path

import numpy as np
import pytest
from files import images, write

from lenet_search.data import file_of, folder_with, load, load_test
from lenet_search.data.digits import FILE
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


def test_the_digits_come_with_the_package():
    split = load(Images(name="digits", validation=0.1))
    assert split.x_train.shape == (1293, 32, 32, 1)
    assert split.x_val.shape == (144, 32, 32, 1)
    x_test, y_test, class_names = load_test("digits")
    assert x_test.shape == (360, 32, 32, 1)
    assert np.bincount(y_test).min() >= 34  # of 1797 / 10 a fifth: 36 of each, give or take the sizes of the classes
    assert class_names == tuple("0123456789")


def test_the_digits_are_those_of_scikit_learn_enlarged_and_spread_over_all_greys():
    with np.load(FILE, allow_pickle=False) as file:
        original = file["images"]
    assert original.shape == (1797, 8, 8)
    assert original.max() == 16
    split, (x_test, _, _) = load(Images(name="digits")), load_test("digits")
    everything = np.concatenate([split.x_train, split.x_val, x_test])[..., 0]
    assert everything.max() == 255
    small = np.rint(everything[:, ::4, ::4] * (16 / 255)).astype(np.uint8)
    assert np.array_equal(everything, everything[:, ::4, ::4].repeat(4, axis=1).repeat(4, axis=2))
    assert sorted(map(bytes, small)) == sorted(map(bytes, original))  # each digit is in exactly one part


def test_a_file_is_found_by_its_path(tmp_path):
    assert load(Images(name=str(write(tmp_path)))).x_train.shape == (27, 8, 8, 1)


def test_a_relative_path_is_looked_for_in_the_working_folder_and_then_in_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "data").mkdir()
    write(tmp_path / "data", x_train=images(30, (9, 9)))
    assert load(Images(name="own.npz"), tmp_path / "data").x_train.shape[1:3] == (9, 9)
    write(tmp_path / "here", x_train=images(30, (7, 7)))
    assert load(Images(name="own.npz"), tmp_path / "data").x_train.shape[1:3] == (7, 7)


def test_a_name_is_found_in_the_folder_that_is_given(tmp_path):
    write(tmp_path)
    assert load(Images(name="own"), tmp_path).name == "own"
    assert load_test("own", tmp_path)[0].shape == (12, 8, 8, 1)


def test_the_environment_names_the_folder_where_none_is_given(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setenv("LENET_SEARCH_DATA", str(tmp_path))
    assert load(Images(name="own")).classes == 3
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="there is no data set 'own'"):
        load(Images(name="own"), tmp_path / "other")


@pytest.mark.parametrize("name", ["cifar10", "digits"])
def test_the_folder_is_looked_at_before_anything_else(tmp_path, name):
    write(tmp_path, name)
    assert load(Images(name=name), tmp_path).x_train.shape == (27, 8, 8, 1)


def test_a_name_that_is_nowhere_gets_the_names_that_are_there_and_the_places_that_were_looked_at(tmp_path):
    with pytest.raises(DataError, match=r"there is no data set 'cifar11' .*cifar11\.npz.*digits, cifar10, .*--data"):
        load(Images(name="cifar11"), tmp_path)
    with pytest.raises(DataError, match="no folder was given"):
        load(Images(name="cifar11"))


def test_a_data_folder_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: expected a folder with cifar10\.npz \(--data or LENET_SEARCH_DATA"):
        load(Images(name="cifar10"), tmp_path / "nowhere")


def test_a_file_is_looked_up_with_the_folder_in_which_its_name_leads_there_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    write(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    for name, folder in (("own", tmp_path / "data"), ("own", "data"), ("own.npz", "data"), ("data/own.npz", None)):
        place = file_of(name, None if folder is None else Path(folder))
        assert place is not None
        monkeypatch.chdir(tmp_path / "data" if folder == "data" else tmp_path)
        assert file_of(name, place.folder) is not None
        monkeypatch.chdir(tmp_path)
    assert file_of("own", None) is None
    assert file_of("digits", None) is None
    assert file_of(str(tmp_path / "data" / "own.npz"), None) is not None


def test_a_remembered_folder_is_used_where_no_other_has_the_file(tmp_path, monkeypatch):
    given, remembered = tmp_path / "given", tmp_path / "remembered"
    given.mkdir()
    remembered.mkdir()
    assert folder_with("own", given, remembered) == given
    write(remembered)
    assert folder_with("own", given, remembered) == remembered
    assert folder_with("own", None, remembered) == remembered
    assert folder_with("own", None, tmp_path / "gone") is None
    write(given)
    assert folder_with("own", given, remembered) == given
    monkeypatch.setenv("LENET_SEARCH_DATA", str(given))
    assert folder_with("own", None, remembered) is None  # the environment's folder has it
    with pytest.raises(DataError, match="nowhere: expected a folder"):
        folder_with("own", tmp_path / "nowhere", remembered)
