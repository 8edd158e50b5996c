"""A small study, and workers that are made to fail in the real ways: killed by a signal, or short of memory."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

STUDY = """
[study]
trials = 4
sampler = { kind = "GridSampler", search_space = { "regularize.dropout" = [0.0, 0.1, 0.2, 0.4] } }

[data]
name = "tiny"

[train]
epochs = 3
batch_size = 32

[regularize]
dropout = { choices = [0.0, 0.1, 0.2, 0.4] }

[optimizer]
kind = "adam"
"""
PATCH = """
import sys
if any("crew.worker" in argument for argument in sys.orig_argv):
    import os, signal
    from pathlib import Path
    import lenet_search.engine.stack as stack
    import lenet_search.engine.precision as precision
    compute = stack.Stack.compute

    def recipes(self):
        return [slot.recipe for slot in self._slots if slot is not None]
"""


@pytest.fixture
def study(tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of four trials that differ in their dropout; its folder is the working one."""
    monkeypatch.chdir(tiny_npz.parent)
    monkeypatch.setenv("LENET_SEARCH_DATA", str(tiny_npz.parent))
    path = Path("small.toml")
    path.write_text(STUDY)
    return path


@pytest.fixture
def workers_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has workers run some lines when they start. `compute` is `Stack.compute`; `recipes(stack)` those in its slots."""

    def install(lines: str) -> None:
        folder = tmp_path / "patched"
        folder.mkdir()
        indented = "".join(f"    {line}\n" for line in lines.strip().splitlines())
        (folder / "sitecustomize.py").write_text(PATCH + indented)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))

    return install
