from pathlib import Path

import pytest

from lenet_search.engine import backend, device
from lenet_search.engine.device import free_memory
from lenet_search.machine import free_memory as free_on_host
from lenet_search.machine import processor


def machine(root: Path, available: int, limit: str | None = None, used: int = 0, files: int = 0) -> Path:
    """A system's files: memory in KiB, the container's in bytes."""
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(f"MemTotal: 9999 kB\nMemAvailable:    {available} kB\n")
    if limit is not None:
        group = root / "sys/fs/cgroup"
        group.mkdir(parents=True)
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text(f"{used}\n")
        (group / "memory.stat").write_text(f"anon 5\ninactive_file {files}\n")
    return root


def test_free_memory_is_what_the_system_can_give_without_swapping(tmp_path):
    assert free_on_host(machine(tmp_path, 100)) == 102_400


@pytest.mark.parametrize(("limit", "free"), [("max", 102_400), ("50000", 31_000), ("10000", 0)])
def test_a_container_s_limit_counts_but_not_the_files_that_it_has_read(tmp_path, limit, free):
    assert free_on_host(machine(tmp_path, 100, limit, used=20_000, files=1_000)) == free


def test_a_system_that_does_not_say_leaves_it_open(tmp_path):
    assert free_on_host(tmp_path) is None


def test_this_machine_has_memory_and_its_processor_a_name():
    assert free_memory() is None or free_memory() > 2**20
    assert processor()


def test_of_a_gpu_the_one_that_this_process_sees_is_asked(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\n[ "$1" = "--id=3" ] && echo 1000\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setattr(backend, "on_gpu", lambda: True)
    assert device.free_memory() == 1000 * 2**20
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4")
    assert device.free_memory() is None
