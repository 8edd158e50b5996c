"""Journal files that were torn, cut, joined, emptied, moved or made read-only, and what is read and kept of them."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.storages.journal import JournalFileBackend, JournalStorage

from lenet_search.errors import StorageError
from lenet_search.storage import Patience, artifact_folder, open_storage
from lenet_search.storage.journal_file import is_journal, parse

HALF = b'{"op_code":6,"worker_id":"a-1","trial_'


def study_of(storage: BaseStorage) -> optuna.Study:
    return optuna.load_study(study_name="s", storage=storage)


def values(storage: BaseStorage) -> list[float | None]:
    return [trial.value for trial in study_of(storage).trials]


def plain(path: Path) -> JournalStorage:
    """As optuna-dashboard opens it."""
    return JournalStorage(JournalFileBackend(str(path)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal with two trials, of 0.5 and 0.25."""
    path = tmp_path / "x.journal"
    study = optuna.create_study(study_name="s", storage=open_storage(str(path), create=True))
    for value in (0.5, 0.25):
        study.tell(study.ask(), value)
    return path


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


# What can happen to a file: its name, what it does to the lines, the values that can still be read, and the bytes that
# are set aside. The last line tells the second trial.
TORN = {
    "a half line at the end": (lambda ls: [*ls, HALF], [0.5, 0.25], HALF),
    "the last line cut": (lambda ls: [*ls[:-1], ls[-1][:-30]], [0.5, None], None),
    "the last end of line cut": (lambda ls: [*ls[:-1], ls[-1][:-1]], [0.5, 0.25], b""),
    "NUL bytes at the end": (lambda ls: [*ls, b"\0" * 5000], [0.5, 0.25], b"\0" * 5000),
    "NUL bytes, then an entry": (lambda ls: [*ls[:-1], b"\0" * 99 + ls[-1]], [0.5, 0.25], b"\0" * 99),
    "half an entry joined to a whole one": (lambda ls: [*ls[:-1], HALF + ls[-1]], [0.5, 0.25], HALF),
    "two whole entries joined": (lambda ls: [*ls[:-2], ls[-2].rstrip() + ls[-1]], [0.5, 0.25], b""),
    "half a line in the middle": (lambda ls: [*ls[:-1], HALF + b"\n", ls[-1]], [0.5, 0.25], HALF),
    "a half at the end and one in the middle": (lambda ls: [*ls[:-1], HALF + ls[-1], HALF], [0.5, 0.25], HALF * 2),
    "a joined line without an end": (lambda ls: [*ls[:-1], HALF + ls[-1][:-1]], [0.5, 0.25], HALF),
    "bytes that are not text": (lambda ls: [*ls[:-1], b"\xff\xfe\n", ls[-1]], [0.5, 0.25], b"\xff\xfe"),
    "blank lines": (lambda ls: [*ls[:-1], b"\n", b"  \n", ls[-1], b"\n"], [0.5, 0.25], b""),
}


@pytest.mark.parametrize("kind", TORN)
def test_what_was_written_whole_is_read_by_everyone_and_the_rest_is_set_aside_once_and_told(path, kind):
    tear, expected, torn = TORN[kind]
    path.write_bytes(b"".join(tear(lines(path))))
    before, notes = path.read_bytes(), []

    reader = open_storage(str(path), create=False)
    if kind not in ("the last end of line cut", "a joined line without an end"):  # as if it were still being written
        assert values(reader) == expected
    assert path.read_bytes() == before  # readers change nothing
    assert not Path(f"{path}.torn").exists()

    writer = study_of(open_storage(str(path), create=True, batched=True, patience=Patience(notes.append)))
    assert values(plain(path)) == expected
    aside = Path(f"{path}.torn").read_bytes().replace(b"\n", b"") if torn != b"" else b""
    assert aside == torn if torn is not None else HALF[:12] in aside
    assert len(notes) == (torn != b"")
    assert all(f"{len(aside)} bytes" in note and f"{path}.torn" in note for note in notes)

    writer.tell(writer.ask(), 0.125)
    assert values(plain(path)) == values(reader) == [*expected, 0.125]  # also for who was reading all the time
    again = Patience(notes.append)
    open_storage(str(path), create=True, batched=True, patience=again)
    assert len(notes) == (torn != b"")  # nothing is left to mend


@pytest.mark.parametrize("kind", TORN)
def test_a_trial_that_is_added_to_a_torn_file_does_not_make_it_worse(path, kind):
    tear, expected, _ = TORN[kind]
    path.write_bytes(b"".join(tear(lines(path))))
    study_of(open_storage(str(path), create=False)).add_trial(optuna.create_trial(value=0.75))
    assert values(plain(path)) == [*expected, 0.75]


def test_a_file_that_an_older_version_destroyed_while_another_run_was_using_it_is_mended_by_that_run(path):
    study = study_of(open_storage(str(path), create=True, batched=True))
    path.write_bytes(path.read_bytes() + HALF + b'{"op_code":7,"worker_id":"b-1","trial_id":9}\n')
    study.tell(study.ask(), 0.125)
    assert values(plain(path)) == [0.5, 0.25, 0.125]


