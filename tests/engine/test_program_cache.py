"""Compiled programs are kept from run to run, where that is safe, and not for ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lenet_search.engine.backend import program_cache

ROOT = Path(__file__).parents[2]
# Compiles two programs, of which a CPU takes a hundredth of a second for each, as a GPU's worker would keep them.
COMPILES = """
from lenet_search.engine import backend
from lenet_search.engine.backend import jax as engine
import jax
if {gpu}:
    jax.default_backend = lambda: "gpu"
hits = []
jax.monitoring.register_event_listener(lambda event, **_: hits.append(event))
backend.limit_threads(1)
if {gpu}:
    jax.default_backend = lambda: "cpu"
for size in (3, 4):
    assert backend.compiled(lambda x: x * 2 + 1)(jax.numpy.ones(size))[0] == 3
print(hits.count("/jax/compilation_cache/cache_hits"))
print(jax.config.jax_persistent_cache_enable_xla_caches)
"""


def compiling(cache: Path, *, gpu: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("jax")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    environment |= {"KERAS_BACKEND": "jax", "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT), **more}
    code = COMPILES.format(gpu=gpu)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "lenet-search/jax").glob("*-cache"))


def test_a_second_process_finds_the_programs_of_the_first_the_smallest_too(tmp_path):
    assert compiling(tmp_path).stdout.split() == ["0", "xla_gpu_per_fusion_autotune_cache_dir"]
    found = entries(tmp_path)
    assert len(found) >= 2
    hits = int(compiling(tmp_path).stdout.split()[0])
    assert hits >= 2
    assert entries(tmp_path) == found


def test_an_entry_that_was_cut_off_costs_no_more_than_compiling(tmp_path):
    compiling(tmp_path)
    for path in entries(tmp_path):
        path.write_bytes(path.read_bytes()[:50])
    assert compiling(tmp_path).stdout.split()[0] == "0"


def test_programs_for_a_cpu_are_not_kept(tmp_path):
    compiling(tmp_path, gpu=False)
    assert not entries(tmp_path)


def test_a_user_s_own_folder_is_used_instead(tmp_path):
    compiling(tmp_path / "ours", JAX_COMPILATION_CACHE_DIR=str(tmp_path / "own"),
              JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0")  # fmt: skip
    assert not entries(tmp_path / "ours")
    assert list((tmp_path / "own").glob("*-cache"))


def test_where_no_folder_can_be_written_nothing_is_kept_and_nothing_fails(tmp_path, monkeypatch):
    def refused() -> Path:
        raise PermissionError("it is another's")

    monkeypatch.setattr(program_cache, "writable_cache", refused)
    assert program_cache.folder("jax") is None


def test_on_a_disk_that_is_nearly_full_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert program_cache.folder("jax") == tmp_path / "lenet-search/jax"
    monkeypatch.setattr(program_cache, "ROOM", 2**62)
    assert program_cache.folder("jax") is None


def test_the_oldest_programs_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(program_cache, "MOST", 25)
    folder = program_cache.folder("jax")
    assert folder is not None
    for age, name in enumerate(["new", "tuned/newer", "old", "older"]):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"0123456789")
        os.utime(path, (1e9 - age, 1e9 - age))
    program_cache.folder("jax")
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "new",
        "tuned/newer",
    ]
