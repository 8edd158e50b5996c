"""A folder with one subfolder per class as a data set: its layout, and what is said of one that does not fit."""

import os
from pathlib import Path

import numpy as np
import pytest
from files import error_of
from kinds import NAMES, parts, tree
from PIL import Image

from lenet_search.data import load, load_test
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def brightness_shows_the_labels(x, y):
    return np.array_equal(x.mean(axis=(1, 2, 3)) // 60, y)


def test_classes_are_named_after_their_folders_and_every_image_has_its_label(folder):
    split = load(Images(tree(folder)))
    assert split.class_names == NAMES
    assert (len(split.x_train), len(split.x_val)) == (27, 3)
    assert brightness_shows_the_labels(split.x_train, split.y_train)
    assert brightness_shows_the_labels(split.x_val, split.y_val)


def test_numbers_are_classes_in_the_order_of_numbers(folder):
    split = load(Images(tree(folder, names=tuple(map(str, range(11))), n=2), validation=11))
    assert split.class_names == tuple(map(str, range(11)))


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_validation_images_may_have_a_folder_and_the_test_images_theirs(folder, val):
    for part, n in {"Train": 10, val: 3, "test": 4}.items():
        tree(folder, part, n=n)
    split = load(Images(str(folder)))
    x_test, y_test, names = load_test(str(folder))
    assert (len(split.x_train), len(split.x_val), len(x_test)) == (30, 9, 12)
    assert brightness_shows_the_labels(split.x_val, split.y_val)
    assert brightness_shows_the_labels(x_test, y_test)
    assert names == NAMES
    assert any("its own 9 validation images are used" in note for note in split.notes)


def test_train_may_be_a_class(folder):
    assert load(Images(tree(folder, names=("bus", "train")))).class_names == ("bus", "train")


def test_a_limit_takes_images_of_all_classes(folder):
    split = load(Images(tree(folder), limit=15, validation=3))
    assert np.bincount(split.y_train, minlength=3).min() > 0


def test_images_that_all_have_one_size_keep_it_if_it_is_small(folder):
    assert load(Images(tree(folder, size=(28, 20)))).x_train.shape[1:] == (28, 20, 1)


@pytest.mark.parametrize("sizes", [((8, 8), (8, 9)), ((65, 10), (65, 10))], ids=["different", "large"])
def test_others_become_32x32_and_the_validation_and_test_images_like_the_training_images(folder, sizes):
    tree(folder, "train/", size=sizes[0], names=NAMES[:2])
    tree(folder, "train", size=sizes[1], names=NAMES[2:])
    tree(folder, "val", size=(40, 40))
    tree(folder, "test", size=(5, 7))
    split = load(Images(str(folder)))
    assert split.x_train.shape[1:] == split.x_val.shape[1:] == load_test(str(folder))[0].shape[1:] == (32, 32, 1)


def test_a_size_brings_all_images_to_a_square(folder):
    assert load(Images(parts(folder), size=11)).x_train.shape[1:] == (11, 11, 1)
    assert load_test(str(folder), size=11)[0].shape[1:] == (11, 11, 1)


def test_one_image_in_color_makes_the_data_set_one_in_color(folder):
    gray = parts(folder, mode="L")
    Image.new("RGB", (8, 8), (70, 70, 70)).save(folder / "train" / "dog" / "gray in three channels.png")
    before = load(Images(gray))
    assert before.x_train.shape[3] == 1
    Image.new("RGB", (8, 8), (200, 10, 10)).save(folder / "train" / "dog" / "red.png")
    after = load(Images(gray))
    assert after.x_train.shape[3] == after.x_val.shape[3] == load_test(gray)[0].shape[3] == 3
    assert (after.x_train == [200, 10, 10]).all(axis=(1, 2, 3)).sum() + (after.x_val == 200).sum() == 1
    assert (np.ptp(after.x_train, axis=3).max(axis=(1, 2)) > 0).sum() == 1  # the others are gray


def test_what_is_not_used_is_named(folder):
    tree(folder, "train")
    (folder / "notes.txt").touch()
    (folder / "extra").mkdir()
    Image.new("L", (8, 8)).save(folder / "train" / "loose.png")
    (folder / "train" / "cat" / "deeper").mkdir()
    (folder / "train" / "cat" / "list.csv").touch()
    for theirs in (".DS_Store", "Thumbs.db", "._a.png"):
        (folder / "train" / "cat" / theirs).touch()
    first, second = load(Images(str(folder))).notes
    assert first == f"{folder}: not used: extra, notes.txt"
    assert second.startswith(f"{folder}/train: not used, because they are not images in a class's folder: ")
    assert second.endswith(": cat/deeper, cat/list.csv, loose.png")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "fox").mkdir(), r"expected images in each subfolder; received none in fox; add some"),
        (lambda folder: tree(folder, "fox"), r"received only subfolders in fox; expected one subfolder per class"),
        (
            lambda folder: tree(folder, names=("Cat",)),
            "differ only in upper and lower case: Cat and cat; merge or rename",
        ),
    ],
    ids=["empty", "nested", "case"],
)
def test_classes_that_do_not_fit_are_named(folder, change, expected):
    tree(folder)
    change(folder)
    assert expected in error_of(folder)