@pytest.mark.parametrize("content", [b"", b"\n", b"\n \n\n", b"\0" * 300, HALF, HALF[:4]])
def test_a_file_in_which_nothing_is_whole_is_an_empty_journal(tmp_path, content):
    path = tmp_path / "x.journal"
    path.write_bytes(content)
    assert open_storage(str(path), create=False).get_all_studies() == []
    assert path.read_bytes() == content
    optuna.create_study(study_name="s", storage=open_storage(str(path), create=True, batched=True)).ask()
    assert values(plain(path)) == [None]


@pytest.mark.parametrize("content", [b'{"name": "package"}', b'{\n "a": 1\n}\n', b'{"a":1}\n{"b":2}\n', b"[1, 2]\n"])
def test_a_json_file_of_somebody_else_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "package.json"
    path.write_bytes(content)
    assert not is_journal(path)
    for create in (False, True):
        with pytest.raises(StorageError, match="not an Optuna journal"):
            open_storage(str(path), create=create, batched=create)
    assert [path.read_bytes(), os.listdir(tmp_path)] == [content, ["package.json"]]


def test_a_line_that_optuna_wrote_is_one_whole_entry(path):
    for line in lines(path):
        assert parse(line).is_whole
        assert parse(line).texts == [line[:-1]]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Rights do not bind root."""
    if os.geteuid():
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        if not os.access(optuna.__file__, os.R_OK):
            pytest.skip("the installed packages are closed to other users")
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("closed", ["file", "folder"])
@pytest.mark.parametrize("kind", ["journal", "db"])
def test_what_cannot_be_written_to_is_read_and_a_run_says_so_before_it_begins(kind, closed):
    with tempfile.TemporaryDirectory() as name:  # pytest's folders are closed to others
        folder, path = Path(name), Path(name, f"x.{kind}")
        url = str(path) if kind == "journal" else f"sqlite:///{path}"
        optuna.create_study(study_name="s", storage=open_storage(url, create=True)).add_trial(
            optuna.create_trial(value=0.5)
        )
        path.chmod(0o444 if closed == "file" else 0o666)
        folder.chmod(0o555 if closed == "folder" else 0o777)
        with as_nobody():
            assert values(open_storage(url, create=False)) == [0.5]
            with pytest.raises(StorageError, match="cannot be written to; choose another storage"):
                open_storage(url, create=True, batched=True)
        folder.chmod(0o755)


def test_all_names_of_a_journal_share_its_lock_and_its_weights(path, tmp_path):
    link = tmp_path / "elsewhere" / "y.journal"
    link.parent.mkdir()
    link.symlink_to(path)
    study = study_of(open_storage(str(link), create=True, batched=True))
    Path(f"{path}.lock").touch()
    impatient = open_storage(str(link), create=True, patience=Patience(limit=0.1))
    with pytest.raises(StorageError, match=r"x\.journal\.lock"):
        study_of(impatient).ask()
    Path(f"{path}.lock").unlink()
    study.ask()
    assert artifact_folder(str(link)) == artifact_folder(str(path)).resolve()
    assert link.is_symlink()


def test_mending_a_link_mends_what_it_points_to(path, tmp_path):
    link = tmp_path / "y.journal"
    link.symlink_to(path)
    path.chmod(0o640)
    path.write_bytes(b"".join(TORN["half a line in the middle"][0](lines(path))))
    open_storage(str(link), create=True, batched=True)
    assert link.is_symlink()
    assert values(plain(path)) == [0.5, 0.25]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_folder_can_be_moved_between_two_runs(path, tmp_path):
    moved = Path(shutil.move(path, tmp_path / "z.journal"))
    study = study_of(open_storage(str(moved), create=True, batched=True))
    study.tell(study.ask(), 0.125)
    assert values(plain(moved)) == [0.5, 0.25, 0.125]


def test_a_file_that_is_moved_while_it_is_used_is_not_begun_anew(path):
    study = study_of(open_storage(str(path), create=True, batched=True))
    path.rename(path.with_name("moved"))
    with pytest.raises(FileNotFoundError):
        study.ask()
    assert not path.exists()


def test_an_older_copy_that_takes_the_place_of_a_file_in_use_is_noticed(path):
    study = study_of(open_storage(str(path), create=True, batched=True))
    path.write_bytes(b"".join(lines(path)[:3]))  # a folder that is synchronized, a checkout
    with pytest.raises(StorageError, match="replaced or shortened"):
        study.trials  # noqa: B018


def test_a_disk_that_does_not_know_fsync_is_written_to_and_an_error_of_the_disk_is_one(path, monkeypatch):
    study = study_of(open_storage(str(path), create=True, batched=True))

    def fsync(file: int, number: int = errno.EINVAL) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    study.tell(study.ask(), 0.125)
    assert values(plain(path)) == [0.5, 0.25, 0.125]
    monkeypatch.setattr(os, "fsync", lambda file: fsync(file, errno.EIO))
    size = path.stat().st_size
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        study.ask()
    assert path.stat().st_size == size


@pytest.mark.parametrize("missing", ["symlink", "link"])
def test_a_disk_without_links_will_do(path, monkeypatch, missing):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, missing, refuse)
    for batched in (False, True):
        study = study_of(open_storage(str(path), create=True, batched=batched))
        study.tell(study.ask(), 0.125)
    assert values(plain(path)) == [0.5, 0.25, 0.125, 0.125]
