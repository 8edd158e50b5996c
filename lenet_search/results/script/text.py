"""Python text for `train.py`."""

import json


def indented(text: str) -> str:
    """Every line four spaces further in."""
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())


def quoted(text: str) -> str:
    """A Python string in double quotes."""
    return json.dumps(text, ensure_ascii=False)