@pytest.mark.parametrize(
    ("fill", "received"),
    [
        (lambda folder: None, "none"),
        (lambda folder: tree(folder, names=("cat",)), "cat/"),
        (
            lambda folder: [Image.new("L", (8, 8)).save(folder / f"{n}.png") for n in range(3)],
            "3 images directly in it",
        ),
        (lambda folder: tree(folder, "test"), "test/"),
        (lambda folder: tree(folder, ".git"), "none"),
    ],
    ids=["nothing", "one class", "no classes", "only a test set", "hidden"],
)
def test_a_folder_that_is_no_data_set_gets_the_layout_of_one(folder, fill, received):
    fill(folder)
    message = error_of(folder)
    assert message.startswith(f"{folder}: expected ")
    assert f"received {received}" in message
    assert (
        "with its images, or train/, and perhaps val/ and test/, with such subfolders" in message
        or "none in" in message
    )


@pytest.mark.parametrize(
    ("part", "names", "expected"),
    [
        ("val", ("cat", "dog"), "val: expected images of each class; received none of owl; add some, or remove"),
        ("val", (*NAMES, "fox"), "val: expected the classes of .*train; received fox, which it lacks"),
        ("test", (*NAMES, "fox"), "test: expected the classes of .*train; received fox, which it lacks"),
    ],
)
def test_the_parts_must_have_the_same_classes(folder, part, names, expected):
    tree(folder, "train")
    tree(folder, part, names=names)
    with pytest.raises(DataError, match=expected):
        load_test(str(folder)) if part == "test" else load(Images(str(folder)))


def test_a_test_set_need_not_show_every_class_and_may_spell_it_in_other_case(folder):
    tree(folder, "train")
    tree(folder, "test", names=("DOG",))
    assert set(load_test(str(folder))[1]) == {1}


def test_two_folders_for_one_part_are_an_error(folder):
    for part in ("train", "val", "valid"):
        tree(folder, part)
    assert "val and valid are the same part of the data set: expected one of them" in error_of(folder)


def test_every_broken_file_is_named_up_to_ten_with_what_to_do(folder):
    tree(folder)
    for number in range(8):
        (folder / "cat" / f"{number}.png").write_bytes(b"not an image")
    (folder / "dog" / "0.png").write_bytes((folder / "dog" / "1.png").read_bytes()[:40])
    os.mkfifo(folder / "dog" / "pipe.png")  # is no file: not used, and not waited for
    message = error_of(folder)
    assert message.startswith(f"{folder}: 9 of 30 images cannot be read; remove or replace them:\n")
    assert sum(f"cat/{number}.png: not a readable image" in message for number in range(8)) == 8
    assert "dog/0.png: not a readable image" in message
    for number in range(1, 9):
        (folder / "dog" / f"{number}.png").write_bytes(b"")
    message = error_of(folder)
    assert message.count(".png: not a readable image") == 10
    assert message.endswith("and 7 more")


def test_links_in_circles_and_names_that_are_not_utf_8_are_no_problem(folder):
    tree(folder, names=("cat", os.fsdecode(b"caf\xe9")))
    (folder / "cat" / "loop").symlink_to(folder)
    (folder / "cat" / "gone.png").symlink_to("nothing")
    Image.new("L", (8, 8)).save(folder / "cat" / os.fsdecode(b"\xff.png"))
    split = load(Images(str(folder)))
    assert split.class_names == ("caf\\xe9", "cat")
    assert len(split.x_train) + len(split.x_val) == 21
    assert "cat/gone.png, cat/loop" in split.notes[0]


def test_a_folder_that_must_not_be_read_is_an_error(folder, monkeypatch):
    tree(folder)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    for name in ("listdir", "scandir"):  # root may read everything
        monkeypatch.setattr(os, name, refuse)
    assert "cannot be read: " in error_of(folder)


def test_the_endings_may_be_in_capitals(folder):
    tree(folder)
    for path in folder.glob("*/*.png"):
        path.rename(path.with_name(path.name.upper()))
    assert len(load(Images(str(folder))).x_train) == 27


def test_a_bare_name_is_not_taken_from_the_working_folder_but_it_is_said_how(folder, monkeypatch):
    tree(folder)
    monkeypatch.chdir(folder.parent)
    with pytest.raises(DataError, match=r'for the folder own in the working folder, write "\./own"'):
        load(Images("own"))
    for name in ("./own", "own/", str(folder)):
        assert load(Images(name)).class_names == NAMES


def test_a_folder_with_the_name_of_a_known_data_set_counts_only_if_it_is_one(folder):
    (folder / "digits" / "code").mkdir(parents=True)
    assert load(Images("digits"), folder).class_names == tuple("0123456789")
    tree(folder, "digits")
    (folder / "digits" / "code").rmdir()
    assert load(Images("digits"), folder).class_names == NAMES
