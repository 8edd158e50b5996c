"""Words for people."""

from collections.abc import Iterable


def counted(n: int, noun: str) -> str:
    """A number with its noun: "1 seed", "1,000 test images"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: "a", "a and b", "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
