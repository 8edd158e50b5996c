import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lenet_search.untrusted import PACKED, SMALL, Damaged, json_object, opened_npz


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.npz"


def written(path: Path, header: str, data: bytes = b"", *, packed: bool = False) -> None:
    """An archive whose array `x` has this header."""
    text = header.encode()
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as file:
        file.writestr("x.npy", content)


def damage_of(path: Path, *, packed: bool = False) -> str:
    with pytest.raises(Damaged) as caught, opened_npz(path, packed=packed) as file:
        file["x"]
    return str(caught.value)


def test_arrays_come_back_as_they_were_written(path):
    arrays = {"x": np.arange(6).reshape(2, 3), "text": np.array(["a", "bc"]), "none": np.zeros((0, 8, 8))}
    np.savez(path, **arrays)
    with opened_npz(path) as file:
        assert file.names == list(arrays)
        assert all(np.array_equal(file[name], array) for name, array in arrays.items())


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(10000000, 0)", "(-1,)", "(99999999999999999999,)"])
@pytest.mark.parametrize("kind", ["'|u1'", "'<U0'", "'|V0'", "'|S2000000000'"])
def test_an_array_that_promises_more_than_the_file_holds_is_not_allocated(path, shape, kind):
    written(path, f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}\n", bytes(50))
    assert damage_of(path)


@pytest.mark.parametrize(
    "header", ["{'descr': '|u1',\n", "((((", "\0", "{'descr': None, 'fortran_order': 1, 'shape': 3}\n"]
)
def test_whatever_numpy_raises_for_a_header_is_a_damage(path, header):
    written(path, header)
    assert damage_of(path)


@pytest.mark.parametrize("kind", ["<U2", ">U2"])
def test_text_with_characters_that_do_not_exist_is_a_damage(path, kind):
    text = np.array(["ab", "c"], kind)
    np.savez(path, x=text)
    with opened_npz(path) as file:
        assert file["x"].tolist() == ["ab", "c"]
    np.savez(path, x=np.full(4, 0x7FFFFFFF, f"{kind[0]}u4").view(kind))
    assert "characters that do not exist" in damage_of(path)


def test_objects_are_not_unpickled(path):
    np.savez(path, x=np.array([{}, None], dtype=object))
    assert "Object arrays" in damage_of(path)


def test_what_is_always_stored_may_not_unpack_to_more_than_the_file(path):
    written(path, "{'descr': '|u1', 'fortran_order': False, 'shape': (100000,), }\n", bytes(100_000), packed=True)
    assert "promises 100," in damage_of(path)
    with opened_npz(path, packed=True) as file:
        assert file["x"].shape == (100_000,)


def test_a_small_file_that_unpacks_to_a_thousand_times_its_size_is_refused(path):
    written(path, f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({SMALL},), }}\n", bytes(SMALL), packed=True)
    assert path.stat().st_size * PACKED < SMALL
    assert f"more than {SMALL:,}: save it uncompressed" in damage_of(path, packed=True)


def test_a_file_that_is_no_archive_is_a_damage_and_one_that_is_not_there_is_not(path):
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    path.write_bytes(buffer.getvalue())
    assert damage_of(path)
    path.unlink()
    with pytest.raises(FileNotFoundError), opened_npz(path):
        pass


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "[1]", '"x"', "NaN", '{"a": Infinity}', "", b"\xff"]
)
def test_json_that_is_no_object_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        json_object(text)
