import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lenet_search.errors import ResultError
from lenet_search.frozen import RUN as FROZEN_RUN
from lenet_search.frozen import SlotState, read_frozen, write_frozen
from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run

RUN = Run(Recipe(), 3, {"name": "tiny"}, [(0, 2)], Curve.constant([0.5, 0.25]), device="CPU")
STATE = SlotState(*(np.arange(n, dtype=np.float32) for n in (6, 6, 6, 0, 2)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("frozen") / "run.npz"
    write_frozen(path, RUN, STATE)
    return path


def test_a_frozen_run_comes_back_as_it_was(whole: Path) -> None:
    found = read_frozen(whole)
    assert found is not None
    run, state = found
    assert run == RUN
    assert all(np.array_equal(getattr(state, name), value) for name, value in vars(STATE).items())


@pytest.mark.parametrize("path", [*RUN.recipe.values(), *Curve.NAMES])
def test_what_did_not_exist_when_a_run_was_frozen_does_not_keep_it_from_going_on(tmp_path: Path, path: str) -> None:
    content = RUN.to_json()
    content["recipe"].pop(path, None)
    content["curve"].pop(path, None)
    text = np.frombuffer(json.dumps(content).encode(), np.uint8)
    np.savez(tmp_path / "old.npz", **{FROZEN_RUN: text}, **vars(STATE))
    found = read_frozen(tmp_path / "old.npz")
    assert found is not None
    assert found[0].is_of(RUN.recipe, RUN.seed)
    assert found[0].epochs == RUN.epochs


def test_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert read_frozen(tmp_path / "none.npz") is None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_is_an_error_of_ours_or_is_read(whole: Path, data: st.DataObject) -> None:
    content = bytearray(whole.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for place in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=4)):
        if content:
            content[place] = data.draw(st.integers(0, 255))
    path = whole.with_name("damaged.npz")
    path.write_bytes(content)
    try:
        read_frozen(path)
    except ResultError as error:
        assert str(path) in str(error)


def test_a_file_that_cannot_be_written_leaves_the_one_before(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(whole.read_bytes())
    with pytest.raises(ValueError, match="JSON"):
        write_frozen(path, Run(Recipe(), 3, {"mean": [float("nan")]}), STATE)
    assert read_frozen(path) is not None
    assert [each.name for each in tmp_path.iterdir()] == ["run.npz"]
