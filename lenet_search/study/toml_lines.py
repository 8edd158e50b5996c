"""The line number of every key of a TOML text, which `tomllib` does not provide.

The scan assumes valid TOML: `tomllib` has already parsed the text, so it only locates the tokens.
"""

import re
import tomllib

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\n,]|#[^\n]*)*")  # commas are only ever separators
_KEY = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*(\.?)""")
_TEXT = re.compile(
    r'''"""(?:\\.|[^\\])*?""""{0,2}|\'\'\'.*?\'\'\'\'{0,2}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''',
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every key and array item: {("optimizer", "sgd"): 12, ("start", 0, "train"): 30, ...}.

    The line of a table is that of its header, or of the first key that names it. `text` must be valid TOML.
    """
    return _Scan(text.replace("\r\n", "\n")).lines


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # number of [[headers]] so far in each array of tables
        table: Path = ()
        while self._skip() < len(text):
            if text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self) -> int:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _note(self, path: Path, start: int) -> None:
        line = self.text.count("\n", 0, start) + 1
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def _key(self) -> Path:
        parts: list[str] = []
        while match := _KEY.match(self.text, self.at):
            self.at = match.end()
            raw = match[1]
            parts.append(tomllib.loads(f"key = {raw}")["key"] if raw[0] in "\"'" else raw)
            if not match[2]:
                break
        return tuple(parts)

    def _header(self) -> Path:
        start = self.at
        is_array = self.text.startswith("[[", start)
        self.at += 2 if is_array else 1
        parts = self._key()
        self.at += 2 if is_array else 1
        if is_array:
            array = self._inside(parts[:-1]) + parts[-1:]
            self.counts[array] = self.counts.get(array, 0) + 1
        path = self._inside(parts)
        self._note(path, start)
        return path

    def _inside(self, parts: Path) -> Path:
        """`parts`, with the index of the latest table after each array of tables."""
        path: Path = ()
        for part in parts:
            path += (part,)
            if path in self.counts:
                path += (self.counts[path] - 1,)
        return path

    def _pair(self, table: Path) -> None:
        start = self.at
        path = table + self._key()
        self._note(path, start)
        self.at += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip()
        opening = self.text[self.at]
        if opening == "[":
            self.at += 1
            number = 0
            while self.text[self._skip()] != "]":
                self._note((*path, number), self.at)
                self._value((*path, number))
                number += 1
            self.at += 1
        elif opening == "{":
            self.at += 1
            while self.text[self._skip()] != "}":
                self._pair(path)
            self.at += 1
        else:
            match = (_TEXT if opening in "\"'" else _BARE).match(self.text, self.at)
            self.at = match.end() if match else len(self.text)
