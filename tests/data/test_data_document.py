"""docs/data.md, held to what it says."""

import re
from pathlib import Path

import numpy as np
import pytest

from lenet_search.data import decode, decoded, folder, load, load_test, matlab
from lenet_search.data.dataset import KNOWN
from lenet_search.recipe.data import Images

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def test_the_example_of_an_npz_file_is_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(example, {})
    split = load(Images("signs.npz"))
    assert split.class_names == ("stop", "yield", "no entry")
    assert split.source["bytes"]
    assert not split.notes
    assert np.array_equal(load_test("signs.npz")[1], np.arange(60) % 3)


@pytest.mark.parametrize("array", KNOWN)
def test_every_array_has_its_line(array):
    assert re.search(rf"^\| .*`{array}`", TEXT, flags=re.MULTILINE)


def test_formats_names_and_sizes_are_those_of_the_code():
    listed = TEXT.partition("**Files** are ")[2].partition(".")[0]
    formats = {each.upper() for each in re.split(", | or ", listed)}
    assert formats | {"DIB"} == set(decode.FORMATS)  # DIB is a BMP without its first header
    assert f"up to {decoded.LARGEST}x{decoded.LARGEST} pixels" in TEXT
    assert f"Others become {decoded.USUAL}x{decoded.USUAL}" in TEXT
    for names in folder.NAMES.values():
        assert f"`{names[0]}/`" in TEXT
    for name in (matlab.TRAIN, matlab.TEST, matlab.EXTRA):
        assert f"`{name}`" in TEXT
