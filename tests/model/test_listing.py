import os
from pathlib import Path

import pytest
from PIL import Image

from lenet_search.model.listing import classes_in, images_of, pictures, shown


def drawn(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4)).save(path)
    return path


def test_files_folders_and_folders_of_classes_are_told_apart(tmp_path):
    file, plain = drawn(tmp_path / "a.png"), drawn(tmp_path / "plain.png" / "b.png")
    one = drawn(tmp_path / "classes" / "7" / "c.png")
    found = pictures([file, plain.parent, one.parents[1], file])
    assert found.files == [file, plain, file]  # a file that is named twice is classified twice
    assert found.folders == [one.parents[1]]
    assert found.problems == []
    assert images_of([one.parents[1]]) == ([one], [])


@pytest.mark.parametrize("name", [".ipynb_checkpoints", ".git", "__MACOSX", "@eaDir"])
def test_hidden_and_system_folders_are_nobodys_class(name, tmp_path):
    one = drawn(tmp_path / "7" / "a.png")
    drawn(tmp_path / name / "b.png")
    drawn(one.with_name("._a.png"))
    assert classes_in(tmp_path) == [one.parent]
    assert images_of([tmp_path])[0] == [one]


def test_a_link_that_leads_back_is_followed_once(tmp_path):
    one = drawn(tmp_path / "7" / "a.png")
    (tmp_path / "8").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "loop").symlink_to("loop")
    assert images_of([tmp_path]) == ([one], [])


def test_every_path_without_an_image_is_named_with_its_reason(tmp_path):
    good = drawn(tmp_path / "good.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.png").symlink_to("gone.png")
    os.mkfifo(tmp_path / "pipe.png")
    drawn(tmp_path / "data" / "train" / "7" / "a.png")
    reasons = {
        tmp_path / "gone.png": "there is no such file",
        tmp_path / "*.png": "no file matches this pattern",
        Path("-"): "standard input is not read",
        tmp_path / "link.png": "a link to gone.png, which does not exist",
        tmp_path / "pipe.png": "received a pipe or a device",
        Path("/dev/null"): "received a pipe or a device",
        tmp_path / "empty": "there are no images in this folder or its subfolders; names of images end in .png",
        tmp_path / "data": f"name a folder inside it, such as {tmp_path / 'data' / 'train'}",
        tmp_path / ("x" * 300): "cannot be read: file name too long",
    }
    found = pictures([*reasons, good])
    assert found.files == [good]
    for (path, reason), problem in zip(reasons.items(), found.problems, strict=True):
        assert problem.startswith(f"{path}: ")
        assert reason in problem


def test_a_folder_that_may_not_be_read_does_not_stop_the_rest(tmp_path, monkeypatch):
    good, closed = drawn(tmp_path / "good.png"), tmp_path / "closed"
    closed.mkdir()
    listed = Path.iterdir

    def iterdir(path):
        if path == closed:
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    found = pictures([closed, good])
    assert found.files == [good]
    assert found.problems == [f"{closed}: cannot be read: permission denied"]


def test_images_of_formats_that_are_not_read_are_not_passed_over_silently(tmp_path):
    drawn(tmp_path / "a.png")
    for name in ("IMG_1.HEIC", "IMG_2.heic", "drawing.svg", "notes.txt"):
        (tmp_path / name).touch()
    assert pictures([tmp_path]).problems == [
        f"{tmp_path}: 3 files (.heic, .svg) are not read: save or export them as PNG or JPEG"
    ]


def test_a_path_is_shown_on_one_line_in_characters_that_can_be_printed():
    assert shown(Path("gbk/\udcca\udcfd\udcd7\udcd67.png")) == "gbk/\ufffd\ufffd\ufffd\u05967.png".replace(
        "\ufffd\ufffd\ufffd\u0596", b"\xca\xfd\xd7\xd6".decode(errors="replace")
    )
    assert shown("[red]x\n\x1b[31m\u202egnp.png") == "[red]x\\n\\x1b[31m\\u202egnp.png"
    assert shown("صورة.png") == "صورة.png"
