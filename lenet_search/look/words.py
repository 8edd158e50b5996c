"""Words for people."""


def counted(n: int, noun: str) -> str:
    """A number with its noun: "1 seed", "1,000 test images"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
