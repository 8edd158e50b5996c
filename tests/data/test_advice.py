"""The error for images that are no bytes says how to convert them: the advice is tried out here."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lenet_search.data.checks import images
from lenet_search.errors import DataError

BYTES = np.array([0, 1, 127, 128, 254, 255] * 2, np.uint8).reshape(3, 2, 2)


def as_advised(x: np.ndarray) -> np.ndarray:
    """What the advice makes of `x`."""
    with pytest.raises(DataError, match=r"its values are from .*: convert it with ") as caught:
        images({"x_train": x}, "x_train", "here")
    made = eval(str(caught.value).rpartition("convert it with ")[2], {"x": x, "numpy": np})
    assert images({"x_train": made}, "x_train", "here").dtype == np.uint8
    return made


@pytest.mark.parametrize(
    "x",
    [BYTES / 255, BYTES / np.float32(255), BYTES / 255 - 0.5, BYTES / 127.5 - 1, BYTES * 1.0, BYTES.astype(np.int64)],
    ids=["0 to 1", "0 to 1 in float32", "-0.5 to 0.5", "-1 to 1", "0 to 255", "whole numbers"],
)
def test_a_common_range_gives_back_the_pixels(x):
    assert np.array_equal(as_advised(x), BYTES)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64])
def test_black_and_white_become_black_and_white(dtype):
    x = np.array([0, 1] * 4).reshape(2, 2, 2).astype(dtype)
    assert np.array_equal(as_advised(x), x.astype(np.uint8) * 255)


@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32) | st.integers(-128, 127), min_size=4, max_size=4),
    dtype=st.sampled_from([np.float32, np.float64, np.int8, np.int64]),
)
def test_any_range_becomes_pixels_in_the_same_order(values, dtype):
    x = np.sort(np.clip(values, -128, 127) if dtype == np.int8 else values).astype(dtype).reshape(1, 2, 2)
    assume(x.min() < x.max())
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
