import os
from pathlib import Path

import numpy as np
import pytest

from lenet_search.data.decode import decode
from lenet_search.errors import ResultError
from lenet_search.model.saved import SavedInputs

GRAY = np.full((3, 4, 1), 127.6, np.float32)


def test_what_the_model_saw_is_a_picture_with_the_name_of_its_image(tmp_path):
    path = SavedInputs(tmp_path / "a" / "seen").keep(Path("photos/seven.jpg"), GRAY)
    assert path == tmp_path / "a" / "seen" / "seven.png"
    assert np.array_equal(decode(path), np.full((3, 4), 128))
    colored = SavedInputs(tmp_path).keep(Path("b"), np.repeat(GRAY, 3, axis=2))
    assert decode(colored).mode == "RGB"


def test_names_are_unique_and_nothing_is_overwritten_or_followed(tmp_path):
    (tmp_path / "seven.png").write_text("mine")
    (tmp_path / "seven-2.png").symlink_to(tmp_path / "elsewhere")
    saved = SavedInputs(tmp_path)
    names = [saved.keep(Path(folder, "seven.png"), GRAY).name for folder in "abc"]
    assert names == ["seven-3.png", "seven-4.png", "seven-5.png"]
    assert (tmp_path / "seven.png").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "name", ["..", ".hidden", "-rf", "a/../../b", "x" * 200, "a\nb", os.fsdecode(b"\xca\xfd"), "[x]"]
)
def test_no_name_leaves_the_folder_or_hides(name, tmp_path):
    path = SavedInputs(tmp_path).keep(Path(name), GRAY)
    assert path.parent == tmp_path
    assert path.name.isprintable() and path.name[0] not in ".-" and len(path.name) < 100


def test_a_folder_that_cannot_be_written_to_is_an_error_in_words(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResultError, match=r"--save-inputs .*file: cannot create this folder: file exists"):
        SavedInputs(tmp_path / "file")
