"""Keras's settings: every one that Keras reads is known here, and none but the backend reaches what we compute."""

import json
import os
import platform
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lenet_search import keras_settings
from lenet_search.keras_settings import DEFAULTS, VARIABLES, set_aside

KERAS = Path(str(find_spec("keras").origin)).parent  # type: ignore[union-attr]
CONFIG = (KERAS / "src/backend/config.py").read_text(encoding="utf-8")
UNUSUAL: dict[str, Any] = {
    "half precision": {"floatx": "float16"},
    "double precision": {"floatx": "float64"},
    "a type that Keras refuses": {"floatx": "bfloat16"},
    "another epsilon": {"epsilon": 0.1},
    "a whole number for epsilon": {"epsilon": 1},
    "channels first": {"image_data_format": "channels_first"},
    "an unknown format": {"image_data_format": 3},
    "NNX": {"nnx_enabled": True},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of Keras with downloads."""
    folder = tmp_path / "another project"
    (folder / "datasets").mkdir(parents=True)
    for name in ("KERAS_BACKEND", *VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder
    os.environ.pop("KERAS_BACKEND", None)  # what `set_aside` has set


def used() -> dict[str, Any]:
    content = json.loads(Path(os.environ["KERAS_HOME"], "keras.json").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def test_every_key_and_variable_that_keras_reads_is_known():
    assert set(re.findall(r'_config\.get\(\s*"(\w+)"', CONFIG)) == {"backend", *DEFAULTS}
    assert set(re.findall(r'"(KERAS_\w+)"', CONFIG)) - {"KERAS_HOME", "KERAS_BACKEND"} <= set(VARIABLES)
    setters = set(re.findall(r'"keras\.config\.set_(\w+)"', CONFIG))
    assert setters <= set(keras_settings._SET)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="what TensorFlow does on others was not tried")
@pytest.mark.parametrize(("chosen", "found"), [(None, "1"), ("0", "0")])
def test_tensorflow_uses_onednn_unless_the_user_has_chosen(home, chosen, found, monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if chosen:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", chosen)
    set_aside()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == found
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")  # what `set_aside` has set goes at the end


@pytest.mark.parametrize("settings", UNUSUAL.values(), ids=UNUSUAL)
def test_any_setting_but_the_backend_is_set_aside_and_the_downloads_stay(home, settings):
    (home / "keras.json").write_text(json.dumps({"backend": "jax", **settings}))
    set_aside()
    assert Path(os.environ["KERAS_HOME"]) != home
    assert used() == DEFAULTS
    assert os.environ["KERAS_BACKEND"] == "jax"
    assert Path(os.environ["KERAS_HOME"], "datasets").resolve() == (home / "datasets").resolve()
    set_aside()  # as a worker does again
    assert used() == DEFAULTS


NOT_KERAS_S = ["{", "[1]", '{"backend": 3}', "\udcff", "[" * 100_000, '{"backend": "a\\u0000", "floatx": 1}',
               '{"backend": "\\ud800", "floatx": 1}']  # fmt: skip


@pytest.mark.parametrize("text", NOT_KERAS_S, ids=range(len(NOT_KERAS_S)))
def test_a_file_that_is_not_keras_s_is_none(home, text):
    (home / "keras.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    set_aside()
    assert used() == DEFAULTS
    assert "KERAS_BACKEND" not in os.environ


@pytest.mark.parametrize("settings", [None, {}, {"backend": "jax"}, {"backend": "jax", **DEFAULTS}, {"theme": "dark"}])
def test_a_usual_file_is_left_to_keras(home, settings):
    if settings is not None:
        (home / "keras.json").write_text(json.dumps(settings))
    set_aside()
    assert Path(os.environ["KERAS_HOME"]) == home


def test_a_backend_in_the_environment_comes_first(home, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    (home / "keras.json").write_text(json.dumps({"backend": "jax", "floatx": "float16"}))
    set_aside()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_changes_results_is_dropped(home, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    set_aside()
    assert name not in os.environ
