"""The raw values of a study file, the line of every key, and the problems reported so far."""

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lenet_search.errors import StudyFileError
from lenet_search.study.toml_lines import Path as KeyPath
from lenet_search.study.toml_lines import key_lines
from lenet_search.study.toml_text import key_text, value_text

LONGEST_RECEIVED = 100  # characters of a received value that a message repeats
MOST_BITS = 10_000  # of a whole number, about 3,000 digits
NOTHING = object()
NUMBER = re.compile(r"\d[\d_]*")
AFTER_THE_FILE = 10**9  # the line that sorts the problems of overrides last


class Source:
    """The values of a study file. `place` locates a key; `problems` collects the reports.

    Raises:
        StudyFileError: the file cannot be read, or is not valid TOML.
    """

    def __init__(self, path: Path) -> None:
        self.label = _label(path)
        self._overridden: set[KeyPath] = set()
        self._problems: list[tuple[int, str]] = []
        text = _text_of(path, self.label)
        try:
            self.values: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            line = found[1] if found else text.count("\n") + 1
            raise StudyFileError([f"{self.label}:{line}: expected valid TOML; received: {error}"]) from None
        except ValueError:  # Python's own, for a number of thousands of digits
            longest = max(NUMBER.finditer(text), key=lambda digits: len(digits[0]))
            line = text.count("\n", 0, longest.start()) + 1
            raise StudyFileError(
                [f"{self.label}:{line}: expected a number of fewer digits; received {longest[0][:20]}... "
                 f"({len(longest[0]):,} digits)"]
            ) from None  # fmt: skip
        self._places = {key: (line, f"{self.label}:{line}") for key, line in key_lines(text).items()}
        self._check_digits((), self.values)

    def _check_digits(self, path: KeyPath, value: Any) -> None:
        """Raise an error for a whole number that Python cannot even print: TOML's hexadecimal ones have no limit."""
        if isinstance(value, dict | list):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                self._check_digits((*path, key), inner)
        elif isinstance(value, int) and value.bit_length() > MOST_BITS:
            name = ".".join(map(str, path))
            raise StudyFileError([f"{self.place(path)[1]}: {name}: expected a number of fewer digits"])

    @property
    def problems(self) -> list[str]:
        """All distinct problems so far, in the order of the file, those of overrides last."""
        return list(dict.fromkeys(text for _, text in sorted(self._problems, key=lambda problem: problem[0])))

    def place(self, path: KeyPath) -> tuple[int, str]:
        """The location of `path`, or of the table that should contain it: (line, "studies/cifar.toml:12")."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return 0, self.label

    def replace(self, path: tuple[str, ...], value: Any, override: str) -> None:
        """Set `path` to `value`, as requested by the text `override`."""
        here = (AFTER_THE_FILE, f"--set {override}")
        self._check_digits(path, value)
        table = self.values
        for length, part in enumerate(path[:-1], 1):
            if not isinstance(table.get(part), dict):
                table[part] = {}
                self._places[path[:length]] = here
            table = table[part]
        table[path[-1]] = value
        self._places = {key: place for key, place in self._places.items() if key[: len(path)] != path}
        self._places[path] = here
        self._overridden.add(path)

    def is_overridden(self, path: KeyPath) -> bool:
        """Whether `path`, or a table around it, was given by an override."""
        return any(path[:length] in self._overridden for length in range(1, len(path) + 1))

    def report(self, path: KeyPath, expected: str, received: Any = NOTHING, nearest: str | None = None) -> None:
        """Report a problem at `path`: the expected and the received value, and perhaps the nearest legal one."""
        line, place = self.place(path)
        name = ".".join(str(part + 1) if isinstance(part, int) else key_text(part) for part in path)
        got = "nothing" if received is NOTHING else value_text(received)
        if len(got) > LONGEST_RECEIVED:
            got = got[:LONGEST_RECEIVED] + " ..."
        hint = f"; did you mean {nearest}?" if nearest else ""
        self._problems.append((line, f"{place}: {name}: expected {expected}; received {got}{hint}"))

    def report_override(self, text: str, expected: str) -> None:
        """Report an override that cannot be parsed."""
        self._problems.append((AFTER_THE_FILE, f"--set {text}: expected {expected}"))

    def report_unknown(self, path: KeyPath, names: Iterable[str], nearest: str | None = None) -> None:
        """Report a key that is not among `names`."""
        names = list(names)
        word = str(path[-1])
        self.report(path, one_of(names), word, nearest or nearest_name(word, names))


def one_of(names: Iterable[str]) -> str:
    """'one of a, b, c'."""
    listed = list(names)
    return f"one of {', '.join(listed)}" if listed else "nothing here"


def nearest_name(word: str, names: Iterable[str]) -> str | None:
    """The name most similar to `word`, ignoring case, or None."""
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), by_lower, n=5)
    close.sort(key=lambda name: sorted(name) != sorted(word.lower()))  # prefer transposed letters
    close = close or [name for name in by_lower if word and name.startswith(word.lower())]
    return by_lower[close[0]] if close else None


def _label(path: Path) -> str:
    """The path as a user would type it, relative to the working directory if it is inside."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _text_of(path: Path, label: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StudyFileError([f"{label}: expected a readable study file; received: {reason}"]) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise StudyFileError(
            [f"{label}:{line}: expected UTF-8 text; received the byte 0x{raw[error.start]:02x}: save the file as UTF-8"]
        ) from None
