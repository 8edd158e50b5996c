"""Values as TOML text, for error messages, stored definitions and recipes."""

import json
import re
from collections.abc import Mapping
from typing import Any
from unicodedata import category

LONGEST_NUMBER = 14000  # bits; longer integers are written in hexadecimal
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def key_text(key: str) -> str:
    """A key in TOML syntax, quoted if necessary."""
    return key if _BARE_KEY.fullmatch(key) else _quoted(key)


def value_text(value: Any) -> str:
    """A value in TOML syntax, on one line. Floats round-trip exactly.

    Accepts what `tomllib` returns: strings, numbers, booleans, dates, and lists and tables of them.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        return hex(value)  # Python refuses to print integers of more than 4300 decimal digits
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(value_text(item) for item in value)}]"
    return str(value)


def comment_lines(text: str) -> list[str]:
    """The lines of a text for a comment: what TOML or UTF-8 does not allow there becomes U+FFFD."""
    lines = text.replace("\t", " ").splitlines()
    return ["".join("\ufffd" if category(letter) in ("Cc", "Cs") else letter for letter in line) for line in lines]


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON does not escape this one
    return quoted.encode("utf-8", "backslashreplace").decode("utf-8")  # nor halves of characters, which are not legal
