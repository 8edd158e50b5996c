"""Text for streams that lack characters: all that the package prints, in the encodings that people have."""

# ruff: noqa: RUF001
import io
import re
from pathlib import Path

import pytest

import lenet_search
from lenet_search.look.console import FILE_WIDTH, console
from lenet_search.look.streams import readable, tolerant

FILES = Path(lenet_search.__file__).parent.rglob("*.py")
PRINTED = sorted(set(re.findall(r"[^\x00-\x7f]", "".join(path.read_text(encoding="utf-8") for path in FILES))))


def printed(text: str, encoding: str) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    tolerant(stream)
    stream.write(text)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8"])
def test_no_character_of_the_package_is_an_error_and_each_keeps_its_width(encoding):
    text = "".join(PRINTED)
    assert len(printed(text, encoding)) == len(text)
    assert "?" not in printed("▁▃█ ╭─╮ 5 × 7 – ü", encoding)


def test_an_encoding_that_has_a_character_prints_it():
    assert printed("5 × 7 – ü", "latin-1") == "5 × 7 - ü"
    assert printed("▁▃█", "utf-8") == "▁▃█"
    assert printed("▁▅█ ü 日", "ascii") == "_-# u ?"


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_bytes_that_are_not_text_are_no_error(encoding):
    name = b"sieben-\xff.png".decode("utf-8", "surrogateescape")
    assert printed(name, encoding) in ("sieben-?.png", "sieben-\ufffd.png")


def test_file_names_are_read_as_utf_8_whatever_the_locale():
    assert readable("ä.png".encode().decode("ascii", "surrogateescape")) == "ä.png"
    assert readable("\ud800-\udcff") == "\ufffd-\ufffd"


def test_a_file_that_is_written_to_is_wide_unless_columns_says_otherwise(monkeypatch):
    for columns, width in (("", FILE_WIDTH), ("abc", FILE_WIDTH), ("20", 20)):
        monkeypatch.setenv("COLUMNS", columns)
        assert console().width == width
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("COLUMNS")
    assert console().width == FILE_WIDTH
