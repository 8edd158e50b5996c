"""What "auto" means as a precision: on simulated GPUs of both backends, and by a simulated clock on a CPU."""

from types import SimpleNamespace
from typing import Any

import pytest

from lenet_search.engine import backend, precision
from lenet_search.engine.precision import best_precision, multiplying_dtype


@pytest.fixture(autouse=True)
def asked_anew():
    best_precision.cache_clear()
    yield
    best_precision.cache_clear()


def jax_sees(monkeypatch: pytest.MonkeyPatch, **device: Any) -> None:
    """JAX finds a GPU with these attributes."""
    jax = pytest.importorskip("jax")
    from lenet_search.engine.backend import jax as engine

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "devices", lambda: [SimpleNamespace(platform="gpu", **device)])
    use(monkeypatch, engine)


def tensorflow_sees(monkeypatch: pytest.MonkeyPatch, **details: Any) -> None:
    """TensorFlow finds a GPU with these details."""
    tf = pytest.importorskip("tensorflow")
    from lenet_search.engine.backend import tensorflow as engine

    gpu = SimpleNamespace(name="/physical_device:GPU:0", device_type="GPU")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [gpu])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)
    use(monkeypatch, engine)


def use(monkeypatch: pytest.MonkeyPatch, engine: Any) -> None:
    for name in ("on_gpu", "compute_capability"):
        monkeypatch.setattr(backend, name, getattr(engine, name))
    monkeypatch.setattr(precision, "_is_much_faster", lambda: pytest.fail("a GPU is not timed"))


@pytest.mark.parametrize(
    ("capability", "expected"), [((9, 0), "bfloat16"), ((12, 0), "bfloat16"), ((8, 0), "bfloat16"), ((7, 5), "float32")]
)
def test_an_nvidia_gpu_multiplies_in_bfloat16_from_ampere_on(monkeypatch, capability, expected):
    tensorflow_sees(monkeypatch, device_name="NVIDIA H100 80GB HBM3", compute_capability=capability)
    assert multiplying_dtype("auto") == expected
    best_precision.cache_clear()
    jax_sees(monkeypatch, device_kind="NVIDIA H100 80GB HBM3", compute_capability="{}.{}".format(*capability))
    assert multiplying_dtype("auto") == expected


def test_a_gpu_that_does_not_say_what_it_has_multiplies_in_float32(monkeypatch):
    tensorflow_sees(monkeypatch, device_name="AMD Instinct MI300X")
    assert best_precision() == "float32"
    best_precision.cache_clear()
    jax_sees(monkeypatch, device_kind="AMD Instinct MI300X", compute_capability="gfx942")
    assert best_precision() == "float32"
    best_precision.cache_clear()
    jax_sees(monkeypatch, device_kind="unheard of")
    assert best_precision() == "float32"


def test_this_cpu_has_no_compute_capability():
    assert backend.on_gpu() or backend.compute_capability() is None


@pytest.mark.parametrize(
    ("share", "expected", "turns"), [(0.5, "mixed_bfloat16", 8), (0.9, "float32", 8), (7.0, "float32", 2)]
)
def test_a_cpu_is_timed_until_the_answer_is_clear(monkeypatch, share, expected, turns):
    now, runs = 0.0, 0

    def probe(dtype: str) -> Any:
        def run() -> None:
            nonlocal now, runs
            now, runs = now + (share if dtype == "bfloat16" else 1.0), runs + 1

        return run

    monkeypatch.setattr(backend, "on_gpu", lambda: False)
    monkeypatch.setattr(precision, "_probe", probe)
    monkeypatch.setattr(precision, "perf_counter", lambda: now)
    assert best_precision() == expected
    assert runs == 2 * turns


def test_a_cpu_that_cannot_multiply_bfloat16_uses_float32(monkeypatch):
    def probe(dtype: str) -> Any:
        raise NotImplementedError(dtype)

    monkeypatch.setattr(backend, "UNSUPPORTED", (NotImplementedError,))
    monkeypatch.setattr(backend, "on_gpu", lambda: False)
    monkeypatch.setattr(precision, "_probe", probe)
    assert best_precision() == "float32"
