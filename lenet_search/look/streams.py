"""Output streams that lack characters: a plain character takes the place of each, and no text is ever an error."""

import codecs
import contextlib
import io
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

HANDLER = "lenet-search.plain"  # the name of the error handler among Python's codecs
# What the views, tables and pages of help draw with. Each has a plain character of the same width.
# ruff: noqa: RUF001
PLAIN = str.maketrans(
    "▁▂▃▄▅▆▇█" + "·•×÷–—−…‘’“”≤≥→←✓" + "─━╌╍═│┃║╸╺╴╶" + "╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛┡┩╇╈╪╞╡",
    "__.--=*#" + ".*x/---.''\"\"<>><v" + "-----|||----" + "+" * 24,
)
NOT_ESCAPED = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that stand for no byte


def readable(text: str) -> str:
    """Text with the bytes of file names that Python could not decode: as UTF-8 or, failing that, as U+FFFD."""
    return NOT_ESCAPED.sub("\ufffd", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def tolerant(stream: TextIO | None) -> None:
    """Have a stream print plain characters for those its encoding lacks, whatever handler it has now."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors != HANDLER:
        codecs.register_error(HANDLER, _plain)
        stream.reconfigure(errors=HANDLER)


@contextmanager
def named(stream: object) -> Iterator[None]:
    """Give an error of writing to a standard stream its name: the system's message has none."""
    try:
        yield
    except OSError as error:
        error.filename = "standard error" if stream is sys.stderr else "standard output"
        raise


def is_watched(stream: object) -> bool:
    """Whether a stream is a terminal, whatever variables such as FORCE_COLOR say."""
    try:
        return bool(stream.isatty())  # type: ignore[attr-defined]
    except (AttributeError, ValueError):  # no stream, or a closed one
        return False


def _plain(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = readable(error.object[error.start : error.end])
    return b"".join(_encoded(character, error.encoding) for character in text), error.end


def _encoded(character: str, encoding: str) -> bytes:
    """The character, a plain one that resembles it, its letter without accents, or a question mark."""
    letter = unicodedata.normalize("NFKD", character)[:1]
    for candidate in (character, character.translate(PLAIN), letter):
        with contextlib.suppress(UnicodeEncodeError):
            return candidate.encode(encoding)
    return "?".encode(encoding)
