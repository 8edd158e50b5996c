import sys
from pathlib import Path

import pytest

from lenet_search.data.class_folders import class_folders, image_files
from lenet_search.data.decode import ImageError, decode

THEIRS = [
    ".git",
    ".ipynb_checkpoints",
    ".DS_Store",
    "._a.png",
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
    "Desktop.ini",
    "@eaDir",
    "lost+found",
    "$RECYCLE.BIN",
    "System Volume Information",
]


@pytest.mark.parametrize("name", THEIRS)
def test_hidden_and_system_folders_are_nobodys_class(tmp_path, name):
    for each in ("cat", "dog", name):
        (tmp_path / each).mkdir()
    assert [path.name for path in class_folders(tmp_path)] == ["cat", "dog"]


def test_hidden_files_and_those_that_are_no_images_do_not_count(tmp_path):
    for name in ("a.png", "._a.png", ".b.jpg", "Thumbs.db", "notes.txt", "IMG.JPG"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in image_files(tmp_path)] == ["a.png", "IMG.JPG"]


def test_numbers_in_names_are_in_the_order_of_numbers(tmp_path):
    for number in range(12):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"img{number}.png").touch()
    assert [path.name for path in class_folders(tmp_path)] == [f"{number}" for number in range(12)]
    assert [path.name for path in image_files(tmp_path)] == [f"img{number}.png" for number in range(12)]


def test_the_order_is_one_for_any_mixture_of_names(tmp_path):
    names = ["", "1", "01", "a", "A", "a1", "a1b", "1a", "é", "b"]
    if sys.getfilesystemencoding() == "utf-8":
        names.append("\u0661")  # the Arabic digit is a letter here
    for name in names:
        (tmp_path / f"_{name}").mkdir()
    found = [path.name for path in class_folders(tmp_path)]
    assert sorted(found) == sorted(f"_{name}" for name in names)
    assert found.index("_01") < found.index("_a") < found.index("_a1") < found.index("_b")


def test_links_to_folders_are_classes_and_those_that_lead_nowhere_are_not(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    classes = tmp_path / "classes"
    classes.mkdir()
    (classes / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (classes / "loop").symlink_to("loop")
    (classes / "gone").symlink_to("nothing")
    assert [path.name for path in class_folders(classes)] == ["linked"]


def test_a_link_that_leads_to_itself_is_named_by_whoever_reads_it(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "nowhere.png").symlink_to("gone")
    assert [path.name for path in image_files(tmp_path)] == ["loop.png"]
    with pytest.raises(ImageError, match=r"loop\.png"):
        decode(tmp_path / "loop.png")
