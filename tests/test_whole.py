import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lenet_search.whole import as_name, folder_written_whole, replace_text, written_whole

ROOT = Path(__file__).parents[1]
OLD = {"a.txt": "old a", "b.txt": "old b", "mine.txt": "mine"}
NEW = {"a.txt": "new a", "b.txt": "new b", "c.txt": "new c"}


def write(folder: Path, texts: dict[str, str] = NEW) -> None:
    with folder_written_whole(folder) as scratch:
        for name, text in texts.items():
            (scratch / name).write_text(text, encoding="utf-8")


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def make_old(folder: Path) -> Path:
    folder.mkdir()
    for name, text in OLD.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def moved_between_disks(inside: Path) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The system's move, as it is where `inside` is a mounted disk."""

    def of(move: Callable[..., None]) -> Callable[..., None]:
        def moved(source: Path, target: Path) -> None:
            if inside in Path(target).parents and inside not in Path(source).parents:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source))
            move(source, target)

        return moved

    return of


@pytest.mark.parametrize("name", ["new", "deep/er/new", "with space", "äöü 数字", os.fsdecode(b"caf\xe9")])
def test_a_folder_is_made_with_its_parents_whatever_its_name(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert contents(tmp_path / name) == NEW
    assert len(list((tmp_path / name).parent.iterdir())) == 1


def test_a_relative_path_and_a_link_lead_to_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_old(tmp_path / "there")
    for link, target in (("link", "there"), ("dangling", "not yet there")):
        Path(link).symlink_to(target)
        write(Path(link))
        assert Path(link).is_symlink()
        assert contents(tmp_path / target).items() >= NEW.items()


def test_files_that_were_there_before_stay_and_those_of_the_same_name_are_replaced(tmp_path: Path) -> None:
    write(make_old(tmp_path / "out"))
    assert contents(tmp_path / "out") == {**NEW, "mine.txt": "mine"}


def test_a_mounted_folder_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_old(tmp_path / "mounted")
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, moved_between_disks(folder)(getattr(os, name)))
    write(folder)
    replace_text(folder / "mine.txt", "changed")
    assert contents(folder) == {**NEW, "mine.txt": "changed"}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("moves", range(5))
def test_a_move_that_fails_or_is_interrupted_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int, error: BaseException
) -> None:
    """Five moves: a.txt and b.txt aside and then in, c.txt in."""
    folder, move, done = make_old(tmp_path / "out"), os.rename, []

    def fails(source: Path, target: Path) -> None:
        done.append(source)
        if len(done) == moves + 1:
            raise error
        move(source, target)

    monkeypatch.setattr(os, "rename", fails)
    with pytest.raises(type(error)):
        write(folder)
    assert contents(folder) == OLD


@pytest.mark.parametrize("old", [True, False])
def test_a_full_disk_leaves_what_was_there_and_names_the_folder(tmp_path: Path, old: bool) -> None:
    folder = make_old(tmp_path / "out") if old else tmp_path / "deep" / "out"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # a write past it fails, as on a full disk
    try:
        with pytest.raises(OSError, match="too large") as failed:
            write(folder, {**NEW, "z.txt": "z" * 2000})
        with pytest.raises(OSError, match="too large"):
            replace_text(tmp_path / "file", "z" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.filename == str(folder)
    assert list(tmp_path.iterdir()) == ([folder] if old else [])
    assert not old or contents(folder) == OLD


def test_a_file_in_the_way_of_a_folder_and_a_folder_in_the_way_of_a_file_stay(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file" / "inside")
    folder = make_old(tmp_path / "out")
    (folder / "c.txt").mkdir()
    with pytest.raises(IsADirectoryError, match="out"):
        write(folder)
    with pytest.raises(IsADirectoryError, match=r"c\.txt"):
        replace_text(folder / "c.txt", "text")
    (folder / "c.txt").rmdir()
    assert contents(folder) == OLD
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("old", [True, False])
def test_what_a_killed_process_left_behind_is_removed_by_the_next_and_a_living_ones_is_not(
    tmp_path: Path, old: bool
) -> None:
    folder = make_old(tmp_path / "out") if old else tmp_path / "out"
    code = (
        "import os, pathlib, sys; from lenet_search.whole import folder_written_whole, written_whole\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with folder_written_whole(folder) as one, written_whole(folder.parent / 'file') as other:\n"
        "    (one / 'a.txt').write_text('half'), other.write_text('half'), os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, folder], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = [path for place in (tmp_path, tmp_path / "out") for path in place.glob(".lenet-search-*")]
    assert len(left) == 2
    with written_whole(tmp_path / "other") as living:
        living.write_text("whole", encoding="utf-8")
        write(folder)
        replace_text(tmp_path / "file", "whole")
    assert contents(folder) == ({**NEW, "mine.txt": "mine"} if old else NEW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "other", "out"]


@pytest.mark.parametrize("text", ["../up", "/root", "a/b", "..", ".", "", "nul\0", "x" * 300, "ä" * 300, "\udce9"])
def test_any_text_names_one_file_in_its_folder(tmp_path: Path, text: str) -> None:
    replace_text(tmp_path / as_name(text), text.encode("utf-8", "replace").decode())
    assert [path.name for path in tmp_path.iterdir()] == [as_name(text)]
    assert as_name("CIFAR 10, größer.v2") == "CIFAR 10, größer.v2"


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    replace_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text(encoding="utf-8") == "text"
