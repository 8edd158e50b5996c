"""The file of an Optuna journal, one entry a line, in which no entry ever follows on half an entry.

A power loss, a kill inside a write or a full disk leaves half a line, or a line of NUL bytes. Optuna passes over it at
the end of the file, but joins its next entry to it, and then reads nothing any more. Here, reading passes over what was
written in part wherever it stands, and changes nothing. Before anything is appended, it is moved to FILE.torn.
"""

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

from optuna.storages.journal import BaseJournalBackend

from lenet_search.errors import StorageError
from lenet_search.storage.journal_entry import Check
from lenet_search.storage.lock import FileLock
from lenet_search.storage.patience import Patience
from lenet_search.whole import written_whole

BEGIN = re.compile(r'\{\s*"op_code"')
NO_FSYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # what disks that cannot promise it answer
REMEMBERED = 64  # bytes before the place where reading goes on, by which that place is recognized
BLOCK = 65536  # bytes


class Line(NamedTuple):
    """What a line holds: whole entries, their text, and the rest, which was written in part."""

    entries: list[dict[str, Any]]
    texts: list[bytes]
    rest: bytes

    @property
    def is_whole(self) -> bool:
        """Whether Optuna can read the line."""
        return len(self.entries) == 1 and not self.rest


class JournalFile(BaseJournalBackend):
    """A journal file that one storage reads and perhaps appends to.

    Args:
        path: of the file
        patience: how long to wait for other writers
        create: whether to create it if it is not there
    """

    def __init__(self, path: str, patience: Patience | None = None, *, create: bool = True) -> None:
        self._name = path
        self._path = os.path.realpath(path)  # one lock, whatever name leads to the file
        self._patience = patience or Patience()
        self._lock = FileLock(f"{self._path}.lock", self._patience)
        self._is_broken = False  # whether a line was read that Optuna cannot read
        self._number = self._offset = 0  # of the next entry, and of its first byte
        self._before = b""  # bytes before that
        self._check = Check(path)
        if create and not os.path.exists(self._path):
            open(self._path, "ab").close()

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        """A copy reads the file from its beginning."""
        return type(self), (self._name,)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """All whole entries but the first `log_number_from`. Needs no lock.

        Raises:
            StorageError: there are fewer entries than before, or one is no entry of Optuna's.
        """
        with open(self._path, "rb") as file:
            file.seek(self._offset - len(self._before))
            if log_number_from < self._number or file.read(len(self._before)) != self._before:
                file.seek(0)  # somebody has mended the file: no entry has another number, but it has another place
                self._number = self._offset = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break  # it is being written, or was written in part
                found = parse(line)
                self._is_broken |= not found.is_whole
                self._offset += len(line)
                self._before = line[-REMEMBERED:]
                for entry in found.entries:
                    self._number += 1
                    self._check(self._number, entry)
                    if self._number > log_number_from:
                        yield entry
        if self._number < log_number_from:
            raise StorageError(f"{self._name} was replaced or shortened while it was in use")

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries, all or none.

        Raises:
            OSError: the disk is full, or the file cannot be written to.
            StorageError: other processes hold its lock.
        """
        text = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with self._lock:
            self._mend()
            # Not `open(..., "ab")`, which would begin a new file if this one was moved away.
            with open(os.open(self._path, os.O_RDWR | os.O_APPEND), "r+b", buffering=0) as file:
                size = file.seek(0, os.SEEK_END)
                try:
                    _write(file, text)
                except BaseException:  # the disk is full: what was written of it is taken back
                    file.truncate(size)
                    raise

    def mend(self) -> None:
        """Move what was written in part to FILE.torn, and tell the person."""
        with open(self._path, "rb") as file:
            if not self._is_broken and not _tail(file):
                return
        with self._lock:
            self._mend()

    def _mend(self) -> None:
        """As `mend`, while the lock is held."""
        with open(self._path, "r+b") as file:
            tail = _tail(file)
            found = parse(tail)
            if self._is_broken or (found.entries and not found.is_whole):
                self._rewrite(file)
            elif found.is_whole:  # only the end of the line is missing
                file.seek(0, os.SEEK_END)
                file.write(b"\n")
            elif tail:
                self._set_aside([tail])
                file.truncate(file.seek(0, os.SEEK_END) - len(tail))

    def _rewrite(self, file: BinaryIO) -> None:
        """Replace the file by one with all whole entries, one a line."""
        torn = []
        with written_whole(Path(self._path)) as scratch:
            with scratch.open("wb") as mended:
                file.seek(0)
                for found in map(parse, file):
                    mended.writelines(text + b"\n" for text in found.texts)
                    torn += [found.rest] if found.rest.strip() else []
                _write(mended, b"")
            shutil.copymode(self._path, scratch)
            with contextlib.suppress(PermissionError):
                shutil.chown(scratch, os.fstat(file.fileno()).st_uid, os.fstat(file.fileno()).st_gid)
            self._set_aside(torn)
        self._is_broken = False

    def _set_aside(self, torn: list[bytes]) -> None:
        if not torn:
            return
        with open(f"{self._path}.torn", "ab") as aside:
            _write(aside, b"".join(part + b"\n" for part in torn))
        count = sum(map(len, torn))
        self._patience.note(
            f"{self._name} contained {count} byte{'' if count == 1 else 's'} of entries that were written in part; "
            f"{'it is' if count == 1 else 'they are'} now in {self._name}.torn, and everything else is intact"
        )


def parse(line: bytes) -> Line:
    """What a line holds. An older version, or Optuna, may have joined a whole entry to half a one."""
    try:
        entry = json.loads(line)
        if _is_entry(entry):
            return Line([entry], [line.rstrip(b"\r\n")], b"")
    except (ValueError, RecursionError):
        pass
    text, done, found = line.decode("utf-8", "surrogateescape"), 0, Line([], [], b"")
    rest = ""
    for begin in BEGIN.finditer(text):
        if begin.start() < done:
            continue
        try:
            entry, end = json.JSONDecoder().raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            continue
        if _is_entry(entry):
            found.entries.append(entry)
            found.texts.append(text[begin.start() : end].encode("utf-8", "surrogateescape"))
            rest += text[done : begin.start()]
            done = end
    rest = (rest + text[done:]).strip("\r\n")
    return found._replace(rest=rest.encode("utf-8", "surrogateescape") if rest.strip() else b"")


def is_journal(file: Path) -> bool:
    """Whether a file is a journal, if perhaps an empty one, or one of which only a part was written."""
    with file.open("rb") as stream:
        for line in stream:
            text = line.strip(b"\0 \t\r\n")
            if text:
                begun = b'{"op_code"'.startswith(text) and not line.endswith(b"\n")
                return begun or bool(parse(line).entries) or bool(BEGIN.match(text.decode("utf-8", "replace")))
    return True


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("op_code"), int) and "worker_id" in value


def _tail(file: BinaryIO) -> bytes:
    """What follows on the last end of a line: nothing, unless the last write was cut short."""
    end, tail = file.seek(0, os.SEEK_END), b""
    while end and b"\n" not in tail:
        start = max(0, end - BLOCK)
        file.seek(start)
        tail = file.read(end - start) + tail
        end = start
    return tail[tail.rfind(b"\n") + 1 :]


def _write(file: BinaryIO, text: bytes) -> None:
    """Write and wait until it is on the disk, if the disk can say so."""
    rest = memoryview(text)
    while rest:
        rest = rest[file.write(rest) :]
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in NO_FSYNC:
            raise
