from pathlib import Path

import pytest

from lenet_search import machine
from lenet_search.crew.places import Place, places, slots_of
from lenet_search.machine import has_avx512, usable_cores, visible_gpus


def test_without_gpus_every_core_gets_a_worker_of_one_thread():
    assert places(None, [], 3) == [Place(None, 1)] * 3


def test_every_gpu_gets_a_worker_that_sees_no_other():
    assert places(None, ["0", "1"], 16) == [Place("0", 8), Place("1", 8)]
    assert places(None, ["0", "1"], 16)[1].environment()["CUDA_VISIBLE_DEVICES"] == "1"


def test_more_workers_than_gpus_share_them():
    assert [place.gpu for place in places(3, ["0", "1"], 16)] == ["0", "1", "0"]


def test_fewer_workers_share_the_cores_and_more_get_a_thread_each():
    assert [place.threads for place in places(2, [], 8)] == [4, 4]
    assert [place.threads for place in places(4, [], 2)] == [1, 1, 1, 1]


def test_a_worker_on_the_cpu_sees_no_gpu_and_has_its_share_of_threads():
    environment = Place(None, 3).environment()
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 1), ("50000 100000", 1), ("max 100000", None)])
def test_a_container_s_quota_bounds_the_cores(tmp_path: Path, quota: str, cores: int | None):
    (tmp_path / "cpu.max").write_text(quota)
    free = usable_cores(tmp_path / "no such file")
    assert usable_cores(tmp_path / "cpu.max") == (cores or free)


def test_whether_there_is_avx_512_is_read_from_what_the_system_says_of_the_processor(tmp_path: Path):
    told = tmp_path / "cpuinfo"
    assert not has_avx512(told)
    told.write_text("processor : 0\nflags : fpu avx2 avx512bw\n")
    assert not has_avx512(told)
    told.write_text("processor : 0\nflags : fpu avx2 avx512f avx512bw\n")
    assert has_avx512(told)


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_gpus_are_those_of_the_machine_or_those_that_the_user_chose(two_gpus, monkeypatch):
    assert visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert visible_gpus() == ["1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus() == []


@pytest.mark.parametrize(
    ("chosen", "seen"),
    [
        ("1, 0", ["1", "0"]),
        ("GPU-8932f937", ["GPU-8932f937"]),
        ("MIG-GPU-8932f937/1/0,MIG-11c29e81-e611", ["MIG-GPU-8932f937/1/0", "MIG-11c29e81-e611"]),
        ("0,-1,1", ["0"]),
        ("0,7,1", ["0"]),
        ("7", []),
        ("-1", []),
        ("NoDevFiles", []),
    ],
)
def test_gpus_can_be_chosen_by_any_name_that_cuda_knows(two_gpus, monkeypatch, chosen, seen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert visible_gpus() == seen
    assert [place.environment()["CUDA_VISIBLE_DEVICES"] for place in places(None, seen, 4)] == (seen or ["-1"] * 4)


def test_a_machine_without_the_driver_s_tool_has_no_gpus(monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == []


def test_a_stack_size_is_a_number_auto_or_left_open():
    assert [slots_of(value) for value in (None, "auto", "8", 8)] == [None, "auto", 8, 8]


@pytest.mark.parametrize("value", ["", "Auto", "4.0", "0", 0, -3, 1025])
def test_anything_else_is_no_stack_size(value):
    with pytest.raises(ValueError, match="expected a number from 1 to 1024, or auto; received"):
        slots_of(value)
