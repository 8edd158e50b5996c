"""Study files written by a test, and what is wrong with them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lenet_search.errors import StudyFileError
from lenet_search.study import Definition, read

Write = Callable[[str], Path]
ProblemsOf = Callable[..., list[str]]
DefinitionOf = Callable[..., Definition]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes `mine.toml` into the working folder, which is a fresh one."""
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> Path:
        path = Path("mine.toml")
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def definition_of(write: Write) -> DefinitionOf:
    """The definition that a text gives."""
    return lambda text, *overrides: read(write(text), overrides=overrides)


@pytest.fixture
def problems_of(write: Write) -> ProblemsOf:
    """All problems of a text, in the order in which they are reported."""

    def problems(text: str, *overrides: str) -> list[str]:
        path = write(text)
        with pytest.raises(StudyFileError) as caught:
            read(path, overrides=overrides)
        found: Sequence[str] = caught.value.problems
        assert str(caught.value) == "\n".join(found)
        return list(found)

    return problems
