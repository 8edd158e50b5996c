"""Python text for `train.py`."""


def indented(text: str) -> str:
    """Every line four spaces further in."""
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))


def quoted(text: str) -> str:
    """A Python string in double quotes, on one line; what cannot be seen, or stand in a file of UTF-8, is escaped."""
    return '"' + "".join(map(_letter, text)) + '"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
