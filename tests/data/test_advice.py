"""Images that are no bytes are understood, or the error says how to convert them: the advice is tried out here."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lenet_search.data.pixels import images
from lenet_search.errors import DataError

BYTES = np.array([0, 1, 127, 128, 254, 255] * 2, np.uint8).reshape(3, 2, 2)


def as_advised(x: np.ndarray) -> np.ndarray:
    """What the advice makes of `x`."""
    with pytest.raises(DataError, match=r"its values are from .*: convert it with ") as caught:
        images({"x_train": x}, "x_train", "here")
    made = eval(str(caught.value).rpartition("convert it with ")[2], {"x": x, "numpy": np})
    understood, notes = images({"x_train": made}, "x_train", "here")
    assert np.array_equal(understood[..., 0], made)
    assert not notes
    return made


def understood(x: np.ndarray) -> tuple[np.ndarray, str]:
    """The pixels, and what is said of them."""
    found, (note,) = images({"x_train": x}, "x_train", "here")
    assert found.dtype == np.uint8
    return found[..., 0], note


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (BYTES / 255, "float64 from 0 to 1, read as 0 to 1"),
        (BYTES / np.float32(255), "float32 from 0 to 1, read as 0 to 1"),
        ((BYTES / 255).astype(np.float16), "float16 from 0 to 1, read as 0 to 1"),
        (BYTES * 1.0, "float64 from 0 to 255, read as 0 to 255"),
        (BYTES + 0.4 * (BYTES < 255), "float64 from 0.4 to 255, read as 0 to 255"),
        (BYTES.astype(np.int64), "int64 from 0 to 255, read as 0 to 255"),
    ],
)
def test_brightness_to_1_or_to_255_is_understood_and_said(x, said):
    found, note = understood(x)
    assert np.array_equal(found, BYTES)
    assert note == f"here: x_train: {said}"


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64])
def test_black_and_white_become_black_and_white(dtype):
    x = np.array([0, 1] * 4).reshape(2, 2, 2).astype(dtype)
    assert np.array_equal(understood(x)[0], x.astype(np.uint8) * 255)


@pytest.mark.parametrize("x", [BYTES / 255 - 0.5, BYTES / 127.5 - 1], ids=["-0.5 to 0.5", "-1 to 1"])
def test_a_common_range_around_0_gives_back_the_pixels(x):
    assert np.array_equal(as_advised(x), BYTES)


@pytest.mark.parametrize("x", [BYTES / 255 - 1e-7, BYTES / 255 * 1.0001], ids=["a little below 0", "a little above 1"])
def test_what_leaves_the_range_by_a_little_is_not_read_as_another_range(x):
    assert np.abs(as_advised(x).astype(int) - BYTES).max() <= 1


@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32) | st.integers(-128, 127), min_size=4, max_size=4),
    dtype=st.sampled_from([np.float32, np.float64, np.int8, np.int64]),
)
def test_any_range_becomes_pixels_in_the_same_order(values, dtype):
    x = np.sort(np.clip(values, -128, 127) if dtype == np.int8 else values).astype(dtype).reshape(1, 2, 2)
    assume(x.min() < x.max())
    assume(x.min() < 0 or x.max() > 255 or (x.dtype.kind == "f" and 1 < x.max() < 2))
    made = as_advised(x).ravel().astype(int)
    assert (np.diff(made) >= 0).all()
    if x.min() < -1 or x.max() > 255:  # no common range: all of the greys are used
        assert (made[0], made[-1]) == (0, 255)


@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_what_is_no_number_is_counted_and_not_converted(strange):
    x = BYTES / 255
    x[0, 0, 0] = strange
    with pytest.raises(DataError) as caught:
        images({"x_train": x}, "x_train", "here")
    assert "1 of its 12 values are NaN or infinite" in str(caught.value)
    assert "astype" not in str(caught.value)
