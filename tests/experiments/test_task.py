from pathlib import Path

import pytest

from lenet_search.errors import StudyFileError
from lenet_search.experiments.task import read_tasks


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_seeds_count_up_from_the_one_after_the_file_s_own() -> None:
    Path("mine.toml").write_text("# Mine.\n[study]\nseed = 7\n[claim]\nsource = 's'\n")
    (task,) = read_tasks(["mine.toml"], 3)
    assert (task.name, task.title, task.seeds) == ("mine", "Mine.", (8, 9, 10))
    assert task.claim is not None


def test_an_export_s_recipe_is_called_by_its_folder() -> None:
    Path("exports").mkdir()
    Path("exports/recipe.toml").write_text("")
    assert read_tasks(["exports/recipe.toml"], 1)[0].name == "exports"


def test_the_problems_of_all_files_are_reported_at_once() -> None:
    Path("a.toml").write_text("[train]\nepochs = 0\n")
    Path("b.toml").write_text("[train]\nepochs = { low = 1, high = 2 }\n")
    with pytest.raises(StudyFileError) as caught:
        read_tasks(["a.toml", "b.toml", "lenet-basic", "lenet-basic"], 1)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["a.toml", "b.toml", "lenet-basic"]
    assert "two recipes are named lenet-basic" in caught.value.problems[2]
