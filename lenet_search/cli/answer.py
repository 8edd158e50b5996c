"""`--json`: the one JSON object of a command on standard output, its result or its error."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lenet_search.look.streams import named, readable

_expected = False  # whether a JSON object is still to be printed


def expect(arguments: Sequence[str]) -> None:
    """Note whether these arguments of a command ask for JSON."""
    global _expected
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    _expected = "--json" in options


def print_json(content: Mapping[str, Any]) -> None:
    """Print one JSON object to stdout. NaN and infinity become null; bytes that are not text become U+FFFD."""
    global _expected
    _expected = False
    text = json.dumps(_plain(content), ensure_ascii=False, allow_nan=False)
    encoding = sys.stdout.encoding or "utf-8"
    with named(sys.stdout):
        print(text if _fits(text, encoding) else json.dumps(json.loads(text)), flush=True)


def error(kind: str, message: str) -> None:
    """Print an error as JSON, if JSON was asked for and the command has printed none."""
    if _expected:
        print_json({"error": {"kind": kind, "message": message}})


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, Mapping):
        return {readable(str(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
